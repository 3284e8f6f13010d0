"""How the papers' tables are written: one module per format, `FORMAT = TableFormat(...)`."""
