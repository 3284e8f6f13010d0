"""Multi-label linear probes: one binary logistic regression for each class, by L-BFGS."""

import numpy as np

from .logistic import Probe


def fit_one_vs_rest(
    features: np.ndarray,
    targets: np.ndarray,
    penalty: float,
    *,
    max_iterations: int = 1000,
    start: Probe | None = None,
) -> Probe:
    """Return the minimiser of the classes' binary cross-entropies + penalty / 2 * |weight|^2.

    Cross-entropy is summed over classes and divided by the number of images, so the problem
    falls apart into one for each class: scikit-learn's with C = 1 / (N * penalty). The bias
    is not penalised. Images that are difficult for a class do not enter its problem.

    Args:
        features: [N, D] float32.
        targets: [N, classes] integers: 1 shown, 0 not, -1 difficult.
        penalty: of the squared weights, above 0.
        max_iterations: of L-BFGS.
        start: where to begin; None: zeros.
    """
    from scipy.optimize import minimize

    images, dim = features.shape
    classes = targets.shape[1]
    features = np.ascontiguousarray(features, dtype=np.float32)
    counted = (targets >= 0).astype(np.float32)
    shown = (targets == 1).astype(np.float32)

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = flat.astype(np.float32).reshape(classes, dim + 1)
        weight, bias = table[:, :dim], table[:, dim]
        logits = features @ weight.T + bias
        # log(1 + exp(z)) - shown * z, without overflow.
        loss = counted * (np.logaddexp(np.float32(0), logits) - shown * logits)
        residual = counted * (0.5 * (1 + np.tanh(0.5 * logits)) - shown) / np.float32(images)
        gradient = np.empty_like(table)
        gradient[:, :dim] = residual.T @ features + np.float32(penalty) * weight
        gradient[:, dim] = residual.sum(axis=0)
        # Sums in double: L-BFGS compares values that agree to many digits.
        value = float(loss.sum(dtype=np.float64)) / images
        value += 0.5 * penalty * float(np.square(weight, dtype=np.float64).sum())
        return value, gradient.ravel().astype(np.float64)

    first = np.zeros(classes * (dim + 1))
    if start is not None:
        first = np.concatenate([start.weight, start.bias[:, None]], axis=1).ravel()
    found = minimize(
        objective,
        first.astype(np.float64),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": max_iterations, "maxcor": 10, "ftol": 1e-10, "gtol": 1e-6},
    )
    table = found.x.astype(np.float32).reshape(classes, dim + 1)
    return Probe(
        weight=np.ascontiguousarray(table[:, :dim]),
        bias=table[:, dim].copy(),
        # Status 2 is the line search giving up at the gradient's rounding, as in `probes`.
        converged=found.status in (0, 2),
    )
