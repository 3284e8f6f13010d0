"""Claimed beside measured: the rows of the table that the project is for."""

from .layout import csv_table, markdown_table, text_table

__all__ = ["csv_table", "markdown_table", "text_table"]
