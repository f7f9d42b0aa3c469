"""The transactional outbox: what changes of state owe to the outside, until it is sent."""
