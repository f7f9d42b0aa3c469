"""Values, times and names, which each producer spells in its own way; nothing here is of the shop."""
