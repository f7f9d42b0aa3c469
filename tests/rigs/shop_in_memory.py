"""A shop in memory: bodies in, states out, wired like the application, without any waiting."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from streamapp_agents.dominio.acompanhamento import Acompanhamento, ComCatalogo, aplicar
from streamapp_agents.dominio.produto import Produto, aplicar_produto
from streamapp_agents.dominio.situacao import Inicio
from streamapp_codecs import pagamento, pedido, produto
from streamapp_codecs.codec import Decoded, Origin
from streamapp_codecs.dominio.eventos import Evento, EventoPedido, EventoProduto

CODECS = {"pedido-events": pedido.codec, "pagamento-events": pagamento.codec, "produto-events": produto.codec}


def decode(fila: str, corpo: str, sent_at: datetime, zone: tzinfo = UTC) -> Decoded[Evento]:
    """Return what the codec of *fila* decodes from *corpo*."""
    return CODECS[fila].decode(corpo, Origin(queue=fila, message_id="m", sent_at=sent_at, zone=zone))


class Loja:
    """The states of all orders and products."""

    def __init__(self, inicio: Inicio = "automatico") -> None:
        self.inicio: Inicio = inicio
        self.pedidos: dict[str, Acompanhamento] = {}
        self.produtos: dict[str, Produto] = {}
        self.indice: defaultdict[str, set[str]] = defaultdict(set)

    def receber(self, eventos: Iterable[Evento]) -> None:
        """Apply *eventos*, together with what the catalogue has about their products."""
        for evento in eventos:
            if isinstance(evento, EventoProduto):
                self._catalogar(evento)
            else:
                self._acompanhar(evento)

    def _acompanhar(self, evento: EventoPedido) -> None:
        itens = () if evento.criacao is None else evento.criacao.itens or ()
        ids = {linha.id_produto for linha in itens if linha.id_produto is not None}
        for id_produto in ids:
            self.indice[id_produto].add(evento.id_pedido)
        fichas = {id_: self.produtos[id_].ficha for id_ in ids if id_ in self.produtos}
        self._aplicar(ComCatalogo(id_pedido=evento.id_pedido, evento=evento, fichas=fichas))

    def _catalogar(self, evento: EventoProduto) -> None:
        estado = aplicar_produto(self.produtos.get(evento.id_produto), evento)
        self.produtos[evento.id_produto] = estado
        fichas = {evento.id_produto: estado.ficha}
        for id_pedido in self.indice[evento.id_produto]:
            self._aplicar(ComCatalogo(id_pedido=id_pedido, fichas=fichas))

    def _aplicar(self, evento: ComCatalogo) -> None:
        estado = aplicar(self.pedidos.get(evento.id_pedido), evento, inicio=self.inicio)
        if estado is not None:
            self.pedidos[evento.id_pedido] = estado
