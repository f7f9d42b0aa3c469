"""How events change the hashes that hold an app's state."""
