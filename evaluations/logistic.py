"""Multinomial logistic regression along a path of l2 penalties.

Three things make 45 penalties cost little more than a few fits from nothing:

- The features are centred and turned to their principal axes once. There the Hessian of
  the loss is close to diagonal (exactly so at zero weights, up to the classes' coupling),
  and its diagonal plus the penalty is the metric that L-BFGS starts from at every value.
- From strong to weak penalties each solution, continued along the line of the last two, is
  where the next begins.
- The curvature that L-BFGS has learnt is kept: changing the penalty adds a known multiple
  of the step to every difference of gradients.

Large problems are solved in float32 with sums in double, small ones in double throughout:
near separable classes the Hessian all but vanishes, and there float32's rounding stands for
a long way in the weights. scikit-learn's L-BFGS is the oracle of the tests, in double at a
tolerance at which it converges.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from ..checkpoints.errors import UsageError

PenaltyOn = Literal["mean", "sum"]

# On small products a second thread gains nothing, and costs twentyfold where the other
# core is busy.
_SMALL_VALUES = 1 << 24
# Below, double costs milliseconds; above, twice the time and memory.
_DOUBLE_VALUES = 1 << 22
_TOLERANCE = {"float64": 1e-8, "float32": 1e-6}
_MEMORY = 20  # differences that L-BFGS keeps
_SUFFICIENT = 1e-4  # share of the linear decrease that a step must bring (Armijo)
_HALVINGS = 12
_WINDOW = 10  # steps that must together gain more than the tolerance


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


def on_the_mean(penalty: float, images: int, penalty_on: PenaltyOn) -> float:
    """Return the penalty on the mean loss that equals `penalty`.

    The objective is mean cross-entropy + penalty / 2 * |weight|^2. On the *sum* of the
    losses the same problem has `images` times the penalty, and scikit-learn's C is its
    inverse: C = 1 / penalty on the sum = 1 / (images * penalty on the mean).

    Kornblith et al. (arXiv:1805.08974), SimCLR and BYOL search 45 values from 1e-6 to 1e5
    and do not say which of the two they mean. We take the mean, which keeps its meaning
    when the validation images join the training set; on the sum 1e-6 is next to nothing.
    """
    if penalty_on not in get_args(PenaltyOn):
        raise UsageError("penalty_on", repr(penalty_on), "mean or sum")
    return penalty / images if penalty_on == "sum" else penalty


def logistic_path(
    features: np.ndarray,
    labels: np.ndarray,
    classes: int,
    penalties: Sequence[float],
    *,
    penalty_on: PenaltyOn = "mean",
    tolerance: float | None = None,
    max_iterations: int = 1000,
) -> Iterator[tuple[float, Probe]]:
    """Yield (penalty, probe) for every penalty, from the strongest to the weakest.

    The bias is not penalised. Choose on held-out images as the probes come, keep the best,
    and refit with `fit_logistic` on all images at its penalty.

    Args:
        features: [N, D] float32.
        labels: [N] integers in [0, classes).
        classes: number of outputs.
        penalties: above 0, in any order; see `on_the_mean` for their meaning.
        penalty_on: the mean or the sum of the losses.
        tolerance: what another step could still gain (half the Newton decrement, as
            L-BFGS sees it), relative to the loss and to what the features have gained
            over the classes' frequencies, whichever is smaller. None: 1e-8 where the
            problem is solved in double, 1e-6 in float32.
        max_iterations: of each value; a probe that needed more is not `converged`.

    Raises:
        UsageError: a penalty not above 0, or labels outside the classes.
    """
    from threadpoolctl import threadpool_limits

    if not penalties or min(penalties) <= 0 or not np.isfinite(penalties).all():
        raise UsageError("penalties", f"{list(penalties)[:5]}", "one or more, each above 0")
    if labels.min() < 0 or labels.max() >= classes:
        raise UsageError("labels", f"{labels.min()} to {labels.max()}", f"0 to {classes - 1}")
    threads = 1 if features.size < _SMALL_VALUES else None
    with threadpool_limits(threads, "blas"):
        problem = _Problem(features, labels, classes)
        descent = _Descent(problem, tolerance, max_iterations)
    for penalty in sorted(penalties, reverse=True):
        with threadpool_limits(threads, "blas"):
            converged = descent.move_to(on_the_mean(penalty, len(labels), penalty_on))
            found = problem.probe(descent.x, converged)
        yield penalty, found


def fit_logistic(
    features: np.ndarray,
    labels: np.ndarray,
    classes: int,
    penalty: float,
    *,
    penalty_on: PenaltyOn = "mean",
    tolerance: float | None = None,
    max_iterations: int = 1000,
) -> Probe:
    """Return the minimiser of mean cross-entropy + penalty / 2 * |weight|^2.

    Arguments and errors as `logistic_path`. Penalties ten times as strong and stronger are
    passed on the way to weak ones: that is quicker than going there at once.
    """
    steps = [penalty * 10.0**k for k in range(9) if k == 0 or penalty * 10.0**k < 1e3]
    found = None
    for _, probe in logistic_path(
        features,
        labels,
        classes,
        steps,
        penalty_on=penalty_on,
        tolerance=tolerance,
        max_iterations=max_iterations,
    ):
        found = probe
    assert found is not None
    return found


class _Problem:
    """Mean cross-entropy of weights in the principal axes of centred features."""

    def __init__(self, features: np.ndarray, labels: np.ndarray, classes: int) -> None:
        images, dim = features.shape
        self.dtype = np.dtype(np.float64 if features.size < _DOUBLE_VALUES else np.float32)
        features = np.asarray(features, dtype=self.dtype)
        self.mean = features.mean(axis=0, dtype=np.float64).astype(self.dtype)
        centred = features - self.mean
        if images < dim:
            # The weights lie in the span of the images: fewer unknowns, the same minimum.
            gram = (centred @ centred.T).astype(np.float64) / images
            variance, left = np.linalg.eigh(gram)
            kept = variance > 1e-9 * max(float(variance[-1]), 1e-30)
            length = np.sqrt(images * variance[kept])
            axes = centred.T @ (left[:, kept] / length).astype(self.dtype)
        else:
            covariance = (centred.T @ centred).astype(np.float64) / images
            variance, vectors = np.linalg.eigh(covariance)
            kept = variance > 1e-9 * max(float(variance[-1]), 1e-30)
            axes = vectors[:, kept].astype(self.dtype)
        self.axes = np.ascontiguousarray(axes)  # [D, K]
        self.variance = variance[kept].astype(self.dtype)  # [K]
        self.turned = np.ascontiguousarray(centred @ self.axes)  # [N, K]
        self.labels, self.classes = np.asarray(labels, dtype=np.int64), classes
        self._rows = np.arange(images)

    def start(self) -> np.ndarray:
        """Return [classes, K + 1]: weights 0, biases the logarithms of the frequencies.

        With centred features that is the solution of an infinite penalty. A class
        without images gets half of one, which keeps its bias finite.
        """
        counts = np.bincount(self.labels, minlength=self.classes).astype(np.float64)
        x = np.zeros((self.classes, len(self.variance) + 1), self.dtype)
        x[:, -1] = np.log(np.maximum(counts, 0.5) / len(self.labels))
        return x

    def loss(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean cross-entropy at `x` [classes, K + 1] and its gradient."""
        # Classes first: sums over few classes then run along long rows.
        logits = np.ascontiguousarray(x[:, :-1]) @ self.turned.T
        logits += x[:, -1:]
        logits -= logits.max(axis=0)
        own = logits[self.labels, self._rows]
        np.exp(logits, out=logits)
        total = logits.sum(axis=0)
        value = float((np.log(total) - own).mean(dtype=np.float64))
        images = self.dtype.type(len(self._rows))
        logits *= 1 / (total * images)
        logits[self.labels, self._rows] -= 1 / images
        gradient = np.empty_like(x)
        gradient[:, :-1] = logits @ self.turned
        gradient[:, -1] = logits.sum(axis=1)
        return value, gradient

    def probe(self, x: np.ndarray, converged: bool) -> Probe:
        """Return `x` as a classifier of features as they came."""
        weight = (x[:, :-1] @ self.axes.T).astype(np.float32)
        bias = x[:, -1].astype(np.float64) - weight.astype(np.float64) @ self.mean
        # A shift common to all classes changes no answer, but near 0 float32 is finer: under
        # the strongest penalties the logits differ in the sixth digit.
        bias -= bias.mean()
        return Probe(weight=weight, bias=bias.astype(np.float32), converged=converged)


