"""What features are like, without any label: their rank, their spread, their invariance."""

import numpy as np

from ..checkpoints.errors import BadData

_ROWS = 2048  # of a block of pairs: 2048^2 float64 distances are 32 MB


def effective_rank(features: np.ndarray, epsilon: float = 1e-7) -> float:
    """Return RankMe, between 1 and the number of features.

    Garrido et al. (arXiv:2210.02885), Sec. 3: exp of the entropy of the singular
    values divided by their sum, epsilon added to each. Features are not centred. The paper
    takes 25,600 images; it reports the rank of embeddings and of representations, and only
    the latter (after global pooling) are in a checkpoint.

    Singular values are roots of the eigenvalues of the [D, D] Gram matrix in double, which
    is exact to about 1e-8 of the largest, below epsilon's effect, and needs no second copy
    of the features.

    Args:
        features: [N, D] floats.
        epsilon: 1e-7 for float32 features, as in the paper.

    Raises:
        BadData: no features, or all of them 0.
    """
    _check_rows(features, 1)
    gram = np.zeros((features.shape[1], features.shape[1]))
    for begin in range(0, len(features), _ROWS):
        block = features[begin : begin + _ROWS].astype(np.float64)
        gram += block.T @ block
    # Of N images at most N values are not 0; the rest are not part of the decomposition.
    values = np.linalg.eigvalsh(gram)[::-1][: min(features.shape)]
    singular = np.sqrt(np.maximum(values, 0))
    if singular.sum() == 0:
        raise BadData("features", "all of them are 0", "features of images")
    share = singular / singular.sum() + epsilon
    return float(np.exp(-(share * np.log(share)).sum()))


def uniformity(features: np.ndarray, t: float = 2.0) -> float:
    """Return the uniformity loss of l2-normalised features, at most 0; lower is more uniform.

    Wang and Isola (arXiv:2005.10242), Sec. 4.1: log of the mean over pairs of
    exp(-t |x - y|^2), here over every pair of two different images.

    Args:
        features: [N, D] floats, normalised here.
        t: 2 in the paper.

    Raises:
        BadData: fewer than two images, or features of length 0.
    """
    _check_rows(features, 2)
    unit = _unit(features)
    total = 0.0
    for begin in range(0, len(unit), _ROWS):
        block = unit[begin : begin + _ROWS]
        # |x - y|^2 = 2 - 2 x.y on the sphere; only pairs (i, j) with j > i are counted.
        later = np.exp(-t * np.maximum(2 - 2 * block @ unit[begin:].T, 0))
        total += float(np.triu(later, k=1).sum())
    return float(np.log(total / (len(unit) * (len(unit) - 1) / 2)))


def alignment(one: np.ndarray, two: np.ndarray, alpha: float = 2.0) -> float:
    """Return the alignment loss of two views' l2-normalised features; 0 is perfect.

    Wang and Isola (arXiv:2005.10242), Sec. 4.1: the mean over images of |x - y|^alpha.

    Args:
        one: [N, D] floats, features of one view of each image.
        two: [N, D] floats, of another view of the same images in the same order.
        alpha: 2 in the paper.

    Raises:
        BadData: the shapes differ, or features of length 0.
    """
    if one.shape != two.shape:
        raise BadData("alignment", f"features of {one.shape} and {two.shape}", "equal shapes")
    _check_rows(one, 1)
    distance = np.linalg.norm(_unit(one) - _unit(two), axis=1)
    return float(np.mean(distance**alpha))


def _unit(features: np.ndarray) -> np.ndarray:
    doubled = features.astype(np.float64)
    length = np.linalg.norm(doubled, axis=1, keepdims=True)
    if not length.all():
        raise BadData("features", "those of an image are all 0", "a direction for every image")
    return np.asarray(doubled / length)


def _check_rows(features: np.ndarray, least: int) -> None:
    if features.ndim != 2 or len(features) < least or features.shape[1] < 1:
        raise BadData("features", f"of shape {features.shape}", f"[N, D] with N at least {least}")
