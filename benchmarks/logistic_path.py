"""The path of 45 penalties over scikit-learn's LogisticRegression fitted 45 times.

    python benchmarks/logistic_path.py [--every 4] [--dim 256] [--single]

Both get the same features, in turn in this process on one thread: scikit-learn with L-BFGS
at tol 1e-6, each value from nothing, in double (in float32 its line search gives up early
at strong penalties; `--single` shows that). Features are those of a wide random ReLU layer
over class clusters: correlated, sparse, far from centred, as a network's are. `--every 4` fits
scikit-learn to every fourth value only and multiplies its time by as much as is left out; it
says so.

For every value it prints both accuracies on held-out images and their difference in points.
"""

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from relicheck.evaluations.logistic import logistic_path

IMAGES, CHECKED, CLASSES, SPREAD = 5_000, 10_000, 10, 3.0
PENALTIES = np.logspace(-6, 5, 45)


def features_of(images, dim, seed):
    shape = np.random.default_rng(7)
    centres = shape.normal(size=(CLASSES, 40))
    layer = shape.normal(size=(40, dim)) / np.sqrt(40) * (np.arange(1, dim + 1) ** -0.3)
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, CLASSES, images)
    inputs = centres[labels] + SPREAD * rng.normal(size=(images, 40))
    return np.maximum(inputs @ layer + 0.3, 0).astype(np.float32), labels


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--single", action="store_true", help="scikit-learn in float32")
    options = parser.parse_args()
    every, dim = options.every, options.dim
    kind = np.float32 if options.single else np.float64
    warnings.simplefilter("ignore", ConvergenceWarning)
    train, labels = features_of(IMAGES, dim, 0)
    check, truth = features_of(CHECKED, dim, 1)
    given, given_check = train.astype(kind), check.astype(kind)
    chosen = sorted(PENALTIES, reverse=True)[::every]
    with threadpool_limits(1):
        times, ours = [], {}
        for _ in range(3):
            started = time.perf_counter()
            path = logistic_path(train, labels, CLASSES, list(PENALTIES))
            probes = dict(path)
            times.append(time.perf_counter() - started)
        theirs, spent = {}, 0.0
        for penalty in chosen:
            model = LogisticRegression(C=1 / (IMAGES * penalty), tol=1e-6, max_iter=10_000)
            started = time.perf_counter()
            model.fit(given, labels)
            spent += time.perf_counter() - started
            theirs[penalty] = 100 * float(np.mean(model.predict(given_check) == truth))
            ours[penalty] = 100 * float(np.mean(probes[penalty].predict(check) == truth))
            print(f"{penalty:9.2e}  ours {ours[penalty]:6.2f}  scikit-learn {theirs[penalty]:6.2f}"
                  f"  {ours[penalty] - theirs[penalty]:+.2f}  {int(model.n_iter_[0])} iterations",
                  flush=True)  # fmt: skip
    whole = spent * len(PENALTIES) / len(chosen)
    mine = float(np.median(times))
    worst = max(abs(ours[p] - theirs[p]) for p in chosen)
    best_ours, best_theirs = (max(chosen, key=lambda p: found[p]) for found in (ours, theirs))
    print(f"{IMAGES} x {dim}, {CLASSES} classes, {len(PENALTIES)} penalties, one thread")
    print(
        f"path          {mine:8.2f} s (median of {len(times)}: {min(times):.2f}-{max(times):.2f})"
    )
    note = "" if every == 1 else f", from {len(chosen)} of {len(PENALTIES)} values"
    print(f"scikit-learn  {whole:8.2f} s in {np.dtype(kind).name}{note}")
    print(f"ratio         {whole / mine:8.1f} (scikit-learn over the path)")
    print(f"largest difference {worst:.2f} points; chosen {best_ours:.2e} and {best_theirs:.2e}: "
          f"{theirs[best_ours]:.2f} and {theirs[best_theirs]:.2f} % by scikit-learn")  # fmt: skip


if __name__ == "__main__":
    main()
