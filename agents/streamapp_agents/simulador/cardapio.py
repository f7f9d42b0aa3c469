"""The menu of a snack bar: the catalogue's events during a rush, and its state in the end."""

from collections.abc import Iterator
from dataclasses import dataclass

from streamapp_agents.simulador.texts import to_decimal


@dataclass(frozen=True, slots=True)
class Versao:
    """The catalogue's event of a product *minuto* minutes into the rush; None is left out or null."""

    minuto: int
    nome: str | None = None
    categoria: str | None = None
    centavos: int | None = None
    tempo_preparo: int | None = None
    removido: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Prato:
    """A product, and its state in the end, which is written by hand and never computed.

    *minutos* is how long one unit takes as the catalogue states it, *minutos_da_categoria* how long it takes where an
    order names no product id. *versoes* are the catalogue's events; a product without any is not on the menu.
    *centavos* is the price in orders, *centavos_no_fim* the catalogue's price in the end.
    """

    id_produto: str
    nome: str
    categoria: str
    centavos: int
    centavos_no_fim: int
    minutos: int
    minutos_da_categoria: int
    tempo_preparo: int | None = None
    ativo: bool = True
    versoes: tuple[Versao, ...] = ()

    @property
    def no_cardapio(self) -> bool:
        """Whether any catalogue event is about it."""
        return bool(self.versoes)


CARDAPIO = (
    Prato(
        id_produto="1",
        nome="X-Salada",
        categoria="Lanche",
        centavos=2250,
        centavos_no_fim=2250,
        minutos=5,
        minutos_da_categoria=5,
        versoes=(Versao(0, "X-Salada", "Lanche", 2250),),
    ),
    Prato(
        id_produto="2",
        nome="Coca-Cola lata",
        categoria="BEBIDA",
        centavos=600,
        centavos_no_fim=650,
        minutos=1,
        minutos_da_categoria=1,
        versoes=(Versao(0, "Coca-Cola lata", "BEBIDA", 600), Versao(40, None, None, 650)),
    ),
    Prato(
        id_produto="3",
        nome="X-Bacon da casa",
        categoria="LANCHE",
        centavos=2800,
        centavos_no_fim=2990,
        minutos=9,
        minutos_da_categoria=5,
        tempo_preparo=9,
        versoes=(
            Versao(0, "X-Bacon", "LANCHE", 2800, 7),
            Versao(25, "X-Bacon da casa", "LANCHE", 2990, 9),
            Versao(50, "X-Bacon da casa", "LANCHE", 2990, None),
        ),
    ),
    Prato(
        id_produto="4",
        nome="Batata frita G",
        categoria="Acompanhamento",
        centavos=1450,
        centavos_no_fim=1600,
        minutos=10,
        minutos_da_categoria=2,
        tempo_preparo=10,
        versoes=(
            Versao(1, "Batata frita", "Acompanhamento", 1450, 8),
            Versao(30, "Batata frita G", "Acompanhamento", 1600, 10),
        ),
    ),
    Prato(
        id_produto="5",
        nome="Suco de laranja",
        categoria="Bebida",
        centavos=950,
        centavos_no_fim=950,
        minutos=1,
        minutos_da_categoria=1,
        versoes=(Versao(1, "Suco de laranja", "Bebida", 950),),
    ),
    Prato(
        id_produto="6",
        nome="Pudim de leite",
        categoria="Sobremesa",
        centavos=1200,
        centavos_no_fim=1200,
        minutos=3,
        minutos_da_categoria=3,
        versoes=(Versao(1, "Pudim de leite", "Sobremesa", 1200),),
    ),
    Prato(
        id_produto="7",
        nome="Sorvete de creme",
        categoria="SOBREMESA",
        centavos=1000,
        centavos_no_fim=1000,
        minutos=2,
        minutos_da_categoria=3,
        tempo_preparo=2,
        ativo=False,
        versoes=(Versao(1, "Sorvete de creme", "SOBREMESA", 1000, 2), Versao(60, removido=True)),
    ),
    Prato(
        id_produto="8",
        nome="Combo família",
        categoria="Combo",
        centavos=8990,
        centavos_no_fim=8990,
        minutos=3,
        minutos_da_categoria=3,
        versoes=(Versao(2, "Combo família", "Combo", 8990),),
    ),
    Prato(
        id_produto="9",
        nome="Cachorro-quente",
        categoria="lanche",
        centavos=1800,
        centavos_no_fim=1800,
        minutos=5,
        minutos_da_categoria=5,
        # It comes to the menu only after the first customers have ordered it.
        versoes=(Versao(35, "Cachorro-quente", "lanche", 1800),),
    ),
    Prato(
        id_produto="10",
        nome="Água com gás",
        categoria="Bebida",
        centavos=410,
        centavos_no_fim=410,
        minutos=1,
        minutos_da_categoria=1,
        versoes=(Versao(2, "Água com gás", "Bebida", 410),),
    ),
    Prato(
        id_produto="99",
        nome="Feijoada completa",
        categoria="Prato do dia",
        centavos=3990,
        centavos_no_fim=3990,
        minutos=3,
        minutos_da_categoria=3,
    ),
)


def falas_do_catalogo() -> Iterator[tuple[Prato, Versao]]:
    """Return all events of the catalogue in a rush, by time."""
    falas = [(prato, versao) for prato in CARDAPIO for versao in prato.versoes]
    yield from sorted(falas, key=lambda fala: fala[1].minuto)


def produto_esperado(prato: Prato, atualizado_em: str) -> dict[str, str | None]:
    """Return the fields that the hash of *prato* must hold in the end; None must be absent."""
    return {
        "id_produto": prato.id_produto,
        "nome": prato.nome,
        "categoria": prato.categoria,
        "preco": to_decimal(prato.centavos_no_fim),
        "tempo_preparo": None if prato.tempo_preparo is None else str(prato.tempo_preparo),
        "ativo": "1" if prato.ativo else "0",
        "atualizado_em": atualizado_em,
    }
