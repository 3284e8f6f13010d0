"""Pretraining methods, one module each, each offering `METHOD`."""
