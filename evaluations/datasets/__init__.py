"""Data sets, one module each, each offering `DATASET`."""
