"""What a message costs, compared with other frameworks and hand-written loops: `just bench`."""
