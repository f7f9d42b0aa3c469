"""The servers that every contestant talks to."""
