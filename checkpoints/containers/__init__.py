"""Kinds of file that hold tensors, one module each, each offering `CONTAINER`."""
