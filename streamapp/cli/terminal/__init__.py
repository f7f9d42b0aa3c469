"""How commands print: safe text, columns, logs, and views that are redrawn in place."""
