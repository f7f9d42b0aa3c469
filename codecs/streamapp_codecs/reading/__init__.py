"""The codec of the shop's queues: bodies to events, by the canonical path or the tolerant one."""
