"""ImageNet-1k in whichever of its layouts it lies: folders, official tars, shards, Parquet.

From class folders, from the flat validation folder and from the official tars the same
images come under the same names in the same order, so they have one fingerprint.
"""

import io
import re
import tarfile
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..checkpoints.errors import BadData
from .folders import read_classes
from .images import is_image
from .packed import named_files
from .parquet import read_parquet
from .sources import Images, from_files
from .splits import imagenet_wnids
from .tars import Members, from_members, index_tars
from .webdataset import read_shards

VALIDATION_TAR, TRAINING_TAR = "ILSVRC2012_img_val.tar", "ILSVRC2012_img_train.tar"
DEVKIT = "ILSVRC2012_devkit_t12"
_GROUND_TRUTH = "data/ILSVRC2012_validation_ground_truth.txt"
_META = "data/meta.mat"
# What shards and Parquet files are named after.
_SPLIT_WORDS = {"train": ("train",), "val": ("val", "validation")}


def open_imagenet(split: str, folder: Path, **rest: Any) -> Images | None:
    """Return `train` or `val` from the layout that `folder` holds; None where there is none.

    Args:
        split: `train` or `val`.
        folder: of the data set.
        rest: `name` and `expected`, as `Images`.

    Raises:
        BadData: the layout is there and cannot be used; the message says why.
    """
    wnids = imagenet_wnids()
    facts: dict[str, Any] = {"split": split, **rest}
    official = folder / (TRAINING_TAR if split == "train" else VALIDATION_TAR)
    if (folder / split).is_dir():
        if _is_flat(folder / split):
            return _flat(folder / split, folder, class_names=wnids, **facts)
        return read_classes(folder / split, classes=wnids, **facts)
    if official.is_file():
        return _official(official, folder, class_names=wnids, **facts)
    if shards := _named(folder, split, ".tar"):
        return read_shards(shards, class_names=wnids, **facts)
    if files := _named(folder, split, ".parquet"):
        return read_parquet(files, class_names=wnids, **facts)
    return None


def _is_flat(folder: Path) -> bool:
    entries = [entry for entry in folder.iterdir() if not entry.name.startswith(".")]
    return bool(entries) and not any(entry.is_dir() for entry in entries)


def _named(folder: Path, split: str, suffix: str) -> list[Path]:
    """Return the packed files of a split in `folder` or `folder`/data, by name."""
    for inner in (folder, folder / "data"):
        files = named_files(inner, _SPLIT_WORDS[split], suffix)
        if found := [f for f in files if not f.name.startswith("ILSVRC2012")]:
            return found
    return []


def _flat(images: Path, folder: Path, **rest: Any) -> Images:
    paths = sorted(path for path in images.iterdir() if is_image(path))
    labels = validation_labels([path.name for path in paths], folder)
    order = _by_class([path.name for path in paths], labels)
    source = from_files(images, [paths[i] for i in order], labels=labels[order], **rest)
    return _renamed(source)


def _official(archive: Path, folder: Path, **rest: Any) -> Images:
    nested = rest["split"] == "train"
    members = _images(index_tars([archive], nested=nested))
    files = [PurePosixPath(name) for name in members.names]
    if nested:
        labels = _folder_labels([file.parent.name for file in files], archive)
    else:
        labels = validation_labels([file.name for file in files], folder)
    order = _by_class([file.name for file in files], labels)
    return _renamed(from_members(members.at(order), labels=labels[order], **rest))


def _images(members: Members) -> Members:
    return members.at([i for i, name in enumerate(members.names) if is_image(Path(name))])


def _by_class(names: Sequence[str], labels: np.ndarray) -> np.ndarray:
    """Return the order by class, then by name: that of class folders."""
    return np.lexsort((np.argsort(np.argsort(np.asarray(names))), labels))


def _renamed(source: Images) -> Images:
    """Return `source` with the names that its images would have in class folders."""
    return source.named(
        [
            f"{source.class_names[label]}/{PurePosixPath(name).name}"
            for label, name in zip(source.labels, source.identities, strict=True)
        ]
    )


def _folder_labels(found: Iterable[str], archive: Path) -> np.ndarray:
    place = {wnid: index for index, wnid in enumerate(imagenet_wnids())}
    names = list(found)
    if unknown := sorted(set(names) - set(place)):
        raise BadData(
            archive, f"it holds unknown classes such as {unknown[:3]}", "ImageNet's 1000 wnids"
        )
    return np.array([place[name] for name in names], dtype=np.int64)


def validation_labels(names: Sequence[str], folder: Path) -> np.ndarray:
    """Return [N] int64, indices into the sorted wnids, of images ILSVRC2012_val_<number>.JPEG.

    The devkit's ground truth gives `ILSVRC2012_ID`s, 1 to 1000, which are NOT the sorted
    wnids' order: meta.mat names the wnid of each. Taken as indices, the labels would fit
    almost no image.

    Args:
        names: of the files, in any order.
        folder: holds the devkit, unpacked or as ILSVRC2012_devkit_t12.tar.gz.

    Raises:
        BadData: no devkit, or one that does not fit the images.
    """
    from scipy.io import loadmat

    truth, meta = _devkit(folder)
    synsets = loadmat(io.BytesIO(meta), squeeze_me=True)["synsets"]  # type: ignore[arg-type]
    leaves = {
        int(row["ILSVRC2012_ID"]): str(row["WNID"])
        for row in synsets
        if int(row["num_children"]) == 0
    }
    place = {wnid: index for index, wnid in enumerate(imagenet_wnids())}
    ids = [int(line) for line in truth.decode().split()]
    numbers = [_validation_number(name, folder) for name in names]
    if numbers and max(numbers) > len(ids):
        raise BadData(
            folder, f"image {max(numbers)} of {len(ids)} labels in {_GROUND_TRUTH}", "one for each"
        )
    return np.array([place[leaves[ids[number - 1]]] for number in numbers], dtype=np.int64)


def _validation_number(name: str, folder: Path) -> int:
    match = re.fullmatch(r"ILSVRC2012_val_(\d{8})\.jpe?g", name, re.IGNORECASE)
    if match is None:
        raise BadData(folder, f"a validation image called {name!r}", "ILSVRC2012_val_<number>.JPEG")
    return int(match[1])


def _devkit(folder: Path) -> tuple[bytes, bytes]:
    """Return the ground truth and meta.mat of the devkit."""
    for inner in (folder / DEVKIT, folder):
        if (inner / _GROUND_TRUTH).is_file() and (inner / _META).is_file():
            return (inner / _GROUND_TRUTH).read_bytes(), (inner / _META).read_bytes()
    archive = folder / f"{DEVKIT}.tar.gz"
    if archive.is_file():
        try:
            with tarfile.open(archive) as tar:
                found = [tar.extractfile(f"{DEVKIT}/{name}") for name in (_GROUND_TRUTH, _META)]
                contents = [stream.read() for stream in found if stream is not None]
        except (tarfile.TarError, OSError, EOFError, KeyError) as error:
            raise BadData(archive, f"not the whole devkit ({error})", todo="Fetch it again.") from (
                error
            )
        if len(contents) == 2:
            return contents[0], contents[1]
    raise BadData(
        folder,
        "validation images in one folder or tar, and no devkit that says their classes",
        f"{DEVKIT}.tar.gz beside them, or one folder per class",
        "Get it where the images come from, or sort them into folders named by wnid.",
    )
