"""One worker: its parts put together, started and drained."""
