"""The command line: a folder for each command, and `terminal` for what all of them print with."""
