"""Upstream checkpoint formats, one module each, each offering `FORMAT`."""
