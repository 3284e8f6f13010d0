"""Pretraining runs, one module each, each offering `CONFIG`."""
