"""Accuracy on shifted images against accuracy on ImageNet: effective robustness.

Taori et al. (arXiv:2007.00644), Sec. 2: a network is effectively robust as far as its
accuracy under shift lies above what standard networks of its ImageNet accuracy reach. The
baseline is a straight line through the standard networks on logit-scaled axes (their
`plotting/plotter.py`: `transform='logit'`, `scipy.stats.linregress` of the transformed
accuracies). Theirs is fitted to the supervised networks among 204; ours to the supervised
ones among the claims shown, so each figure says how many those are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..claim_rules import key
from ..claims import Claim
from ..verdict import Judgement
from .svg import logit, unlogit

# Natural shifts, as Taori et al. call them, and in which order they are shown.
SHIFTS = {
    "imagenetv2_matched_frequency": "ImageNetV2 matched-frequency",
    "imagenetv2_threshold07": "ImageNetV2 threshold-0.7",
    "imagenetv2_top_images": "ImageNetV2 top-images",
    "objectnet": "ObjectNet",
    "imagenet_r": "ImageNet-R",
    "imagenet_a": "ImageNet-A",
    "imagenet_sketch": "ImageNet-Sketch",
}
FEWEST = 3  # networks that a line is drawn through: two always lie on one
_TASKS = ("linear", "supervised")


@dataclass(frozen=True, kw_only=True)
class Point:
    """One network on one shifted set. Accuracies are top-1 in percent."""

    claim: Claim  # the one about the shifted images
    imagenet: float
    shifted: float
    measured: bool  # the shifted accuracy is ours; False: only claimed
    standard: bool  # a supervised network: it makes the baseline


@dataclass(frozen=True, kw_only=True)
class Line:
    """The baseline: logit(shifted) = slope * logit(imagenet) + intercept."""

    slope: float
    intercept: float
    networks: int

    def __call__(self, imagenet: float) -> float:
        """Return the accuracy under shift expected of a standard network, in percent."""
        return unlogit(self.slope * logit(imagenet) + self.intercept)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """One shifted set."""

    data: str
    title: str
    points: tuple[Point, ...]
    line: Line | None  # None: fewer than `FEWEST` supervised networks
    left_out: tuple[Claim, ...]  # of 0 or 100 %, which a logit axis has no place for

    def effective(self, point: Point) -> float | None:
        """Return effective robustness in points: shifted accuracy above the baseline's."""
        return None if self.line is None else point.shifted - self.line(point.imagenet)


def panels(judgements: Iterable[Judgement]) -> list[Panel]:
    """Return one panel per shifted set with a network whose ImageNet accuracy is known too.

    Both accuracies come from one source about one network (its paper, method and
    architecture); a claim that nobody re-read is left out. Where a network was counted
    twice (ImageNetV2 in two packings), the measured one stands for it.
    """
    known = [j for j in judgements if not j.claim.recalled and j.claim.metric == "top1"]
    imagenet = _imagenet(known)
    found: dict[str, dict[tuple[str, ...], tuple[Claim, float, bool]]] = defaultdict(dict)
    for judgement in sorted(known, key=lambda j: (j.measured is not None, j.claim.id)):
        claim = judgement.claim
        if claim.data in SHIFTS and _network(claim) in imagenet:
            measured = judgement.measured
            value = claim.number if measured is None else measured
            found[claim.data][_network(claim)] = (claim, value, measured is not None)
    return [panel for data in SHIFTS if (panel := _panel(data, found[data], imagenet)).points]


def fit(points: Sequence[tuple[float, float]]) -> Line:
    """Return the least-squares line through (ImageNet, shifted) percents, in logits."""
    pairs = [(logit(x), logit(y)) for x, y in points]
    mean_x = sum(x for x, _ in pairs) / len(pairs)
    mean_y = sum(y for _, y in pairs) / len(pairs)
    spread = sum((x - mean_x) ** 2 for x, _ in pairs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / spread
    return Line(slope=slope, intercept=mean_y - slope * mean_x, networks=len(pairs))


def _panel(
    data: str,
    found: dict[tuple[str, ...], tuple[Claim, float, bool]],
    imagenet: dict[tuple[str, ...], float],
) -> Panel:
    points, left_out = [], []
    for network, (claim, shifted, measured) in sorted(found.items()):
        if not (0 < shifted < 100 and 0 < imagenet[network] < 100):
            left_out.append(claim)
            continue
        standard = claim.method.startswith("Supervised")
        points.append(
            Point(
                claim=claim,
                imagenet=imagenet[network],
                shifted=shifted,
                measured=measured,
                standard=standard,
            )
        )
    standard_points = {(p.imagenet, p.shifted) for p in points if p.standard}
    line = fit(sorted(standard_points)) if len({x for x, _ in standard_points}) >= FEWEST else None
    return Panel(
        data=data,
        title=SHIFTS[data],
        points=tuple(points),
        line=line,
        left_out=tuple(left_out),
    )


def _imagenet(judgements: Sequence[Judgement]) -> dict[tuple[str, ...], float]:
    """Return each network's ImageNet accuracy: measured where it was, else as claimed."""
    found = {}
    for judgement in sorted(judgements, key=lambda j: (j.measured is not None, j.claim.id)):
        claim = judgement.claim
        if claim.data == "imagenet" and claim.task in _TASKS and claim.dataset == "ImageNet":
            value = claim.number if judgement.measured is None else judgement.measured
            found[_network(claim)] = value
    return found


def _network(claim: Claim) -> tuple[str, ...]:
    return claim.paper, key(claim.method), key(claim.architecture)
