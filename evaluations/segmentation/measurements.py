"""From confusion matrices to measurements, the same for every way of predicting masks."""

from collections.abc import Iterator, Sequence

import numpy as np

from ...checkpoints.errors import BadData
from ..evaluator import Measurement, Protocol
from .kept import CONFUSIONS
from .scores import bootstrap, class_iou, mean_accuracy, mean_iou, pixel_accuracy

# Above this many classes a note of each one's IoU would be a page.
_NAMED_CLASSES = 25


def measurements(
    confusions: np.ndarray,
    class_names: Sequence[str],
    *,
    condition: str = "",
    notes: tuple[str, ...] = (),
    protocol: Protocol | None = None,
) -> Iterator[Measurement]:
    """Yield mIoU, pixel accuracy and mean class accuracy, in percent.

    mIoU carries the matrices, which a record keeps. Standard errors are of the bootstrap over
    images (2,000 draws, seed 0), whose 95 % interval is among the notes; pixel accuracy's too.
    Mean class accuracy has none.

    Args:
        confusions: [images, classes, classes] int64, of every scored image.
        class_names: the classes.
        condition: as in `Measurement`.
        notes: what else a reader must know.
        protocol: where it is not the evaluator's own.

    Raises:
        BadData: no pixel was scored.
    """
    pooled = confusions.sum(axis=0)
    if not pooled.any():
        raise BadData("masks", f"no pixel of {len(confusions)} images has a class", "scored pixels")
    miou, accuracy = bootstrap(confusions)
    interval = f"95 % interval {100 * miou.low:.2f} to {100 * miou.high:.2f}, bootstrap over images"
    yield Measurement(
        metric="miou",
        value=100 * float(mean_iou(pooled)),
        images=len(confusions),
        standard_error=100 * miou.standard_error,
        condition=condition,
        arrays={CONFUSIONS: confusions},
        notes=(interval, *per_class_notes(pooled, class_names), *notes),
        protocol=protocol,
    )
    yield Measurement(
        metric="pixel_accuracy",
        value=100 * float(pixel_accuracy(pooled)),
        images=len(confusions),
        standard_error=100 * accuracy.standard_error,
        condition=condition,
        notes=notes,
        protocol=protocol,
    )
    yield Measurement(
        metric="mean_class_accuracy",
        value=100 * float(mean_accuracy(pooled)),
        images=len(confusions),
        condition=condition,
        notes=notes,
        protocol=protocol,
    )


def per_class_notes(pooled: np.ndarray, class_names: Sequence[str]) -> tuple[str, ...]:
    """Return what to say of each class's IoU: all of them, or which occur nowhere if many."""
    iou = class_iou(pooled)
    absent = [name for name, value in zip(class_names, iou, strict=True) if np.isnan(value)]
    said = [f"classes that occur neither in truth nor in prediction: {', '.join(absent)}"]
    if len(class_names) > _NAMED_CLASSES:
        return tuple(said if absent else ())
    each = ", ".join(
        f"{name} {100 * value:.1f}"
        for name, value in zip(class_names, iou, strict=True)
        if not np.isnan(value)
    )
    return (f"IoU: {each}", *(said if absent else ()))
