"""Hand-written contestants, from the usual simple loop to the least work that is possible."""
