"""Clocks for tests: the machine's, one that a test moves, and the event loop's own time."""
