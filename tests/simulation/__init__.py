"""A deterministic simulation: whole workers, a world that goes wrong by a seed, and a checker of what must hold."""
