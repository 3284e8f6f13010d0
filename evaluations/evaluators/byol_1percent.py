"""Fine-tuning on 1 % of ImageNet's labels by BYOL's recipe."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..augment import Sampling
from ..evaluator import Evaluator, Measurement
from ..few_labels import FewLabelsProtocol, measure_few_labels
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class ByolOnePercentProtocol(FewLabelsProtocol):
    """BYOL's semi-supervised evaluation on 1 % of the labels.

    BYOL (arXiv:2006.07733), App. C.1: batches of 1,024, Nesterov momentum 0.9, no weight decay
    nor other regularisation; five learning rates and 30 or 50 epochs, chosen on a validation set
    of 10,009 other training images (see `FewLabelsProtocol`). The paper does not say whether its
    rates are per 256 images; they are here, as its code's are. The lists are SimCLR's.
    """

    name = "semi_supervised_byol_1percent"

    label_list: str = "simclr_imagenet_1percent"
    epochs: tuple[int, ...] = (30, 50)  # over the labelled images
    base_learning_rates: tuple[float, ...] = (0.01, 0.02, 0.05, 0.1, 0.005)  # per 256 images
    batch_size: int = 1024  # images
    sampling: Sampling = "clipped"  # as its released code draws crops


def run(subject: Subject, protocol: ByolOnePercentProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 and top-5 on the scored split."""
    yield from measure_few_labels(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=ByolOnePercentProtocol(),
    source="BYOL (arXiv:2006.07733), App. C.1",
    splits=("train", "test"),
    stochastic=True,
)
