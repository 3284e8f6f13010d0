"""A comparison as plain text, Markdown and CSV, and in sentences."""

from collections.abc import Callable, Sequence

from .columns import Column
from .compare import Cell, Comparison, Missing, Row
from .layout import csv_table, markdown_table, markdown_text, text_table
from .paired import Estimate

TableLayout = Callable[[Sequence[str], Sequence[Sequence[str]]], str]

CSV_HEADER = (
    "dataset", "split", "method", "architecture", "column", "evaluator", "protocol", "images",
    "answers_per_image", "top1_percent", "half_width_95", "difference_points",
    "difference_half_width_95", "reason", "difference_reason",
)  # fmt: skip


def comparison_text(comparison: Comparison) -> str:
    """Return both tables, what is missing and the sentences, for a terminal."""
    return _document(comparison, text_table, lambda line: f"  {line}\n")


def comparison_markdown(comparison: Comparison) -> str:
    """Return both tables, what is missing and the sentences, in Markdown."""
    return _document(comparison, markdown_table, lambda line: f"- {markdown_text(line)}\n")


def comparison_csv(comparisons: Sequence[Comparison]) -> str:
    """Return one line per cell of every comparison; an empty number has its reason beside it."""
    return csv_table(CSV_HEADER, [line for c in comparisons for line in _csv_lines(c)])


def value_rows(comparison: Comparison) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows of the accuracies, `96.4 ± 1.4` in percent; empty: missing."""
    header = ("Method", *(column.title for column in comparison.columns))
    return header, [
        (name, *map(cell_text, row.cells))
        for name, row in zip(row_names(comparison), comparison.rows, strict=True)
    ]


def difference_rows(comparison: Comparison) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return header and rows of the differences from the baseline, `+12.3 ± 2.1` in points."""
    header = (f"Minus {comparison.baseline}", *(column.title for column in comparison.columns))
    return header, [
        (name, *(cell_text(cell, signed=True) for cell in row.differences))
        for name, row in zip(row_names(comparison), comparison.rows, strict=True)
        if not row.is_baseline
    ]


def row_names(comparison: Comparison) -> list[str]:
    """Return a name for each row: the method, with its architecture where the method recurs."""
    methods = [row.method for row in comparison.rows]
    return [
        row.method if methods.count(row.method) == 1 else f"{row.method} ({row.architecture})"
        for row in comparison.rows
    ]


def cell_text(cell: Cell, signed: bool = False) -> str:
    """Return `96.4 ± 1.4`; "" for a missing cell, whose reason stands below the table."""
    if isinstance(cell, Missing):
        return ""
    # 10,000 images know an accuracy to about half a point: a second decimal says something.
    decimals = 2 if cell.images >= 10_000 else 1
    sign = "+" if signed else ""
    half = cell.half_width
    spread = "" if half is None else f" ± {half:.{decimals}f}"
    return f"{cell.value:{sign}.{decimals}f}{spread}"


def missing_lines(comparison: Comparison) -> list[str]:
    """Return one line per missing cell: which, and why; one for a row with no difference."""
    lines = []
    for name, row in zip(row_names(comparison), comparison.rows, strict=True):
        reasons = {}
        for column, cell, difference in _columns(comparison, row):
            if isinstance(cell, Missing):
                lines.append(f"{name}, {column.title}: {cell.reason}")
            elif isinstance(difference, Missing) and not row.is_baseline:
                reasons[column.title] = difference.reason
        what = f"difference from {comparison.baseline}"
        if len(set(reasons.values())) == 1:
            lines.append(f"{name}, {what}: {next(iter(reasons.values()))}")
        else:
            lines += [f"{name}, {title}, {what}: {reason}" for title, reason in reasons.items()]
    return lines


def beats_sentence(comparison: Comparison, row: Row) -> str:
    """Return whether `row` beats the baseline by more than the interval, and the figures."""
    figures = (
        f"{column.title} "
        + (cell.reason if isinstance(cell, Missing) else cell_text(cell, signed=True))
        for column, cell in comparison.decisive(row)
    )
    answer = "yes" if comparison.beats(row) else "no"
    return (
        f"{row.method} beats the {comparison.baseline} backbone by more than the interval: "
        f"{answer} ({'; '.join(figures)})"
    )


