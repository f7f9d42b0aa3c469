"""The shop as it is on the wire: its events, the names of their fields, and the words in them."""
