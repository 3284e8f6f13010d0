"""Linear probes on frozen features: multinomial logistic regression by L-BFGS.

scipy's L-BFGS-B with a gradient in NumPy float32: the fastest well-converged of the
ways that were measured, and the leanest. scikit-learn's at its default tolerance stops
early on weakly regularised problems; at tol=1e-6 it agrees, and the tests hold it to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..checkpoints.errors import BadData
from ..checkpoints.progress import track

_SMALL_VALUES = 1 << 24


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


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A linear classifier on features."""

    weight: np.ndarray  # [classes, D] float32
    bias: np.ndarray  # [classes] float32
    converged: bool = True

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return [N, classes] float32."""
        return np.asarray(features @ self.weight.T + self.bias)

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the class of each row, [N] int64."""
        return np.asarray(np.argmax(self.logits(features), axis=1), dtype=np.int64)


def fit_logistic(
    features: np.ndarray,
    labels: np.ndarray,
    classes: int,
    penalty: float,
    *,
    max_iterations: int = 1000,
    start: Probe | None = None,
) -> Probe:
    """Return the minimiser of mean cross-entropy + penalty / 2 * |weight|^2.

    The bias is not penalised. scikit-learn's C is 1 / (N * penalty).

    Args:
        features: [N, D] float32.
        labels: [N] integers in [0, classes).
        classes: number of outputs.
        penalty: of the squared weights, above 0.
        max_iterations: of L-BFGS.
        start: where to begin; None: zeros.
    """
    from scipy.optimize import minimize
    from threadpoolctl import threadpool_limits

    images, dim = features.shape
    features = np.ascontiguousarray(features, dtype=np.float32)
    targets = np.zeros((images, classes), np.float32)
    targets[np.arange(images), labels] = 1

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = flat.astype(np.float32).reshape(classes, dim + 1)
        weight, bias = table[:, :dim], table[:, dim]
        logits = features @ weight.T + bias
        logits -= logits.max(axis=1, keepdims=True)
        likelihood = np.exp(logits)
        total = likelihood.sum(axis=1, keepdims=True)
        entropy = np.log(total[:, 0]) - logits[np.arange(images), labels]
        residual = (likelihood / total - targets) / np.float32(images)
        gradient = np.empty_like(table)
        gradient[:, :dim] = residual.T @ features + np.float32(penalty) * weight
        gradient[:, dim] = residual.sum(axis=0)
        # Sums in double: L-BFGS compares values that agree to many digits.
        value = float(entropy.mean(dtype=np.float64))
        value += 0.5 * penalty * float(np.square(weight, dtype=np.float64).sum())
        return value, gradient.ravel().astype(np.float64)

    first = np.zeros(classes * (dim + 1))
    if start is not None:
        first = np.concatenate([start.weight, start.bias[:, None]], axis=1).ravel()
    # On small products a second thread gains nothing, and costs twentyfold where the other
    # core is busy.
    with threadpool_limits(1 if features.size < _SMALL_VALUES else None, "blas"):
        found = minimize(
            objective,
            first.astype(np.float64),
            jac=True,
            method="L-BFGS-B",
            # float32 gradients carry about 1e-7 of noise; tighter tolerances chase it.
            options={"maxiter": max_iterations, "maxcor": 10, "ftol": 1e-10, "gtol": 1e-6},
        )
    table = found.x.astype(np.float32).reshape(classes, dim + 1)
    return Probe(
        weight=np.ascontiguousarray(table[:, :dim]),
        bias=table[:, dim].copy(),
        # Status 2 is the line search giving up at the gradient's rounding: converged for float32.
        converged=found.status in (0, 2),
    )


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
    fit, check = scale(features[kept]), scale(features[held])
    best, best_penalty, probe = -1.0, 0.0, None
    for penalty in track(sorted(penalties, reverse=True), "choosing the penalty"):
        # From strong to weak: each solution is a good start for the next.
        probe = fit_logistic(
            fit, labels[kept], classes, penalty, max_iterations=max_iterations, start=probe
        )
        score = float(np.mean(probe.predict(check) == labels[held]))
        if score > best:
            best, best_penalty = score, penalty
    scale = standardisation(features, standardise)
    final = fit_logistic(
        scale(features), labels, classes, best_penalty, max_iterations=max_iterations
    )
    return Chosen(probe=final, penalty=best_penalty, standardise=scale, held_out_top1=100 * best)
