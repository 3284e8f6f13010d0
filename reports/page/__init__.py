"""The report as one self-contained HTML page: it works from disk, offline."""

from .render import render_page
from .report import Picture, PlainTable, Report, Section

__all__ = ["Picture", "PlainTable", "Report", "Section", "render_page"]
