"""The figure that is shown outside the page: accuracy by method, as a file.

Drawn by matplotlib without pyplot, so there is no window system and no global state;
the same comparison gives the same bytes.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from .compare import Comparison, Row
from .comparison_tables import row_names
from .paired import Estimate

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), "Color Universal Design": told apart by every kind of colour vision.
# Their yellow is left out: it vanishes on white.
_PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
# Colour is never the only difference.
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_INK = "#010203"  # text and axes
_REFERENCE_COLOUR = "#808080"  # legible on white and on black
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "relicheck",
    # Glyphs as outlines: no font of the reader's machine, no request for one.
    "svg.fonttype": "path",
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": 11,
    "text.parse_math": False,  # a name is text, whatever it holds
    "text.color": _INK,
    "axes.edgecolor": _INK,
    "axes.labelcolor": _INK,
    "axes.titlecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "axes.axisbelow": True,
    "grid.color": _REFERENCE_COLOUR,
    "grid.alpha": 0.3,
}
_PANEL_INCHES = 4.6  # width: at 360 px of page its letters are still about 10 px high


def accuracy_figure(comparison: Comparison, columns: Sequence[int] | None = None) -> "Figure":
    """Return accuracy by method with 95 % intervals, one panel per measurement.

    The last rows are the references; a dashed line marks the baseline in every panel.
    Panels have their own axis, which need not begin at 0: points with intervals, not
    bars, are compared.

    Args:
        comparison: at least one cell with a number.
        columns: indices of the comparison's columns to draw; None: all with a number.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    shown = filled_columns(comparison) if columns is None else list(columns)
    across = min(2, len(shown))
    down = -(-len(shown) // across)
    with _drawing():
        figure = _figure(across * _PANEL_INCHES, down * (0.9 + 0.36 * len(comparison.rows)))
        grid = figure.subplots(down, across, sharey=True, squeeze=False).ravel()
        for axes, index in zip(grid, shown, strict=False):
            _panel(axes, comparison, index)
        for axes in grid[len(shown) :]:
            axes.set_visible(False)
    return figure


def filled_columns(comparison: Comparison) -> list[int]:
    """Return the indices of the columns in which some row has a number."""
    return [
        index
        for index in range(len(comparison.columns))
        if any(isinstance(row.cells[index], Estimate) for row in comparison.rows)
    ]


def svg_bytes(figure: "Figure") -> bytes:
    """Return the figure as a file on white, without date or version."""
    return _save(figure, "svg", "white")


def png_bytes(figure: "Figure") -> bytes:
    """Return the figure as a file on white, 150 dots per inch."""
    return _save(figure, "png", "white")


def _panel(axes: "Axes", comparison: Comparison, index: int) -> None:
    names = row_names(comparison)
    for place, row in enumerate(comparison.rows):
        cell = row.cells[index]
        if not isinstance(cell, Estimate):
            continue
        colour, marker = _look(row, place)
        axes.errorbar(
            cell.value,
            place,
            xerr=cell.half_width or 0.0,
            color=colour,
            marker=marker,
            markersize=7,
            capsize=3,
            linewidth=1.8,
        )
        if row.is_baseline:
            axes.axvline(cell.value, color=_REFERENCE_COLOUR, linestyle="--", linewidth=1)
    axes.set_title(comparison.columns[index].title, fontsize=11, loc="left")
    axes.set_xlabel("top-1 accuracy (%)")
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _look(row: Row, place: int) -> tuple[str, str]:
    if not row.is_method:
        return _REFERENCE_COLOUR, "x" if row.is_baseline else "*"
    return _PALETTE[place % len(_PALETTE)], _MARKERS[place % len(_MARKERS)]


@contextmanager
def _drawing() -> Iterator[None]:
    import matplotlib

    with matplotlib.rc_context():
        # The reader's own matplotlibrc must not change the report.
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def _figure(width_inches: float, height_inches: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width_inches, height_inches), layout="constrained")


def _save(figure: "Figure", image_format: str, background: str) -> bytes:
    stream = io.BytesIO()
    metadata = {"Date": None, "Creator": None} if image_format == "svg" else {"Software": None}
    with _drawing():
        figure.savefig(
            stream, format=image_format, dpi=150, facecolor=background, metadata=metadata
        )
    return stream.getvalue()
