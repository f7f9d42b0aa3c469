"""`streamapp tail`: follow what the workers do with each message."""
