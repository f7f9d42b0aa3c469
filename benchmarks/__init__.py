"""What a message costs, measured against what else one could run: `just bench`."""
