"""The state of one product after its events."""

from datetime import datetime
from decimal import Decimal

import msgspec

from streamapp_agents.dominio.ficha import Ficha, unir_ficha
from streamapp_agents.dominio.money import canonical_price
from streamapp_agents.dominio.registro import Registro, juntar, mais_novo, prevalecer, registrar, valor_de
from streamapp_codecs.dominio.eventos import EventoProduto, Instante


class FatosProduto(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The merged facts of one product (a join-semilattice); all that is shown is computed from them."""

    ficha: Ficha
    preco: Registro[Decimal] | None = None
    ativo: Registro[bool]
    atualizado_em: Instante


class Produto(msgspec.Struct, frozen=True, kw_only=True):
    """The state of one product; every other field is computed from *fatos*. None is unknown."""

    id_produto: str
    nome: str | None
    categoria: str | None
    preco: Decimal | None
    tempo_preparo: int | None
    ativo: bool
    atualizado_em: datetime
    fatos: FatosProduto = msgspec.field(name="_fatos")

    @property
    def ficha(self) -> Ficha:
        """What an order needs of this product."""
        return self.fatos.ficha


def aplicar_produto(estado: Produto | None, evento: EventoProduto) -> Produto:
    """Return *estado* with *evento* merged in; *estado* itself when *evento* adds nothing."""
    novos = _fatos_do_evento(evento)
    fatos = novos if estado is None else _unir(estado.fatos, novos)
    if estado is not None and fatos is estado.fatos:
        return estado
    return _projetar(evento.id_produto, fatos)


def _fatos_do_evento(evento: EventoProduto) -> FatosProduto:
    quando = evento.quando or Instante(evento.enviado_em)
    ativo = Registro(evento.ativo, quando.em, quando.adiantado)
    if evento.tipo == "produto_removido":
        # A removed product keeps its last name, category and price, even if its removal states others.
        return FatosProduto(ficha=Ficha(), ativo=ativo, atualizado_em=quando)
    return FatosProduto(
        ficha=Ficha(
            nome=registrar(evento.nome, quando),
            categoria=registrar(evento.categoria, quando),
            tempo_preparo=registrar(evento.tempo_preparo or None, quando),  # 0 is unknown
        ),
        preco=registrar(canonical_price(evento.preco), quando),
        ativo=ativo,
        atualizado_em=quando,
    )


def _unir(uns: FatosProduto, outros: FatosProduto) -> FatosProduto:
    juntos = FatosProduto(
        ficha=unir_ficha(uns.ficha, outros.ficha),
        preco=juntar(prevalecer, uns.preco, outros.preco),
        ativo=prevalecer(uns.ativo, outros.ativo),
        atualizado_em=mais_novo(uns.atualizado_em, outros.atualizado_em),
    )
    return uns if juntos == uns else juntos


def _projetar(id_produto: str, fatos: FatosProduto) -> Produto:
    ficha = fatos.ficha
    return Produto(
        id_produto=id_produto,
        nome=valor_de(ficha.nome),
        categoria=valor_de(ficha.categoria),
        preco=valor_de(fatos.preco),
        tempo_preparo=valor_de(ficha.tempo_preparo),
        ativo=fatos.ativo.valor,
        atualizado_em=fatos.atualizado_em.em,
        fatos=fatos,
    )
