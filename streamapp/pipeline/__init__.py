"""The way of a message: poll, lease, hand-off, agent, and its end."""
