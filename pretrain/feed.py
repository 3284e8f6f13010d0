"""What a run needs of its images: batches in the order that (seed, epoch, step) alone decide."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from .config import PretrainConfig
from .method import Method
from .state import Tree

if TYPE_CHECKING:
    from jax import Array


class Feed(Protocol):
    """The batches of a run, and how the compiled step makes views of one.

    A batch crosses to the device as little as possible: indices, where the images lie there
    already, or uint8 crops.
    """

    @property
    def images(self) -> int:
        """Images of an epoch."""

    @property
    def classes(self) -> int:
        """One more than the largest label."""

    @property
    def fingerprint(self) -> str:
        """SHA-256 over what the images and labels are."""

    def on_device(self) -> Tree:
        """Return the arrays that every step reads, put on the device once; {} if none."""

    def batches(self, first: int, stop: int) -> Iterator[Tree]:
        """Yield the NumPy arrays of the steps from `first` to before `stop`, one tree a step.

        Every array has the rows of the global batch that belong to this process.
        """

    def views(
        self, key: "Array", kept: Tree, batch: Tree, config: PretrainConfig, method: Method
    ) -> tuple[list["Array"], "Array"]:
        """Return (views, labels); traced into the step.

        Views: large ones first, each [batch, side, side, 3] floats, normalised; labels:
        [batch] int32. `kept` is `on_device()`, `batch` one tree of `batches`.
        """
