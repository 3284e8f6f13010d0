"""Linear evaluation by SGD on cached features of unaugmented images: cheap, no paper's."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..evaluator import Evaluator, Measurement
from ..linear_training import measure
from ..sgd_protocol import SgdProtocol
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class LinearSgdCachedProtocol(SgdProtocol):
    """ReLICv2's values (see `linear_sgd`) on the features of the images as they are evaluated,
    over a grid of learning rates and decays, chosen on held-out training images.

    No paper reports it: without crops a head sees each image once, and fits it closer. It is
    for machines on which a hundred passes of ImageNet through a network are out of reach.
    Features may be mapped from a file; a batch of them is in memory at a time. The grid is
    ours, around ReLICv2's 0.3 (arXiv:2201.05119).
    """

    name = "linear_sgd_cached"

    base_learning_rates: tuple[float, ...] = (3.0, 1.0, 0.3, 0.1, 0.03)  # per 256 images
    weight_decays: tuple[float, ...] = (0.0, 1e-6)
    augment: bool = False


def run(subject: Subject, protocol: LinearSgdCachedProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 on the scored split (and mean per class where that is the metric)."""
    yield from measure(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=LinearSgdCachedProtocol(),
    source="ours, after google-deepmind/relicv2, for ReLICv2 (arXiv:2201.05119)",
    splits=("train", "test"),
    stochastic=True,
)
