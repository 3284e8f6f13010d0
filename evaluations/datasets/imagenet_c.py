"""ImageNet-C: ImageNet's 50,000 validation images under 15 corruptions, at 5 severities each.

JPEGs of quality 85, cut to 224 x 224 and corrupted by Hendrycks and Dietterich (2019):
noise, blur, weather and digital; four extra corruptions (speckle noise, Gaussian blur,
spatter, saturate) are for choosing settings. All 1000 classes are scored. The authors crop
224 and do not resize (ImageNet-C/test.py): resizing these images to 256, as a checkpoint's
preprocessing would, sharpens or softens what was corrupted.

Read from <corruption>/<severity>/<wnid>/<image>.JPEG, where the tars blur, digital,
extra, noise and weather were unpacked, beside each other or each in a folder of its name.
`imagenet_c` is all of them, for `--evaluators corruption_errors`; `imagenet_c:fog/3` is one.
"""

from pathlib import Path

from ..cells import CELLS, Cells, cell_splits
from ..corruptions import EXTRA_CORRUPTIONS, TEST_CORRUPTIONS
from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..folders import read_classes
from ..image_source import ImageSource
from ..sources import Images
from ..splits import imagenet_wnids

_TARS = ("", "blur", "digital", "extra", "noise", "weather")


def open_split(split: str, folder: Path | None) -> ImageSource:
    """Return one cell, `corruption/severity`, or `test`, all cells that are there.

    Raises:
        MissingData: there is no such cell, or none at all.
        BadData: its class folders are not ImageNet's.
    """
    assert folder is not None
    if split != "test":
        return _open_cell(split, folder)
    found = [cell for cell in CELLS if _find(cell, folder) is not None]
    if not found:
        raise missing("imagenet_c", folder, f"found no folder {CELLS[0]!r}")
    return Cells("imagenet_c", found, lambda cell: _open_cell(cell, folder))


def _find(cell: str, folder: Path) -> Path | None:
    return next((folder / tar / cell for tar in _TARS if (folder / tar / cell).is_dir()), None)


def _open_cell(cell: str, folder: Path) -> Images:
    inner = _find(cell, folder)
    if inner is None:
        raise missing("imagenet_c", folder, f"found no folder {cell!r}")
    return read_classes(
        inner,
        name="imagenet_c",
        split=cell,
        classes=imagenet_wnids(),
        expected=DATASET.splits[cell],
    )


DATASET = Dataset(
    title="ImageNet-C",
    classes=1000,
    splits=cell_splits(50_000),
    licence="CC BY 4.0 for the corruptions; the images under ImageNet's terms",
    source="Hendrycks and Dietterich (arXiv:1903.12261), https://github.com/hendrycks/robustness",
    address="https://zenodo.org/record/2235448",
    layouts=(
        Layout(
            tree="imagenet-c/<corruption>/<severity>/<wnid>/<image>.JPEG",
            files=tuple(
                Files(pattern=f"{name}/*/*/*", count=250_000, needed=name not in EXTRA_CORRUPTIONS)
                for name in (*TEST_CORRUPTIONS, *EXTRA_CORRUPTIONS)
            ),
            get="unpack blur.tar, digital.tar, noise.tar and weather.tar (and extra.tar)",
        ),
    ),
    bytes=76_000_000_000,
    preprocessing="centre 224 of images of 224, not resized",
    geometry=Geometry(image_size=224, resize=None),
    open=open_split,
    folders=("imagenet-c", "imagenet_c", "ImageNet-C"),
    training=None,
    cells=CELLS,
    clean="imagenet",
)
