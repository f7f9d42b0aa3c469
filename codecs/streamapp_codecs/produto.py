"""The codec of produto-events."""

from streamapp_codecs.fila import CodecDeFila

codec = CodecDeFila("produto")
