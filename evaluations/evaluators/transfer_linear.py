"""Transfer by a linear classifier on frozen features, by L-BFGS with a swept penalty."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...checkpoints.errors import UsageError
from ...checkpoints.progress import track
from ...checkpoints.spec import Interpolation
from ..evaluator import Evaluator, Measurement, Protocol
from ..logistic import PenaltyOn, Probe, fit_logistic, logistic_path, on_the_mean
from ..one_vs_rest import fit_one_vs_rest
from ..probes import standardisation
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
    is taken for both. The papers do not say what the penalty is added to: here to the summed
    cross-entropy, so that scikit-learn's C is its inverse, as Ericsson et al.
    (arXiv:2011.13377, ssl-transfer/linear.py) read it; `penalty_on` "mean" is the other reading.
    """

    name = "transfer_linear_lbfgs"

    penalties: int = 45  # values, log-spaced, both ends included
    smallest_penalty: float = 1e-6
    largest_penalty: float = 1e5
    penalty_on: PenaltyOn = "sum"  # of the cross-entropy over images, or their mean
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
    """Return how the papers show an image; raw pixels are shown as they are.

    Images that have the size already are shown without resizing: the same pixels, under the
    name that other evaluators have for them, so that their features are made once.
    """
    view = subject.default_view("test")
    own = view.preprocessing
    if own is None:
        return view
    shorter = shorter_side_px or own.image_size
    if subject.dataset is not None and subject.dataset.square_px == shorter:
        return replace(view, preprocessing=replace(own, resize=None))
    shown = replace(own, resize=shorter, interpolation=interpolation)
    return replace(view, preprocessing=shown)


def run(subject: Subject, protocol: TransferLinearProtocol, seed: int) -> Iterator[Measurement]:
    """Yield the data set's own metric on the test images, with top-1 where it is another."""
    _check(protocol)
    task = transfer_task(subject, protocol.held_out_seed)
    view = transfer_view(subject, protocol.shorter_side_px, protocol.interpolation)
    features, _ = subject.features("train", view)
    penalty, said = _choose(task, features, protocol)
    scale = standardisation(features, protocol.standardise)
    probe = _fit(task, scale(features), task.truth(task.train), penalty, protocol)
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
    best, chosen, unfinished = -1.0, 0.0, 0
    grid = protocol.grid()
    path = _path(task, fitted, truth[kept], protocol)
    for penalty, probe in track(path, "choosing the penalty", len(grid)):
        unfinished += not probe.converged
        score = task.score(probe.logits(checked), truth[held])
        if score > best:
            best, chosen = score, penalty
    said = [
        f"penalty {chosen:.3g} of {len(grid)}, {task.metric} {best:.2f} % on "
        f"{task.division.said}, refitted on all {len(features):,}"
    ]
    if chosen in (grid[0], grid[-1]) and len(grid) > 1:
        said.append("the chosen penalty is at an end of the range")
    if unfinished:
        said.append(f"L-BFGS stopped at its iteration limit for {unfinished} penalties")
    return chosen, tuple(said)


def _path(
    task: TransferTask, features: np.ndarray, truth: np.ndarray, protocol: TransferLinearProtocol
) -> Iterator[tuple[float, Probe]]:
    """Yield (penalty, probe) from the strongest to the weakest penalty."""
    grid, limit = protocol.grid(), protocol.max_iterations
    if not task.multi_label:
        yield from logistic_path(
            features,
            truth,
            task.classes,
            [float(penalty) for penalty in grid],
            penalty_on=protocol.penalty_on,
            max_iterations=limit,
        )
        return
    probe = None
    for penalty in grid[::-1]:
        # Each solution is a good start for the next.
        weight = on_the_mean(float(penalty), len(features), protocol.penalty_on)
        probe = fit_one_vs_rest(features, truth, weight, max_iterations=limit, start=probe)
        yield float(penalty), probe


def _fit(
    task: TransferTask,
    features: np.ndarray,
    truth: np.ndarray,
    penalty: float,
    protocol: TransferLinearProtocol,
) -> Probe:
    if task.multi_label:
        weight = on_the_mean(penalty, len(features), protocol.penalty_on)
        return fit_one_vs_rest(features, truth, weight, max_iterations=protocol.max_iterations)
    return fit_logistic(
        features,
        truth,
        task.classes,
        penalty,
        penalty_on=protocol.penalty_on,
        max_iterations=protocol.max_iterations,
    )


def _check(protocol: TransferLinearProtocol) -> None:
    if (
        protocol.penalties < 1
        or not 0 < protocol.smallest_penalty <= protocol.largest_penalty
        or protocol.penalty_on not in ("sum", "mean")
        or protocol.interpolation not in ("bicubic", "bilinear")
        or protocol.shorter_side_px < 0
    ):
        raise UsageError(
            protocol.name,
            f"{protocol.penalties} penalties from {protocol.smallest_penalty:g} to "
            f"{protocol.largest_penalty:g} of the {protocol.penalty_on}, "
            f"{protocol.interpolation} to {protocol.shorter_side_px} px",
            "at least one, above 0, of the sum or the mean, bicubic or bilinear",
        )


EVALUATOR = Evaluator(
    run=run,
    protocol=TransferLinearProtocol(),
    source="BYOL (arXiv:2006.07733), App. D.2; SimCLR (arXiv:2002.05709), App. B.8",
    splits=("train", "test"),
    multi_label=True,
)
