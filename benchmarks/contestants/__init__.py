"""Hand-written contestants, from the loop that teams run to the least that can be done."""
