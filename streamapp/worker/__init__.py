"""Say here in one line what this room is."""
