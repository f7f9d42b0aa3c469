"""`streamapp status`: queues and workers at this moment."""
