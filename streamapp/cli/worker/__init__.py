"""`streamapp worker`: run the agents in this process."""
