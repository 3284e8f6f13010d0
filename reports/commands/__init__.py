"""The verbs of the command line, one module each, each offering `COMMAND`."""
