"""The codec of pagamento-events."""

from streamapp_codecs.fila import CodecDeFila

codec = CodecDeFila("pagamento")
