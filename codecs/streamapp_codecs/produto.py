"""The codec of produto-events."""

from streamapp_codecs.reading.queue_codec import QueueCodec

codec = QueueCodec("produto")
