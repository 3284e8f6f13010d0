"""The report as one self-contained HTML page: it works from disk, offline, with nothing beside it."""

from .report import Picture, PlainTable, Report, Section
from .render import render_page

__all__ = ["Picture", "PlainTable", "Report", "Section", "render_page"]