def sentences(comparison: Comparison) -> list[str]:
    """Return `beats_sentence` for every method."""
    return [beats_sentence(comparison, row) for row in comparison.rows if row.is_method]


def summary(comparison: Comparison) -> str:
    """Return the result in one sentence."""
    methods = [row for row in comparison.rows if row.is_method]
    if not methods:
        return f"No method was measured on {comparison.dataset} ({comparison.split})."
    winners = [row.method for row in methods if comparison.beats(row)]
    losers = [row.method for row in methods if not comparison.beats(row)]
    where = f"on {comparison.dataset} ({comparison.split})"
    rival = f"the {comparison.baseline} backbone of the same network"
    what = "in linear and low-label accuracy by more than the 95 % interval"
    if not losers:
        who = "Every method beats" if len(methods) > 1 else f"{methods[0].method} beats"
        return f"{who} {rival} {where}, {what}."
    beaten = f"{', '.join(winners)} beat{'s' if len(winners) == 1 else ''} {rival} {where}, {what}"
    return (
        f"{beaten}; not so: " if winners else f"Not shown to beat {rival} {where}, {what}: "
    ) + (", ".join(losers) + ".")


def captions(comparison: Comparison) -> tuple[str, str]:
    """Return what the two tables show, one sentence for each."""
    images = sorted(
        {cell.images for row in comparison.rows for cell in row.cells if isinstance(cell, Estimate)}
    )
    where = f"{comparison.dataset} ({comparison.split}, {' or '.join(map(str, images))} images)"
    return (
        f"Top-1 accuracy in percent on {where}, ± half of the 95 % interval over images."
        + _stand_in(comparison),
        f"Difference from {comparison.baseline} in points, paired image by image, "
        "± half of its 95 % interval.",
    )


def _stand_in(comparison: Comparison) -> str:
    tuned = any(
        row.method == "raw_pixels" and column.evaluator == "semi_supervised"
        for row in comparison.rows
        for column, cell, _ in _columns(comparison, row)
        if isinstance(cell, Estimate)
    )
    if not tuned:
        return ""
    return " Pixels cannot be fine-tuned: a logistic regression on the same labels stands in."


def _document(comparison: Comparison, table: TableLayout, line: Callable[[str], str]) -> str:
    values, differences = captions(comparison)
    parts = [
        values + "\n\n" + table(*value_rows(comparison)),
        differences + "\n\n" + table(*difference_rows(comparison)),
    ]
    for title, lines in (
        (f"Against {comparison.baseline}:", sentences(comparison)),
        ("Missing:", missing_lines(comparison)),
    ):
        if lines:
            parts.append(title + "\n\n" + "".join(map(line, lines)))
    return "\n".join(parts)


def _columns(comparison: Comparison, row: Row) -> list[tuple[Column, Cell, Cell]]:
    return list(zip(comparison.columns, row.cells, row.differences, strict=True))


def _csv_lines(comparison: Comparison) -> list[tuple[str, ...]]:
    return [
        (
            comparison.dataset,
            comparison.split,
            row.method,
            row.architecture,
            column.title,
            column.evaluator,
            column.protocol,
            str(cell.images) if isinstance(cell, Estimate) else "",
            str(cell.repeats) if isinstance(cell, Estimate) else "",
            *_numbers(cell),
            *_numbers(difference),
            cell.reason if isinstance(cell, Missing) else "",
            difference.reason if isinstance(difference, Missing) else "",
        )
        for row in comparison.rows
        for column, cell, difference in _columns(comparison, row)
    ]


def _numbers(cell: Cell) -> tuple[str, str]:
    if isinstance(cell, Missing):
        return "", ""
    half = cell.half_width
    return f"{cell.value:.4f}", "" if half is None else f"{half:.4f}"
