"""Dense features: the last feature map of every image, made once and kept.

Frozen features do not change while a head is trained on them, so they are computed once for
all steps, seeds and settings.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ...checkpoints.errors import BadCheckpoint, UsageError
from ...checkpoints.files import atomic_path, sha256_of_file
from ...checkpoints.progress import track
from ...checkpoints.spec import Preprocessing
from ..arithmetic import arithmetic
from ..baselines import RawPixels
from ..preprocess import normalise
from ..provenance import device
from ..subject import Subject
from .dilation import dilated

if TYPE_CHECKING:
    from ...checkpoints.resnet import ResNet

_VERSION = 1  # raised when the same key would name other numbers


@dataclass(frozen=True, kw_only=True, eq=False)
class DenseFeatures:
    """The feature maps of images of any sizes, one after the other."""

    rows: np.ndarray  # [pixels of all maps, D] float32; a map's in reading order
    shapes: np.ndarray  # [N, 2] int64: height and width of each map

    def __len__(self) -> int:
        return len(self.shapes)

    @cached_property
    def begins(self) -> np.ndarray:
        """Return the first row of each map, [N] int64."""
        sizes = self.shapes.prod(axis=1)
        return np.asarray(np.cumsum(sizes) - sizes)

    def map_of(self, image: int) -> np.ndarray:
        """Return one image's map, [h, w, D] float32."""
        height, width = (int(side) for side in self.shapes[image])
        begin = int(self.begins[image])
        return self.rows[begin : begin + height * width].reshape(height, width, -1)

    def at(self, image: int, pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
        """Return one image's features at pixels of a larger grid, [P, D] float32.

        As the map upsampled bilinearly to `size`, pixel centres aligned (torch's `interpolate`
        with align_corners false), of which only these pixels are computed.

        Args:
            image: which.
            pixels: [P] indices into the larger grid, in reading order.
            size: its (height, width).
        """
        height, width = (int(side) for side in self.shapes[image])
        (y0, y1, fy), (x0, x1, fx) = (
            _corners(position, large, small)
            for position, large, small in (
                (pixels // size[1], size[0], height),
                (pixels % size[1], size[1], width),
            )
        )
        begin = int(self.begins[image])
        total = np.zeros((len(pixels), self.rows.shape[1]), dtype=np.float32)
        for rows, part_y in ((y0, 1 - fy), (y1, fy)):
            for columns, part_x in ((x0, 1 - fx), (x1, fx)):
                total += (part_y * part_x)[:, None] * self.rows[begin + rows * width + columns]
        return total


def _corners(
    position: np.ndarray, large: int, small: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the two neighbours on the small axis of places on the large one, and the weight."""
    place = np.maximum((position + 0.5) * (small / large) - 0.5, 0.0)
    lower = np.minimum(place.astype(np.int64), small - 1)
    return lower, np.minimum(lower + 1, small - 1), (place - lower).astype(np.float32)


def dense_features(
    subject: Subject, role: str, *, output_stride: int, shorter_side: int
) -> DenseFeatures:
    """Return the last feature map of every image of a role; for raw pixels, the pixels.

    Found in the subject's cache where it has one. Whole images, normalised as the checkpoint's
    preprocessing says and not cropped. Arithmetic as the subject's precision; kept in float32.

    Args:
        subject: model and data.
        role: `train` or `test`.
        output_stride: at most so many pixels of the image for one of the map.
        shorter_side: pixels that images are resized to first; 0: as they are.

    Raises:
        UsageError: the features fit neither disk nor memory.
        BadCheckpoint: they are not finite.
    """
    make = _maker(subject, role, output_stride, shorter_side)
    if subject.cache is None or subject.weights_sha256 is None:
        return _in_memory(make(), len(subject.images(role)))
    key = _key(subject, role, output_stride, shorter_side)
    file = subject.cache / "dense" / f"{key}.f32"
    found = _read(file)
    if found is None:
        _write(file, make(), len(subject.images(role)))
        found = _read(file)
        assert found is not None, file
    return found


def _key(subject: Subject, role: str, output_stride: int, shorter_side: int) -> str:
    shown = subject.model.preprocessing
    assert shown is not None
    facts = {
        "version": _VERSION,
        "weights": subject.weights_sha256,
        "images": subject.images(role).fingerprint,
        "preprocessing": asdict(shown),
        "precision": subject.precision,
        "output_stride": output_stride,
        "shorter_side": shorter_side,
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def _maker(
    subject: Subject, role: str, output_stride: int, shorter_side: int
) -> Callable[[], Iterator[np.ndarray]]:
    """Return what yields each image's map [h, w, D] float32."""
    source, backbone = subject.images(role), subject.backbone

    def images() -> Iterator[np.ndarray]:
        indices = track(range(len(source)), f"feature maps of {source.name}, {source.split}")
        return (resized(source[i], shorter_side, subject.model.preprocessing) for i in indices)

    if isinstance(backbone, RawPixels):
        return lambda: (image.astype(np.float32) / np.float32(255) for image in images())

    def maps() -> Iterator[np.ndarray]:
        preprocessing = subject.model.preprocessing
        assert preprocessing is not None
        network = dilated(backbone, output_stride).eval().to(device())
        for number, image in enumerate(images()):
            # Entered anew for each image: a generator must not leave the caller in this mode.
            with arithmetic(subject.precision):
                found = _map(network, image, preprocessing)
            if not np.isfinite(found).all():
                raise BadCheckpoint(
                    subject.model.name,
                    f"features of {source.identities[number]} are not finite",
                    "finite numbers",
                )
            yield found

    return maps


def _map(network: "ResNet", image: np.ndarray, preprocessing: Preprocessing) -> np.ndarray:
    inputs = normalise(image[None], preprocessing, device())
    last = network.stages(inputs)[-1][0]
    return np.ascontiguousarray(last.permute(1, 2, 0).float().cpu().numpy())


def resized(
    image: np.ndarray, shorter_side: int, preprocessing: Preprocessing | None
) -> np.ndarray:
    """Return `image` [H, W, 3] uint8 with a shorter side of so many pixels; 0: as it is.

    Interpolated as the checkpoint's preprocessing says; bilinear where there is none.
    """
    from PIL import Image

    height, width = image.shape[:2]
    if shorter_side in (0, min(height, width)):
        return np.array(image)
    scale = shorter_side / min(height, width)
    method = "bilinear" if preprocessing is None else preprocessing.interpolation
    size = (round(width * scale), round(height * scale))
    # A copy: PIL's own memory is read-only, and torch would warn of that.
    return np.array(Image.fromarray(image).resize(size, getattr(Image.Resampling, method.upper())))


def _in_memory(maps: Iterator[np.ndarray], images: int) -> DenseFeatures:
    found: list[np.ndarray] = []
    for one in maps:
        if not found:
            _check_room(one.nbytes * images, _memory_bytes(), "memory")
        found.append(one)
    return DenseFeatures(
        rows=np.concatenate([one.reshape(-1, one.shape[2]) for one in found]),
        shapes=np.array([one.shape[:2] for one in found], dtype=np.int64),
    )


def _write(file: Path, maps: Iterator[np.ndarray], images: int) -> None:
    shapes: list[tuple[int, ...]] = []
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(file) as temporary:
        with temporary.open("wb") as stream:
            for one in maps:
                if not shapes:
                    free = shutil.disk_usage(file.parent).free
                    _check_room(one.nbytes * images, free, str(file.parent))
                stream.write(one.astype("<f4", copy=False).tobytes())
                shapes.append(one.shape)
        digest = sha256_of_file(temporary)
    # The rows first: without their shapes, written last, they are made again.
    with atomic_path(file.with_suffix(".npz")) as temporary, temporary.open("wb") as stream:
        np.savez(stream, shapes=np.array(shapes, dtype=np.int64), sha256=np.array(digest))


def _read(file: Path) -> DenseFeatures | None:
    """Return what is kept in `file`; None where it is not whole."""
    beside = file.with_suffix(".npz")
    if not file.is_file() or not beside.is_file():
        return None
    with beside.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        shapes, digest = archive["shapes"], str(archive["sha256"])
    if file.stat().st_size != 4 * int(shapes.prod(axis=1).sum()) or sha256_of_file(file) != digest:
        return None
    rows = np.memmap(file, dtype="<f4", mode="r").reshape(-1, int(shapes[0, 2]))
    return DenseFeatures(rows=rows, shapes=shapes[:, :2])


def _memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _check_room(needed: int, there: int, where: str) -> None:
    if needed > 0.9 * there:
        raise UsageError(
            "dense features",
            f"they take {needed / 1e9:.0f} GB, and {where} has {there / 1e9:.0f} GB",
            "room for the feature maps of all images",
            "Name another --cache, or set shorter_side or a larger output_stride.",
        )
