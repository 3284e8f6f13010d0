"""Linear probes on frozen features: which images are held out, and the penalty they choose.

`logistic` has the fits themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..checkpoints.errors import BadData
from ..checkpoints.progress import track
from .logistic import PenaltyOn, Probe, fit_logistic, logistic_path


@dataclass(frozen=True, kw_only=True)
class Standardisation:
    """Per-feature shift and scale, from training features."""

    mean: np.ndarray  # [D] float32
    scale: np.ndarray  # [D] float32, never 0

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Return `(features - mean) / scale` as float32."""
        return np.asarray((features - self.mean) / self.scale, dtype=np.float32)


def standardisation(features: np.ndarray, enabled: bool = True) -> Standardisation:
    """Return mean 0 and deviation 1 per feature, or the identity; constants keep scale 1."""
    dim = features.shape[1]
    if not enabled:
        zeros, ones = np.zeros(dim, np.float32), np.ones(dim, np.float32)
        return Standardisation(mean=zeros, scale=ones)
    mean = features.mean(axis=0, dtype=np.float64)
    deviation = features.std(axis=0, dtype=np.float64)
    # A feature that hardly moves is noise: dividing by its deviation would make it loud.
    flat = deviation < 1e-6 * max(float(deviation.max(initial=0.0)), 1e-12)
    scale = np.where(flat, 1.0, deviation)
    return Standardisation(mean=mean.astype(np.float32), scale=scale.astype(np.float32))


def hold_out(
    labels: np.ndarray, fraction: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return indices (kept, held out), both sorted, the same share of every class.

    Every class keeps at least one image, and gives one where it has two.

    Raises:
        BadData: no class has two images, so nothing can be held out.
    """
    held: list[np.ndarray] = []
    for label in np.unique(labels):
        mine = rng.permutation(np.flatnonzero(labels == label))
        count = min(max(round(fraction * len(mine)), 1), len(mine) - 1)
        held.append(mine[:count])
    out = np.sort(np.concatenate(held))
    if len(out) == 0:
        raise BadData("training images", "one of each class", "at least two of some class")
    return np.setdiff1d(np.arange(len(labels)), out), out


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A probe with the penalty that a held-out part of the training images chose."""

    probe: Probe
    penalty: float
    standardise: Standardisation
    held_out_top1: float  # percent, of the chosen penalty

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the class of each row of unstandardised features, [N] int64."""
        return self.probe.predict(self.standardise(features))


def choose_and_fit(
    features: np.ndarray,
    labels: np.ndarray,
    classes: int,
    penalties: Sequence[float],
    *,
    held_out_fraction: float,
    standardise: bool,
    max_iterations: int,
    seed: int,
) -> Chosen:
    """Return a probe fitted to all training features with the best held-out penalty.

    The penalty is chosen on a class-balanced part of the training images alone, then
    the probe is refitted on all of them. Ties go to the stronger penalty. Standardisation
    comes from the images that are fitted to, so the held-out ones stay unseen.
    """
    kept, held = hold_out(labels, held_out_fraction, np.random.default_rng(seed))
    scale = standardisation(features[kept], standardise)
    chosen = best_on(
        scale(features[kept]),
        labels[kept],
        scale(features[held]),
        labels[held],
        classes,
        penalties,
        max_iterations=max_iterations,
    )
    scale = standardisation(features, standardise)
    final = fit_logistic(
        scale(features), labels, classes, chosen.penalty, max_iterations=max_iterations
    )
    return Chosen(probe=final, penalty=chosen.penalty, standardise=scale, held_out_top1=chosen.top1)


@dataclass(frozen=True, kw_only=True)
class Best:
    """The best penalty on images that were not fitted to, and what every other one got."""

    penalty: float
    top1: float  # percent
    probe: Probe  # fitted without the images that chose it
    all_top1: dict[float, float]  # percent, by penalty, from the strongest to the weakest


def best_on(
    features: np.ndarray,
    labels: np.ndarray,
    check: np.ndarray,
    check_labels: np.ndarray,
    classes: int,
    penalties: Sequence[float],
    *,
    penalty_on: PenaltyOn = "mean",
    max_iterations: int = 1000,
) -> Best:
    """Return the penalty whose probe gets most of `check` right; ties go to the stronger.

    Args:
        features: [N, D] float32, fitted to.
        labels: [N] integers.
        check: [M, D] float32, a validation split, in the same scale.
        check_labels: [M] integers.
        classes: number of outputs.
        penalties: above 0, in any order.
        penalty_on: see `logistic.on_the_mean`.
        max_iterations: of each value.
    """
    right: dict[float, int] = {}
    best: tuple[float, Probe] | None = None
    path = logistic_path(
        features, labels, classes, penalties, penalty_on=penalty_on, max_iterations=max_iterations
    )
    for penalty, probe in track(path, "choosing the penalty", total=len(penalties)):
        right[penalty] = int(np.count_nonzero(probe.predict(check) == check_labels))
        if best is None or right[penalty] > right[best[0]]:
            best = (penalty, probe)
    assert best is not None
    percent = {penalty: 100 * count / len(check_labels) for penalty, count in right.items()}
    return Best(penalty=best[0], top1=percent[best[0]], probe=best[1], all_top1=percent)
