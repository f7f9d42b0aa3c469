"""The application: three queues in, two tables, one queue out."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from streamapp import App, Stream
from streamapp.declared.extras import Extras
from streamapp_agents import ajustes
from streamapp_agents.dominio.acompanhamento import Acompanhamento, ComCatalogo, anunciar, aplicar
from streamapp_agents.dominio.ficha import Ficha
from streamapp_agents.dominio.produto import Produto, aplicar_produto
from streamapp_agents.telas.cenario import hora_do_almoco
from streamapp_agents.telas.exemplos import exemplos
from streamapp_agents.telas.quadro import cliente, cozinha, paginas
from streamapp_agents.telas.retrato import retrato
from streamapp_codecs import acompanhamento, pagamento, pedido, produto
from streamapp_codecs.dominio.eventos import Evento, EventoPedido, EventoProduto

ESCUTA = timedelta(hours=24)
"""How long a change of a product still reaches an order that has ended."""

app = App(
    "acompanhamento",
    extras=Extras(
        scenario=hora_do_almoco,
        boards=(cozinha, cliente),
        website=paginas,
        portrait=retrato,
        examples=exemplos,
        settings=(ajustes.INICIO,),
    ),
)

saida = app.sink("acompanhamento-events", acompanhamento.codec, identity=lambda anuncio: anuncio.event_id)

acompanhamentos = app.table(
    "acompanhamento",
    Acompanhamento,
    fold=partial(aplicar, inicio=ajustes.inicio()),
    announce=anunciar,
    to=saida,
)
produtos = app.table("produto", Produto, fold=aplicar_produto, expires=False)
pedidos_do_produto = app.index("indice:produto")


@app.agent("pedido-events", pedido.codec)
async def pedidos(eventos: Stream[Evento]) -> None:
    """Orders: made, cooked, handed over."""
    async for evento in eventos:
        await acompanhar(evento)


@app.agent("pagamento-events", pagamento.codec)
async def pagamentos(eventos: Stream[Evento]) -> None:
    """Payments: asked for, made, refused, refunded."""
    async for evento in eventos:
        await acompanhar(evento)


@app.agent("produto-events", produto.codec)
async def catalogo(eventos: Stream[Evento]) -> None:
    """The catalogue's products."""
    async for evento in eventos:
        await acompanhar(evento)


async def acompanhar(evento: Evento) -> None:
    """Apply *evento*, from any of the queues."""
    if isinstance(evento, EventoProduto):
        await _catalogar(evento)
    elif evento.criacao is not None and evento.criacao.itens:
        ids = {item.id_produto for item in evento.criacao.itens if item.id_produto is not None}
        await _abrir(evento, sorted(ids))
    else:
        await acompanhamentos.update(evento.id_pedido, evento)


async def _abrir(evento: EventoPedido, ids: Sequence[str]) -> None:
    """Apply an order's creation together with what the catalogue has about its products.

    If a product changes meanwhile, either its update finds the order in the index, or the second read finds the
    update.
    """
    pedido = evento.id_pedido
    await pedidos_do_produto.add(ids, pedido)
    fichas = await _fichas(ids)
    await acompanhamentos.update(pedido, ComCatalogo(id_pedido=pedido, evento=evento, fichas=fichas))
    depois = await _fichas(ids)
    if depois != fichas:
        await acompanhamentos.update(pedido, ComCatalogo(id_pedido=pedido, fichas=depois))


async def _fichas(ids: Sequence[str]) -> dict[str, Ficha]:
    conhecidos = await produtos.get_many(ids) if ids else []
    return {produto.id_produto: produto.ficha for produto in conhecidos if produto is not None}


async def _catalogar(evento: EventoProduto) -> None:
    """Apply a product's event, then update every order that holds the product, some at a time.

    The orders are updated even if the event changes nothing: a crash may have stopped that before.
    """
    produto = await produtos.update(evento.id_produto, evento)
    if produto is None:
        return
    fichas = {produto.id_produto: produto.ficha}
    limite = evento.enviado_em - ESCUTA
    async for ids in pedidos_do_produto.pages(evento.id_produto):
        estados = await acompanhamentos.update_many(
            [(pedido, ComCatalogo(id_pedido=pedido, fichas=fichas)) for pedido in sorted(ids)]
        )
        await pedidos_do_produto.discard(
            evento.id_produto,
            [estado.id_pedido for estado in estados if estado and _encerrou_antes(estado, limite)],
        )


def _encerrou_antes(estado: Acompanhamento, limite: datetime) -> bool:
    return estado.fatos.encerrado_em is not None and estado.fatos.encerrado_em < limite
