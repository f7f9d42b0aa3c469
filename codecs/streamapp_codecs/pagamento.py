"""The codec of pagamento-events."""

from streamapp_codecs.reading.queue_codec import CodecDeFila

codec = CodecDeFila("pagamento")
