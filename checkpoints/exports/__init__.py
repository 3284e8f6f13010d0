"""Libraries that a checkpoint of the common format is exported to, each offering `EXPORT`."""
