"""The layouts of the papers' tables, as data: which claims are their rows and columns."""
