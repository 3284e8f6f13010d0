"""The contracts of an evaluator: protocol in, measurements out."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ..checkpoints.discovery import Modules

if TYPE_CHECKING:
    from .subject import Subject


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How a number is made. A subclass holds the published values as defaults.

    A number without a protocol does not exist: records carry the name, the version
    and the hash of every field.
    """

    name: ClassVar[str]  # e.g. linear_lbfgs; unique over all evaluators
    version: ClassVar[int] = 1  # raised when the code changes what the fields mean

    @property
    def id(self) -> str:
        """Name and version: `linear_lbfgs/1`."""
        return f"{self.name}/{self.version}"

    @property
    def digest(self) -> str:
        """SHA-256 over the id and every field."""
        text = json.dumps({"id": self.id, **asdict(self)}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def fields(self) -> dict[str, Any]:
        """Return every field by name, as JSON can hold it."""
        return dict(json.loads(json.dumps(asdict(self))))


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One number with what is needed to defend it."""

    metric: str  # top1, top5, mean_per_class, mean_corruption_top1, ...
    value: float  # in `unit`
    images: int  # how many images were scored
    unit: str = "%"
    standard_error: float | None = None  # in `unit`, over images (binomial)
    condition: str = ""  # what was done to the images: "" (nothing), "gaussian_noise/3"
    correct: np.ndarray | None = None  # [images] bool, per image, in the data set's order
    notes: tuple[str, ...] = ()  # what a reader must know: a chosen penalty, say
    # The reading's own protocol, where one pass yields several; None: the evaluator's.
    protocol: Protocol | None = None
    data_images: int | None = None  # that the share is of; None: the images of the whole split
    # What the value is computed from again where `correct` alone does not give it, by name:
    # see `segmentation.kept`. Kept beside the record.
    arrays: Mapping[str, np.ndarray] = field(default_factory=dict)
    predicted_masks: Mapping[int, np.ndarray] | None = None  # of the few images that are shown


@dataclass(frozen=True, kw_only=True)
class Evaluator:
    """One protocol family. `run` yields measurements; it neither prints nor writes."""

    run: Callable[["Subject", Any, int], Iterator[Measurement]]  # (subject, protocol, seed)
    protocol: Protocol  # the published defaults
    source: str
    splits: tuple[str, ...]  # the splits of a data set it reads: ("train", "test")
    stochastic: bool = False  # whether the seed changes the number
    multi_label: bool = False  # whether it scores `targets`: images of several classes
    masks: bool = False  # whether it scores `masks_of` the images, which it then needs


evaluators: Modules[Evaluator] = Modules(
    f"{__package__}.evaluators", "EVALUATOR", Evaluator, "evaluator"
)


def top1(correct: np.ndarray, condition: str = "", notes: tuple[str, ...] = ()) -> Measurement:
    """Return top-1 accuracy in percent from per-image correctness [images] bool.

    The standard error is the binomial one, sqrt(p (1 - p) / n).
    """
    images = int(correct.size)
    fraction = float(np.count_nonzero(correct)) / images
    return Measurement(
        metric="top1",
        value=100 * fraction,
        images=images,
        standard_error=100 * float(np.sqrt(fraction * (1 - fraction) / images)),
        condition=condition,
        correct=np.asarray(correct, dtype=bool),
        notes=notes,
    )
