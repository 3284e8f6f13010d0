"""Class maps and official lists, as data."""
