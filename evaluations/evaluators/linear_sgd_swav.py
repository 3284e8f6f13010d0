"""Linear evaluation by SGD on augmented images, as SwAV's code has it."""

from collections.abc import Iterator
from dataclasses import dataclass

from ..evaluator import Evaluator, Measurement
from ..linear_training import measure
from ..sgd_protocol import SgdProtocol
from ..subject import Subject


@dataclass(frozen=True, kw_only=True)
class LinearSgdSwavProtocol(SgdProtocol):
    """100 epochs at 32 images for each of 8 devices, momentum 0.9 without Nesterov, learning
    rate 0.3 as it stands, weight decay 1e-6, cosine decay between epochs, random crop and
    flip as torchvision draws them, bilinear.

    facebookresearch/swav, eval_linear.py, for SwAV (arXiv:2006.09882). That the rate goes with
    8 devices, a global batch of 256, is recalled of its README, not re-read. The code
    reports the best epoch on the validation images that are then the result: measured under
    the condition `selected_on_test` and flagged. The plain measurement is the last epoch's.
    Its heads begin at random weights of deviation 0.01, ours at zero; its channel deviations
    are (0.228, 0.224, 0.225), ours the checkpoint's.
    """

    name = "linear_sgd_swav"

    batch_size: int = 256  # images, global
    weight_decays: tuple[float, ...] = (1e-6,)
    nesterov: bool = False
    schedule: str = "cosine_by_epoch"
    scale_rate: bool = False
    crop: str = "torchvision"
    interpolation: str = "bilinear"
    select_on_test: bool = True


def run(subject: Subject, protocol: LinearSgdSwavProtocol, seed: int) -> Iterator[Measurement]:
    """Yield top-1 on the scored split (and mean per class where that is the metric)."""
    yield from measure(subject, protocol, seed)


EVALUATOR = Evaluator(
    run=run,
    protocol=LinearSgdSwavProtocol(),
    source="facebookresearch/swav, eval_linear.py, for SwAV (arXiv:2006.09882)",
    splits=("train", "test"),
    stochastic=True,
)
