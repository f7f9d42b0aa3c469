"""`streamapp demo`: servers, traffic, a worker and a board in one command."""