class _Descent:
    """L-BFGS (Nocedal and Wright, Algorithm 7.4) that goes from one penalty to the next."""

    def __init__(self, problem: _Problem, tolerance: float | None, max_iterations: int) -> None:
        self.problem, self.max_iterations = problem, max_iterations
        self.tolerance = _TOLERANCE[problem.dtype.name] if tolerance is None else tolerance
        self.x = problem.start()
        self._before: np.ndarray | None = None  # the solution before this one
        self._penalty = 0.0
        self._steps: list[np.ndarray] = []
        self._bends: list[np.ndarray] = []  # differences of gradients, penalty included
        self._without = problem.loss(self.x)[0]  # the loss that the frequencies alone give

    def move_to(self, penalty: float) -> bool:
        """Set `x` to the minimiser at `penalty`; return whether it was reached."""
        for step, bend in zip(self._steps, self._bends, strict=True):
            bend[:, :-1] += self._number(penalty - self._penalty) * step[:, :-1]
        self._penalty = penalty
        metric = np.empty(self.x.shape[1], self.x.dtype)
        # At zero weights and equal frequencies the Hessian of the loss is the variance times
        # (I - 1/C) / C over the classes.
        share = self._number(1 / self.problem.classes)
        metric[:-1] = 1 / (self.problem.variance * share + self._number(penalty))
        metric[-1] = self.problem.classes
        value, gradient = self._objective(self.x)
        reached = self.x
        if self._before is not None:
            ahead = self.x + (self.x - self._before)
            value_ahead, gradient_ahead = self._objective(ahead)
            if value_ahead < value:
                self.x, value, gradient = ahead, value_ahead, gradient_ahead
        self._before = reached
        values: list[float] = []
        for _ in range(self.max_iterations):
            direction = self._direction(gradient, metric)
            decrement = float(np.vdot(gradient, direction))
            scale = max(min(value, self._without - value), 0.0)
            if 0.5 * decrement <= self.tolerance * scale:
                return True
            values.append(value)
            # Where rounding hides the gradient the decrement stays up; the gain tells.
            gained = values[-_WINDOW - 1] - value if len(values) > _WINDOW else np.inf
            if gained <= self.tolerance * scale:
                return True
            found = self._search(value, direction, decrement)
            if found is None:
                # No step brings what rounding can show: converged for float32.
                return True
            x, value, after = found
            self._learn(x - self.x, after - gradient)
            self.x, gradient = x, after
        return False

    def _number(self, value: float) -> Any:
        # In the weights' own type: a double times a float32 array would be double.
        return self.x.dtype.type(value)

    def _objective(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        value, gradient = self.problem.loss(x)
        weight = x[:, :-1]
        gradient[:, :-1] += self._number(self._penalty) * weight
        value += 0.5 * self._penalty * float(np.square(weight, dtype=np.float64).sum())
        return value, gradient

    def _direction(self, gradient: np.ndarray, metric: np.ndarray) -> np.ndarray:
        """Return the inverse Hessian's estimate times the gradient, by the two loops."""
        direction, shares, scale = gradient.copy(), [], self._number(1)
        known = list(zip(self._steps, self._bends, strict=True))
        for step, bend in reversed(known):
            share = np.vdot(step, direction) / np.vdot(step, bend)
            direction -= share * bend
            shares.append(share)
        if known:
            step, bend = known[-1]
            scale = np.vdot(step, bend) / np.vdot(bend, metric * bend)
        direction *= metric * scale
        for (step, bend), share in zip(known, reversed(shares), strict=True):
            direction += (share - np.vdot(bend, direction) / np.vdot(step, bend)) * step
        return direction

    def _search(
        self, value: float, direction: np.ndarray, decrement: float
    ) -> tuple[np.ndarray, float, np.ndarray] | None:
        """Return the point, value and gradient of the first step that descends enough."""
        length = 1.0
        for _ in range(_HALVINGS):
            x = self.x - self._number(length) * direction
            reached, gradient = self._objective(x)
            if reached <= value - _SUFFICIENT * length * decrement:
                return x, reached, gradient
            # The minimum of the parabola through both values, within bounds.
            rise = reached - value + length * decrement
            length *= min(max(0.5 * length * decrement / max(rise, 1e-300), 0.1), 0.5)
        return None

    def _learn(self, step: np.ndarray, bend: np.ndarray) -> None:
        # A convex function bends upwards along every step; rounding may say otherwise.
        if float(np.vdot(step, bend)) > 1e-12 * float(np.vdot(step, step)):
            self._steps.append(step)
            self._bends.append(bend)
            del self._steps[:-_MEMORY], self._bends[:-_MEMORY]
