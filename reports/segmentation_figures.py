"""Figures of segmentation: pictures beside truth and prediction, and IoU class by class.

Drawn as `figures` draws: without pyplot, and the same arrays give the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from ..evaluations.segmentation.masks import IGNORE, Colour
from .figures import _INK, _PALETTE, _drawing, _figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

_COLUMN_INCHES, _LEGEND_INCHES = 2.2, 0.24
_TITLE_LETTERS = 28  # that fit above a panel
_UNSCORED: Colour = (255, 255, 255)
# Lightness tells the three apart, so that no colour vision is needed.
_RIGHT: Colour = (214, 226, 236)
_WRONG: Colour = (179, 56, 0)
_MOST_LEGEND_CLASSES = 25  # more would be a page of names
_LONGEST_SIDE_PX = 480


@dataclass(frozen=True, kw_only=True, eq=False)
class Compared:
    """One image with its truth and what each model predicted for it."""

    name: str
    image: np.ndarray  # [H, W, 3] uint8
    truth: np.ndarray  # [H, W] uint8, classes or 255
    predictions: Sequence[np.ndarray]  # of each model, [H, W] uint8


@dataclass(frozen=True, kw_only=True, eq=False)
class ClassScores:
    """One model's IoU by class, in percent."""

    name: str
    iou: np.ndarray  # [classes] float64, NaN where a class occurs nowhere
    intervals: np.ndarray  # [classes, 2] float64
    mean: float
    mean_interval: tuple[float, float]


def gallery_figure(
    pictures: Sequence[Compared],
    models: Sequence[str],
    class_names: Sequence[str],
    palette: Sequence[Colour],
) -> "Figure":
    """Return a picture with a row for each image: image, truth, then each model's prediction.

    Beside each prediction stands where it is wrong: the data set's colours are its own, and
    not every eye tells them apart. White is what has no class and is not scored.

    Args:
        pictures: at least one.
        models: names of the models, in the order of the predictions.
        class_names: the classes.
        palette: a colour for each.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    titles = ["image", "truth"]
    for model in models:
        titles += [model, f"{model}\nwrong pixels"]
    shape = pictures[0].truth.shape
    row_inches = _COLUMN_INCHES * shape[0] / shape[1] + 0.06
    with _drawing():
        entries = _legend(class_names, palette)
        columns = len(titles) + 1
        below = _LEGEND_INCHES * -(-len(entries) // columns) + 0.3
        width = _COLUMN_INCHES * len(titles)
        figure = _figure(width, row_inches * len(pictures) + 0.45 + below)
        grid = figure.subplots(len(pictures), len(titles), squeeze=False)
        for row, picture in zip(grid, pictures, strict=True):
            for axes, pixels in zip(row, _panels(picture, palette), strict=True):
                _show(axes, pixels)
            row[0].set_ylabel(picture.name, fontsize=7.5)
        for axes, title in zip(grid[0], titles, strict=True):
            # A long name of one panel would run into the next one's.
            lines = [part for line in title.split("\n") for part in wrap(line, _TITLE_LETTERS)]
            axes.set_title("\n".join(lines), fontsize=9)
        figure.legend(
            handles=entries, loc="outside lower center", ncols=columns, frameon=False, fontsize=8
        )
    return figure


def class_figure(models: Sequence[ClassScores], class_names: Sequence[str]) -> "Figure":
    """Return IoU by class as bars with 95 % intervals over images, the mean on top.

    Bars of one class stand together in the order of the legend; a class that occurs nowhere
    has none.

    Args:
        models: at least one.
        class_names: the classes.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
    """
    names = ["mean (mIoU)", *class_names]
    height = 0.8 / len(models)
    with _drawing():
        figure = _figure(7.0, 1.2 + len(names) * max(0.3, 0.16 * len(models)))
        axes = figure.subplots()
        for place, model in enumerate(models):
            values = np.concatenate([[model.mean], model.iou])
            low, high = np.vstack([model.mean_interval, model.intervals]).T
            at = np.arange(len(names)) + (place - (len(models) - 1) / 2) * height
            axes.barh(
                at,
                np.nan_to_num(values),
                height=0.92 * height,
                color=_PALETTE[place % len(_PALETTE)],
                # Beyond six models colours come again: hatching tells them apart.
                hatch="" if place < len(_PALETTE) else "////",
                label=model.name,
            )
            there = ~np.isnan(values)
            errors = np.clip([values - low, high - values], 0, None)[:, there]
            axes.errorbar(
                values[there], at[there], xerr=errors, fmt="none", ecolor=_INK, elinewidth=1,
                capsize=1.5,
            )  # fmt: skip
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.axhline(0.5, color=_INK, linewidth=0.8)
        axes.set_xlim(0, None)
        axes.set_xlabel("intersection over union (%), 95 % interval over images")
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=10)
    return figure


def coloured(mask: np.ndarray, palette: Sequence[Colour]) -> np.ndarray:
    """Return a mask [H, W] uint8 in its classes' colours, [H, W, 3] uint8; 255 is white."""
    table = np.full((256, 3), _UNSCORED, dtype=np.uint8)
    table[: len(palette)] = palette
    return np.asarray(table[mask])


def wrong_pixels(truth: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return [H, W, 3] uint8: dark where wrong, pale where right, white where not scored."""
    shown = np.full((*truth.shape, 3), _RIGHT, dtype=np.uint8)
    shown[truth != predicted] = _WRONG
    shown[truth == IGNORE] = _UNSCORED
    return shown


def _panels(picture: Compared, palette: Sequence[Colour]) -> list[np.ndarray]:
    panels = [picture.image, coloured(picture.truth, palette)]
    for predicted in picture.predictions:
        panels += [coloured(predicted, palette), wrong_pixels(picture.truth, predicted)]
    return panels


def _show(axes: "Axes", pixels: np.ndarray) -> None:
    # Every n-th pixel: interpolated classes are none, and a large image no larger figure.
    step = -(-max(pixels.shape[:2]) // _LONGEST_SIDE_PX)
    axes.imshow(pixels[::step, ::step], interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_linewidth(0.5)


def _legend(class_names: Sequence[str], palette: Sequence[Colour]) -> list["Patch"]:
    from matplotlib.patches import Patch

    shown = list(zip(class_names, palette, strict=True))
    if len(shown) > _MOST_LEGEND_CLASSES:
        shown = []
    pairs = [*shown, ("not scored", _UNSCORED), ("right", _RIGHT), ("wrong", _WRONG)]
    return [
        Patch(facecolor=f"#{r:02x}{g:02x}{b:02x}", edgecolor=_INK, linewidth=0.5, label=name)
        for name, (r, g, b) in pairs
    ]
