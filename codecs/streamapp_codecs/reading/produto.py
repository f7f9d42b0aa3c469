"""A product's event, read from the fields of a message."""

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import EventoProduto
from streamapp_codecs.dominio.medidas import ler_preparo
from streamapp_codecs.envelopes.kinds import Kind
from streamapp_codecs.lenient.fields import Fields
from streamapp_codecs.lenient.ids import require_id
from streamapp_codecs.lenient.money import read_price
from streamapp_codecs.lenient.values import read_text
from streamapp_codecs.reading.event_time import ATUALIZACAO, CRIACAO, read_event_time

_DESCRITIVOS = (campos.NOME, campos.CATEGORIA, campos.PRECO, campos.TEMPO_PREPARO, campos.ATIVO)


def ler_produto(fields: Fields, kind: Kind, origin: Origin) -> EventoProduto:
    """Return the event of a product; raises `DecodeError`."""
    id_produto = require_id(
        fields.identity(campos.ID_PRODUTO, campos.ID, campos.CODIGO_PRODUTO), "id_produto"
    )
    if not kind.is_complete and all(fields.inner(field) is None for field in _DESCRITIVOS):
        raise DecodeError("undecidable", "neither a kind nor anything about the product")
    return EventoProduto(
        id_produto=id_produto,
        tipo={"criar": "produto_criado", "remover": "produto_removido"}.get(
            kind.action or "", "produto_atualizado"
        ),
        enviado_em=origin.sent_at,
        quando=read_event_time(fields, CRIACAO if kind.action == "criar" else ATUALIZACAO, origin),
        nome=read_text(fields.inner(campos.NOME)),
        categoria=read_text(fields.inner(campos.CATEGORIA)),
        # A removed product keeps the price that it had, so what its removal says of it may be wrong.
        preco=None if kind.action == "remover" else read_price(fields.inner(campos.PRECO), "preco"),
        tempo_preparo=ler_preparo(fields.inner(campos.TEMPO_PREPARO)),
        ativo=kind.action == "criar"
        or (kind.action != "remover" and fields.inner(campos.ATIVO) is not False),
    )
