"""Order tracking for a fast-food shop."""
