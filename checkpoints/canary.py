"""The canary: does a converted network see more in photographs than an untrained one?

A conversion can fill every tensor and still be wrong: moving averages never copied, an
initialisation saved by mistake, the wrong network of several. On images, an untrained
ResNet gives nearly the same features for all; a trained one spreads them.
"""

import math
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from .errors import BadCheckpoint, MissingDependency
from .manifest import Manifest
from .resnet import ResNet, untrained
from .spec import Preprocessing, ResNetSpec

IMAGES = 16
_LARGEST_SIDE = 64  # pixels: enough to tell trained from not, and a second for a ResNet-50
# Both figures of a trained network have to be no better than this multiple of an untrained
# one's before it is called untrained: a warning that cries wolf is read by nobody.
_MARGIN = 1.1


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How differently a network sees a batch of images."""

    rank: float  # effective rank of the features, 1 to IMAGES
    spread: float  # share of their length that differs from image to image, 0 to 1


def spread_of(features: Tensor) -> Spread:
    """Return the spread of features [N, dim].

    The rank is RankMe's (Garrido et al., arXiv:2210.02885, Eq. 1): the exponential of the
    entropy of the singular values. The spread is |F - mean(F)| / |F|, Frobenius norms.
    """
    singular = torch.linalg.svdvals(features.double())
    share = singular / singular.sum().clamp_min(1e-30)
    entropy = -(share * share.clamp_min(1e-30).log()).sum()
    centred = features - features.mean(dim=0)
    spread = centred.norm() / features.norm().clamp_min(1e-30)
    return Spread(rank=round(math.exp(entropy), 3), spread=round(spread.item(), 4))


def untrained_spread(spec: ResNetSpec, images: Tensor) -> Spread:
    """Return the spread of a randomly initialised network of this architecture, seed 0.

    The initialisation is torch's own, of the usual ones that with the most spread.
    """
    with torch.inference_mode():
        return spread_of(untrained(spec).features(images))


def examine(
    network: ResNet, manifest: Manifest, images: Tensor, untrained: Spread, where: Path
) -> Manifest:
    """Return `manifest` with what the canary found, and a warning if it fell.

    Raises:
        BadCheckpoint: the features are not finite.
    """
    with torch.inference_mode():
        features = network.features(images)
    if not torch.isfinite(features).all():
        raise BadCheckpoint(where, "its network's features of photographs are not finite")
    found = spread_of(features)
    canary = {"images": IMAGES, "rank": found.rank, "spread": found.spread}
    canary |= {"untrained_rank": untrained.rank, "untrained_spread": untrained.spread}
    warnings = manifest.warnings
    if found.rank <= _MARGIN * untrained.rank and found.spread <= _MARGIN * untrained.spread:
        warnings = (
            *warnings,
            f"these weights look untrained: on {IMAGES} photographs their features have rank "
            f"{found.rank} and spread {found.spread}, a random initialisation's "
            f"{untrained.rank} and {untrained.spread}",
        )
    training = {**(manifest.training or {}), "canary": canary}
    return replace(manifest, training=training, warnings=warnings)


def photographs(preprocessing: Preprocessing) -> Tensor:
    """Return IMAGES crops [IMAGES, 3, side, side] of two photographs, normalised.

    The photographs are scikit-learn's china.jpg and flower.jpg (CC BY 2.0; its
    datasets/images/README.txt), eight crops of each from corners and centre, at two scales.

    Raises:
        MissingDependency: scikit-learn is not installed.
    """
    import numpy as np
    from PIL import Image

    # Found, not imported: scikit-learn takes a second to import, its photographs do not.
    package = find_spec("sklearn")
    if package is None or package.origin is None:
        raise MissingDependency("sklearn", "evaluate")
    folder = Path(package.origin).parent / "datasets" / "images"
    side = min(preprocessing.image_size, _LARGEST_SIDE)
    crops = []
    for name in ("china.jpg", "flower.jpg"):
        with Image.open(folder / name) as photograph:
            image = photograph.convert("RGB")
        for share in (0.4, 0.8):
            edge = int(share * min(image.size))
            for x, y in ((0.0, 0.0), (1.0, 0.3), (0.3, 1.0), (0.6, 0.6)):
                left, top = int(x * (image.width - edge)), int(y * (image.height - edge))
                crop = image.crop((left, top, left + edge, top + edge))
                crops.append(np.asarray(crop.resize((side, side), Image.Resampling.BICUBIC)))
    pixels = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2).float() / 255
    mean = torch.tensor(preprocessing.mean).view(1, 3, 1, 1)
    return (pixels - mean) / torch.tensor(preprocessing.std).view(1, 3, 1, 1)
