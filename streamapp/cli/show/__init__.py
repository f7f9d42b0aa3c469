"""`streamapp show`: the stored state of one key, and its history."""
