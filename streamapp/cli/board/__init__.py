"""`streamapp board`: the app's boards in a terminal."""
