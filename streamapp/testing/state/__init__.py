"""A state store for tests: the rules of Redis's scripts, in memory, with a replica."""
