"""Tiny-ImageNet-200 at 32x32, JPEG: 200 ImageNet classes.

20,000 training images (100 of the 500 per class) and the complete 10,000 of validation,
as JPEG files of 32 x 32 pixels joined in two archives. The original is 64x64, so numbers
here are not Tiny-ImageNet's. All 200 classes are scored, top-1.
"""

from pathlib import Path

from ..dataset import Dataset, Files, Layout, missing
from ..prediction_files import read_arrays
from ..sources import Images, from_encoded

_FILES = {"train": "tiny-imagenet-32-train100.npz", "val": "tiny-imagenet-32-val.npz"}


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split; its classes are named by ImageNet wnid."""
    assert folder is not None
    file = folder / _FILES[split]
    if not file.is_file():
        raise missing("tiny_imagenet_32", folder, f"found no {file.name}")
    arrays = read_arrays(file)
    return from_encoded(
        arrays["jpeg"],
        arrays["offsets"],
        file,
        name="tiny_imagenet_32",
        split=split,
        labels=arrays["labels"],
        class_names=tuple(str(wnid) for wnid in arrays["wnids"]),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Tiny-ImageNet-200 at 32x32, 100 training images per class",
    classes=200,
    splits={"train": 20_000, "val": 10_000},
    licence="ImageNet terms: non-commercial research",
    source="https://github.com/DhanashriPalodkar/imageet32x32 at commit 17536f5460bd",
    address="https://github.com/DhanashriPalodkar/imageet32x32",
    layouts=(
        Layout(
            tree="tiny-imagenet-32/{tiny-imagenet-32-val,tiny-imagenet-32-train100}.npz "
            "(jpeg, offsets, labels, wnids)",
            files=tuple(Files(pattern=name) for name in _FILES.values()),
            get="join the images of commit 17536f5460bd",
        ),
    ),
    bytes=35_000_000,
    open=open_split,
    folders=("tiny-imagenet-32", "tiny_imagenet_32"),
    scored="val",
    square_px=32,
)
