"""The command line: one file a command, and what every ending means to the shell."""
