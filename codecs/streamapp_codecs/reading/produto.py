"""A product's event, read from the fields of a message."""

from streamapp_codecs.codec import DecodeError, Origin
from streamapp_codecs.dominio import campos
from streamapp_codecs.dominio.eventos import EventoProduto
from streamapp_codecs.envelopes.kinds import Tipo
from streamapp_codecs.lenient.fields import Campos
from streamapp_codecs.lenient.values import exigir_id, minutos, preco, texto
from streamapp_codecs.reading import event_time as quando
from streamapp_codecs.reading.event_time import ler_quando

_DESCRITIVOS = (campos.NOME, campos.CATEGORIA, campos.PRECO, campos.TEMPO_PREPARO, campos.ATIVO)


def ler_produto(de: Campos, tipo: Tipo, origin: Origin) -> EventoProduto:
    """Return the event of a product; raises `DecodeError`."""
    id_produto = exigir_id(de.identidade(campos.ID_PRODUTO, campos.ID, campos.CODIGO_PRODUTO), "id_produto")
    if not tipo.is_completo and all(de.interno(campo) is None for campo in _DESCRITIVOS):
        raise DecodeError("undecidable", "neither a kind nor anything about the product")
    return EventoProduto(
        id_produto=id_produto,
        tipo={"criar": "produto_criado", "remover": "produto_removido"}.get(
            tipo.acao or "", "produto_atualizado"
        ),
        enviado_em=origin.sent_at,
        quando=ler_quando(de, quando.CRIACAO if tipo.acao == "criar" else quando.ATUALIZACAO, origin),
        nome=texto(de.interno(campos.NOME)),
        categoria=texto(de.interno(campos.CATEGORIA)),
        preco=None if tipo.acao == "remover" else preco(de.interno(campos.PRECO), "preco"),  # nobody reads it
        tempo_preparo=minutos(de.interno(campos.TEMPO_PREPARO)),
        ativo=tipo.acao == "criar" or (tipo.acao != "remover" and de.interno(campos.ATIVO) is not False),
    )
