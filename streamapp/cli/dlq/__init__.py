"""`streamapp dlq`: look at dead letters, and send them back to their queues."""
