"""The claims, as data: one TOML file per paper."""
