r"""LaTeX, one `table` for each; needs `\usepackage{booktabs,graphicx}` and nothing else."""

import re
from collections.abc import Iterator, Sequence

from ..paper_tables import DASH, PaperTable, TableCell, TableRow
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
# Shrunk to the line where it is wider, never enlarged.
_FIT = r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%"


def render(tables: Sequence[PaperTable]) -> str:
    """Return the tables, one below the other, in booktabs' style, notes below each."""
    return _HEAD + "\n".join("\n".join(_table(table)) + "\n" for table in tables)


def escaped(text: str) -> str:
    """Return `text` so that LaTeX prints it as it is."""
    return _SPECIAL.sub(lambda match: _ESCAPED[match[0]], " ".join(text.split()))


def _table(table: PaperTable) -> Iterator[str]:
    layout = table.layout
    yield r"\begin{table}[htbp]"
    yield r"\centering"
    caption = f"{layout.title}. {layout.paper}: {layout.source}. Claimed / measured / verdict."
    yield rf"\caption{{{escaped(caption)}}}"
    # A label is read, never printed; an underscore in it needs no escape.
    yield rf"\label{{tab:{layout.name}}}"
    yield _FIT
    yield rf"\begin{{tabular}}{{{'l' * len(table.stub)}{'c' * len(table.columns)}}}"
    yield r"\toprule"
    yield from _heads(table)
    yield r"\midrule"
    yield from _rows(table)
    yield r"\bottomrule"
    yield r"\end{tabular}}"
    yield from _notes(table)
    yield r"\end{table}"


def _heads(table: PaperTable) -> Iterator[str]:
    if any(column.group for column in table.columns):
        cells, rules, at = [""] * len(table.stub), [], len(table.stub) + 1
        for group, width in _spans(table):
            cells.append(rf"\multicolumn{{{width}}}{{c}}{{{escaped(group)}}}" if group else "")
            if group:
                rules.append(rf"\cmidrule(lr){{{at}-{at + width - 1}}}")
            at += width
        yield _line(cells)
        yield " ".join(rules)
    yield _line(map(escaped, (*table.stub, *(column.head for column in table.columns))))


def _spans(table: PaperTable) -> Iterator[tuple[str, int]]:
    """Yield (group, columns) of neighbours in one group; a column of none stands alone."""
    spans: list[tuple[str, int]] = []
    for column in table.columns:
        if spans and column.group and spans[-1][0] == column.group:
            spans[-1] = (column.group, spans[-1][1] + 1)
        else:
            spans.append((column.group, 1))
    yield from spans


def _rows(table: PaperTable) -> Iterator[str]:
    section, width = "", len(table.stub) + len(table.columns)
    for number, row in enumerate(table.rows):
        if row.section != section:
            section = row.section
            if number:
                yield r"\midrule"
            yield rf"\multicolumn{{{width}}}{{l}}{{\emph{{{escaped(section)}}}}} \\"
        yield _row(row)


def _row(row: TableRow) -> str:
    return _line((*map(escaped, row.labels), *map(_cell, row.cells)))


def _cell(cell: TableCell) -> str:
    # A hyphen is no dash in print.
    parts = ["--" if part == DASH else escaped(part) for part in cell.text.split(" / ")]
    marks = rf"\textsuperscript{{{','.join(cell.marks)}}}" if cell.marks else ""
    return " / ".join(parts) + marks


def _line(cells: "Iterator[str] | Sequence[str] | map[str]") -> str:
    return " & ".join(cells) + r" \\"


def _notes(table: PaperTable) -> Iterator[str]:
    if not table.notes:
        return
    yield ""
    yield r"\medskip"
    yield r"\begin{minipage}{\linewidth}\footnotesize\raggedright"
    for note in table.notes:
        mark = rf"\textsuperscript{{{note.mark}}} " if note.mark else ""
        # Paths and addresses are longer than a line.
        yield mark + escaped(note.text).replace("/", r"/\allowbreak{}") + r"\par"
    yield r"\end{minipage}"


FORMAT = TableFormat(suffix=".tex", render=render)
