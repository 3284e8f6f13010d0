"""Linear evaluation by SGD on augmented images, ReLICv2's released values."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..evaluator import Evaluator, Measurement
from ..linear_training import measure
from ..sgd_protocol import SgdProtocol
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class LinearSgdProtocol(SgdProtocol):
    """100 epochs at a global batch of 1,024, Nesterov momentum 0.9, base rate 0.3 per 256
    images, cosine decay to zero over the steps without warm-up, no weight decay, random crop
    and flip, every training image.

    google-deepmind/relicv2, configs/eval.py, main_loop.py and utils/dataset.py, for ReLICv2
    (arXiv:2201.05119); the paper's own text of this protocol was not at hand. The code
    draws 10,000 images for validation and does not use them, so nothing is chosen. Its crops
    are shrunk without a widening kernel, ours with one (see `augment.CropAndFlip`).
    """

    name = "linear_sgd"


def run(subject: Subject, protocol: LinearSgdProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 on the scored split (and mean per class where that is the metric)."""
    yield from measure(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=LinearSgdProtocol(),
    source="google-deepmind/relicv2, configs/eval.py, for ReLICv2 (arXiv:2201.05119)",
    splits=("train", "test"),
    stochastic=True,
)
