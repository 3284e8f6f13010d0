r"""LaTeX, one `table` for each; needs `\usepackage{booktabs,graphicx}` and nothing else."""

import re
from collections.abc import Iterable, Iterator, Sequence

from ..paper_tables import DASH, PaperTable, TableCell
from ..table_format import TableFormat

_ESCAPED = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    # Two hyphens would print as a dash: `--checkpoint`.
    "--": "-{}-",
    "\N{PLUS-MINUS SIGN}": r"$\pm$",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{EN DASH}": "--",
    **{character: "\\" + character for character in "&%$#_{}"},
}
# Quotation marks stay: LaTeX prints them as such, and their macros want another encoding.
_SPECIAL = re.compile("|".join(map(re.escape, _ESCAPED)))
_HEAD = r"% needs \usepackage{booktabs,graphicx}" + "\n"
# For what is still wider than the line, one long name for instance: shrunk, never enlarged.
_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"
# What fits a line of LaTeX's article in \small, and what separates two columns, in characters.
_LINE, _BETWEEN = 86, 3
_PAGE, _RULES = 40, 4  # lines of a page; of a panel's heads, rules and distance


def render(tables: Sequence[PaperTable]) -> str:
    """Return the tables in booktabs' style, the notes of each after it."""
    return _HEAD + "\n".join("\n".join(_table(table)) + "\n" for table in tables)


def escaped(text: str) -> str:
    """Return `text` so that LaTeX prints it as it is."""
    return _SPECIAL.sub(lambda match: _ESCAPED[match[0]], " ".join(text.split()))


def _table(table: PaperTable) -> Iterator[str]:
    layout = table.layout
    caption = f"{layout.title}. {layout.paper}: {layout.source}. Claimed / measured / verdict."
    for number, panels in enumerate(_pages(table)):
        yield r"\begin{table}[htbp]"
        yield r"\centering\small"
        if number:
            # The same table goes on: it keeps its number.
            yield r"\addtocounter{table}{-1}"
            yield rf"\caption{{{escaped(layout.title)} (continued).}}"
        else:
            yield rf"\caption{{{escaped(caption)}}}"
            # A label is read, never printed; an underscore in it needs no escape.
            yield rf"\label{{tab:{layout.name}}}"
        for place, columns in enumerate(panels):
            if place:
                yield r"\par\medskip"
            yield from _panel(table, columns)
        yield r"\end{table}"
    yield from _notes(table)


def _pages(table: PaperTable) -> list[list[range]]:
    """Return the panels, several to a page, as a float cannot go over a page's end."""
    lines = len(table.rows) + len({row.section for row in table.rows}) + _RULES
    together = max(_PAGE // lines, 1)
    panels = _panels(table)
    return [panels[begin : begin + together] for begin in range(0, len(panels), together)]


def _panels(table: PaperTable) -> list[range]:
    """Return which columns stand beside each other: as many as fit, the rest below.

    Seventeen columns shrunk to one line cannot be read.
    """
    stub = sum(
        _BETWEEN + max(len(head), *(len(row.labels[at]) for row in table.rows))
        for at, head in enumerate(table.stub)
    )
    panels, begin, used = [], 0, stub
    for at, column in enumerate(table.columns):
        cells = [len(row.cells[at].text) + len(row.cells[at].marks) for row in table.rows]
        width = _BETWEEN + max(len(column.head), *cells)
        if at > begin and used + width > _LINE:
            panels.append(range(begin, at))
            begin, used = at, stub
        used += width
    return [*panels, range(begin, len(table.columns))]


def _panel(table: PaperTable, columns: range) -> Iterator[str]:
    yield _FIT
    yield rf"\begin{{tabular}}{{{'l' * len(table.stub)}{'c' * len(columns)}}}"
    yield r"\toprule"
    yield from _heads(table, columns)
    yield r"\midrule"
    yield from _rows(table, columns)
    yield r"\bottomrule"
    yield r"\end{tabular}}"


def _heads(table: PaperTable, columns: range) -> Iterator[str]:
    if any(table.columns[at].group for at in columns):
        cells, rules, place = [""] * len(table.stub), [], len(table.stub) + 1
        for group, width in _spans(table, columns):
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(group)}}}" if group else "")
            if group:
                rules.append(rf"\cmidrule(lr){{{place}-{place + width - 1}}}")
            place += width
        yield _line(cells)
        yield " ".join(rules)
    yield _line(map(escaped, (*table.stub, *(table.columns[at].head for at in columns))))


def _spans(table: PaperTable, columns: range) -> Iterator[tuple[str, int]]:
    """Yield (group, columns) of neighbours in one group; a column of none stands alone."""
    spans: list[tuple[str, int]] = []
    for at in columns:
        group = table.columns[at].group
        if spans and group and spans[-1][0] == group:
            spans[-1] = (group, spans[-1][1] + 1)
        else:
            spans.append((group, 1))
    yield from spans


def _rows(table: PaperTable, columns: range) -> Iterator[str]:
    section, width = "", len(table.stub) + len(columns)
    for number, row in enumerate(table.rows):
        if row.section != section:
            section = row.section
            if number:
                yield r"\midrule"
            yield rf"\multicolumn{{{width}}}{{l}}{{\emph{{{escaped(section)}}}}} \\"
        yield _line((*map(escaped, row.labels), *(_cell(row.cells[at]) for at in columns)))


def _cell(cell: TableCell) -> str:
    # A hyphen is no dash in print.
    parts = ["--" if part == DASH else escaped(part) for part in cell.text.split(" / ")]
    marks = rf"\textsuperscript{{{','.join(cell.marks)}}}" if cell.marks else ""
    return " / ".join(parts) + marks


def _line(cells: Iterable[str]) -> str:
    return " & ".join(cells) + r" \\"


def _notes(table: PaperTable) -> Iterator[str]:
    """Yield the notes: text after the table, which may break over pages as no float can."""
    if not table.notes:
        return
    yield r"{\footnotesize\raggedright\setlength{\parindent}{0pt}"
    yield rf"Table~\ref{{tab:{table.name}}}:\par"
    for note in table.notes:
        mark = rf"\textsuperscript{{{note.mark}}} " if note.mark else ""
        # Paths and addresses are longer than a line.
        yield mark + escaped(note.text).replace("/", r"/\allowbreak{}") + r"\par"
    yield r"}"


FORMAT = TableFormat(suffix=".tex", render=render)
