"""Published checkpoints as data: one TOML file each."""
