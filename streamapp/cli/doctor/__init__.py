"""`streamapp doctor`: find what is wrong with settings, queues and Redis."""
