"""Transfer by a linear classifier on frozen features, by L-BFGS with a swept penalty."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...checkpoints.errors import UsageError
from ...checkpoints.progress import track
from ...checkpoints.spec import Interpolation
from ..evaluator import Evaluator, Measurement, Protocol
from ..one_vs_rest import fit_one_vs_rest
from ..probes import Probe, fit_logistic, standardisation
from ..subject import Subject
from ..transfer_task import TransferTask, transfer_task
from ..view import View


@dataclass(frozen=True, kw_only=True)
class TransferLinearProtocol(Protocol):
    """Multinomial logistic regression on features of unaugmented images, penalty swept.

    Kornblith et al. (arXiv:1805.08974), App. A.5; SimCLR (arXiv:2002.05709), App. B.8; BYOL
    (arXiv:2006.07733), App. D.2: L-BFGS, the l2 penalty chosen among 45 log-spaced values in
    [1e-6, 1e5] on the data set's validation images, refitted on training and validation
    images, scored once on the test images by the data set's own metric. VOC2007 has one
    binary regression for each class and 11-point mAP. Features as they are: no
    standardising.

    Images have their shorter side resized with bicubic to the network's input side (224 in
    the papers) and that square cut from the centre. SimCLR states the cut; BYOL's text stops
    at the resizing, and a network of fixed pooling would take what is left over, so the cut
    is taken for both. The papers do not say what the penalty is of: here of the summed
    cross-entropy, the convention of solvers for C = 1 / penalty; `penalty_of` "mean"
    multiplies it by the number of images.
    """

    name = "transfer_linear_lbfgs"

    penalties: int = 45  # values, log-spaced, both ends included
    smallest_penalty: float = 1e-6
    largest_penalty: float = 1e5
    penalty_of: str = "sum"  # of the cross-entropy over images: sum or mean
    standardise: bool = False  # every feature to mean 0, deviation 1 over the fitted images
    shorter_side_px: int = 0  # that images are resized to; 0: the network's input side
    interpolation: Interpolation = "bicubic"
    held_out_seed: int = 0  # where the data set has no validation images of its own
    max_iterations: int = 1000  # of L-BFGS, for each penalty

    def grid(self) -> np.ndarray:
        """Return the penalties, smallest first."""
        ends = np.log10(self.smallest_penalty), np.log10(self.largest_penalty)
        return np.logspace(*ends, self.penalties)


def transfer_view(subject: Subject, shorter_side_px: int, interpolation: Interpolation) -> View:
    """Return how the papers show an image; raw pixels are shown as they are."""
    view = subject.default_view("test")
    own = view.preprocessing
    if own is None:
        return view
    shown = replace(own, resize=shorter_side_px or own.image_size, interpolation=interpolation)
    return replace(view, preprocessing=shown)


def run(subject: Subject, protocol: TransferLinearProtocol, seed: int) -> Iterator[Measurement]:
    """Yield the data set's own metric on the test images, with top-1 where it is another."""
    _check(protocol)
    task = transfer_task(subject, protocol.held_out_seed)
    view = transfer_view(subject, protocol.shorter_side_px, protocol.interpolation)
    features, _ = subject.features("train", view)
    penalty, said = _choose(task, features, protocol)
    scale = standardisation(features, protocol.standardise)
    probe = _fit(task, scale(features), task.truth(task.train), penalty, protocol, None)
    if not probe.converged:
        said += ("the final L-BFGS stopped at its iteration limit",)
    logits = probe.logits(scale(subject.features("test", view)[0]))
    yield from task.measure(logits, said)


def _choose(
    task: TransferTask, features: np.ndarray, protocol: TransferLinearProtocol
) -> tuple[float, tuple[str, ...]]:
    """Return the best penalty on the held-out images, ties to the stronger, and how it won."""
    kept, held = task.division.kept, task.division.held
    truth = task.truth(task.train)
    scale = standardisation(features[kept], protocol.standardise)
    fitted, checked = scale(features[kept]), scale(features[held])
    best, chosen, probe, unfinished = -1.0, 0.0, None, 0
    grid = protocol.grid()
    for penalty in track(list(grid[::-1]), "choosing the penalty"):
        # From strong to weak: each solution is a good start for the next.
        probe = _fit(task, fitted, truth[kept], penalty, protocol, probe)
        unfinished += not probe.converged
        score = task.score(probe.logits(checked), truth[held])
        if score > best:
            best, chosen = score, float(penalty)
    said = [
        f"penalty {chosen:.3g} of {len(grid)}, {task.metric} {best:.2f} % on "
        f"{task.division.said}, refitted on all {len(features):,}"
    ]
    if chosen in (grid[0], grid[-1]) and len(grid) > 1:
        said.append("the chosen penalty is at an end of the range")
    if unfinished:
        said.append(f"L-BFGS stopped at its iteration limit for {unfinished} penalties")
    return chosen, tuple(said)


def _fit(
    task: TransferTask,
    features: np.ndarray,
    truth: np.ndarray,
    penalty: float,
    protocol: TransferLinearProtocol,
    start: Probe | None,
) -> Probe:
    # The fits below weigh the penalty against the mean over images.
    weight = penalty / len(features) if protocol.penalty_of == "sum" else penalty
    if task.multi_label:
        return fit_one_vs_rest(
            features, truth, weight, max_iterations=protocol.max_iterations, start=start
        )
    return fit_logistic(
        features,
        truth,
        task.classes,
        weight,
        max_iterations=protocol.max_iterations,
        start=start,
    )


def _check(protocol: TransferLinearProtocol) -> None:
    if (
        protocol.penalties < 1
        or not 0 < protocol.smallest_penalty <= protocol.largest_penalty
        or protocol.penalty_of not in ("sum", "mean")
        or protocol.interpolation not in ("bicubic", "bilinear")
        or protocol.shorter_side_px < 0
    ):
        raise UsageError(
            protocol.name,
            f"{protocol.penalties} penalties from {protocol.smallest_penalty:g} to "
            f"{protocol.largest_penalty:g} of the {protocol.penalty_of}, "
            f"{protocol.interpolation} to {protocol.shorter_side_px} px",
            "at least one, above 0, of the sum or the mean, bicubic or bilinear",
        )


EVALUATOR = Evaluator(
    run=run,
    protocol=TransferLinearProtocol(),
    source="BYOL (arXiv:2006.07733), App. D.2; SimCLR (arXiv:2002.05709), App. B.8",
    splits=("train", "test"),
)
