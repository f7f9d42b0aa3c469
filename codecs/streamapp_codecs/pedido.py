"""The codec of pedido-events."""

from streamapp_codecs.reading.queue_codec import QueueCodec

codec = QueueCodec("pedido")
