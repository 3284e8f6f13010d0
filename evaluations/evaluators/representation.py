"""What the features are like without labels: effective rank, uniformity, alignment."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ...checkpoints.errors import UsageError
from ..augment import CropAndFlip
from ..augment import view as random_view
from ..baselines import RawPixels
from ..evaluator import Evaluator, Measurement, Protocol
from ..feature_cache import CachedImages
from ..features import extract
from ..image_source import ImageSource
from ..representation import alignment, effective_rank, uniformity
from ..sources import Images
from ..subject import Subject
from ..view import View, without_border


@dataclass(frozen=True, kw_only=True)
class RepresentationProtocol(Protocol):
    """Statistics of the scored images' features, after global pooling.

    RankMe: Garrido et al. (arXiv:2210.02885), Sec. 3, on at most 25,600 images as
    there, of the representation rather than the embedding, since checkpoints hold no
    projector. Uniformity (t = 2) and alignment (alpha = 2): Wang and Isola
    (arXiv:2005.10242), Sec. 4.1, on l2-normalised features; alignment between two random
    crops, maybe flipped, of each image. There it is measured under the training's own
    augmentation, which no checkpoint holds; crop and flip are what all of them share.
    Images are taken evenly spread over the split.

    Alignment needs the images; where only cached features are, it is left out.
    """

    name = "representation"

    rank_images: int = 25_600  # at most
    epsilon: float = 1e-7  # added to each share of the singular values
    uniformity_images: int = 10_000  # at most: its cost grows with the square
    t: float = 2.0
    alignment_images: int = 1_000  # at most, each shown twice; 0: not measured
    alpha: float = 2.0
    least_area: float = 0.08  # of a random crop, fraction of the image
    views_seed: int = 0


def run(subject: Subject, protocol: RepresentationProtocol, seed: int) -> Iterator[Measurement]:
    """Yield effective rank, uniformity and, where the images are there, alignment."""
    if min(protocol.rank_images, protocol.uniformity_images) < 2 or protocol.alignment_images < 0:
        raise UsageError(
            protocol.name,
            f"rank_images {protocol.rank_images}, uniformity_images "
            f"{protocol.uniformity_images}, alignment_images {protocol.alignment_images}",
            "at least 2 images, and 0 or more for alignment",
        )
    source = subject.images("test")
    features, _ = subject.features("test")
    some = features[spread(len(features), protocol.rank_images)]
    yield Measurement(
        metric="effective_rank",
        value=effective_rank(some, protocol.epsilon),
        unit="features",
        images=len(some),
        notes=(f"of {features.shape[1]} features",),
    )
    some = features[spread(len(features), protocol.uniformity_images)]
    yield Measurement(
        metric="uniformity", value=uniformity(some, protocol.t), unit="", images=len(some)
    )
    visible = not isinstance(source, CachedImages) and not isinstance(subject.backbone, RawPixels)
    if protocol.alignment_images and visible:
        chosen = spread(len(source), protocol.alignment_images)
        one, two = (_view_features(subject, source, chosen, protocol, n) for n in (0, 1))
        yield Measurement(
            metric="alignment",
            value=alignment(one, two, protocol.alpha),
            unit="",
            images=len(chosen),
        )


def spread(images: int, limit: int) -> np.ndarray:
    """Return at most `limit` indices, evenly spread: folders are sorted by class."""
    count = min(images, limit)
    return np.arange(count) * images // count


def _view_features(
    subject: Subject,
    source: ImageSource,
    chosen: np.ndarray,
    protocol: RepresentationProtocol,
    number: int,
) -> np.ndarray:
    """Return the features [N, D] of random view `number` of the chosen images."""
    shown = subject.default_view("test")
    own = shown.preprocessing
    assert own is not None
    assert not isinstance(subject.backbone, RawPixels)
    views = CropAndFlip(area=(protocol.least_area, 1.0), sampling="torchvision")

    def read(position: int) -> np.ndarray:
        index = int(chosen[position])
        where = f"{source.name}, {source.split}, image {source.identities[index]}"
        return random_view(
            without_border(source[index], shown.border_px, where),
            own.image_size,
            views,
            seed=protocol.views_seed,
            # The two views of an image differ as two epochs would.
            epoch=number,
            index=index,
            where=where,
        )

    seen = Images(
        name=source.name,
        split=f"{source.split}, view {number + 1}",
        class_names=source.class_names,
        labels=source.labels[chosen],
        identities=[source.identities[int(index)] for index in chosen],
        read=read,
        digest=lambda: source.fingerprint,
    )
    # The view is the network's square already.
    plain = View(preprocessing=replace(own, resize=None))
    return extract(subject.backbone, seen, [plain])[0]


EVALUATOR = Evaluator(
    run=run,
    protocol=RepresentationProtocol(),
    source="RankMe (arXiv:2210.02885), Sec. 3; Wang and Isola (arXiv:2005.10242), Sec. 4.1",
    splits=("test",),
)
