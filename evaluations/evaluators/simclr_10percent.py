"""Fine-tuning on 10 % of ImageNet's labels by SimCLR's recipe."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..evaluator import Evaluator, Measurement
from ..few_labels import FewLabelsProtocol, measure_few_labels
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class SimclrTenPercentProtocol(FewLabelsProtocol):
    """SimCLR's semi-supervised evaluation on 10 % of the labels.

    SimCLR (arXiv:2002.05709), App. B.5: everything is fine-tuned, Nesterov momentum 0.9, batches
    of 4,096, learning rate 0.8 (0.05 per 256 images), no warm-up, no weight decay, 30 epochs,
    random crops and flips; tested on the centre 224 of a shorter side of 256. Nothing is
    chosen. Cosine decay is its code's (tf2/model.py); its text does not say.
    """

    name = "semi_supervised_simclr_10percent"

    label_list: str = "simclr_imagenet_10percent"
    epochs: tuple[int, ...] = (30,)  # over the labelled images


def run(subject: Subject, protocol: SimclrTenPercentProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 and top-5 on the scored split."""
    yield from measure_few_labels(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=SimclrTenPercentProtocol(),
    source="SimCLR (arXiv:2002.05709), App. B.5",
    splits=("train", "test"),
    stochastic=True,
)
