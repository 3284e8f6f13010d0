"""Linear evaluation by SGD on augmented images, as SimCLR's paper has it."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..evaluator import Evaluator, Measurement
from ..linear_training import measure
from ..sgd_protocol import SgdProtocol
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class LinearSgdSimclrProtocol(SgdProtocol):
    """90 epochs at a batch of 4,096, Nesterov momentum 0.9, base rate 0.1 per 256 images,
    no decay, random crop and flip, every training image.

    SimCLR (arXiv:2002.05709), App. B.6, which refers to its fine-tuning for the schedule:
    cosine, no warm-up. The README's command of google-research/simclr has weight decay 1e-6
    where the paper has none; the paper's value is the default. Crops are drawn as its code
    draws them, by TensorFlow's sample_distorted_bounding_box with 100 attempts.
    """

    name = "linear_sgd_simclr"

    epochs: int = 90
    batch_size: int = 4096  # images, global
    base_learning_rates: tuple[float, ...] = (0.1,)  # per 256 images
    crop: str = "tensorflow"
    crop_attempts: int = 100


def run(subject: Subject, protocol: LinearSgdSimclrProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 on the scored split (and mean per class where that is the metric)."""
    yield from measure(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=LinearSgdSimclrProtocol(),
    source="SimCLR (arXiv:2002.05709), App. B.6; google-research/simclr, data_util.py",
    splits=("train", "test"),
    stochastic=True,
)
