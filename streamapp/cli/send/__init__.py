"""`streamapp send` and `streamapp seed`: put messages into queues."""
