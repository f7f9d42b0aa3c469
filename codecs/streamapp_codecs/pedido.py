"""The codec of pedido-events."""

from streamapp_codecs.fila import CodecDeFila

codec = CodecDeFila("pedido")
