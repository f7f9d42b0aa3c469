"""The codec of pagamento-events."""

from streamapp_codecs.reading.queue_codec import QueueCodec

codec = QueueCodec("pagamento")
