"""ImageNet-1k (ILSVRC2012): 1,281,167 training and 50,000 validation images.

Photographs from the web, one of 1000 classes each (Russakovsky et al. 2015). All classes are
scored, top-1 and top-5, on the validation images; the sorted wnids are the index order.

Read from whatever lies there: class folders; the validation images in one folder beside the
devkit, whose ids have another order than the wnids; the official tars in place, without
unpacking 1.3 million files; WebDataset shards of <key>.jpg and <key>.cls; Parquet files of
Hugging Face (`image`, `label`). A few dozen files are CMYK JPEGs and one is a PNG called
.JPEG: all become RGB. EXIF rotation is not followed, as no published number followed it.

Papers hold out 10,009 (BYOL) or 10,000 (its released code) of the training images.
"""

from pathlib import Path

from ..dataset import Dataset, Files, Layout, missing
from ..imagenet_layouts import DEVKIT, TRAINING_TAR, VALIDATION_TAR, open_imagenet
from ..sources import Images


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split, classes in index order."""
    assert folder is not None
    found = open_imagenet(split, folder, name="imagenet", expected=DATASET.splits[split])
    if found is None:
        raise missing(
            "imagenet", folder, f"found no {split!r} as a folder, tar, shards or Parquet files"
        )
    return found


_DEVKIT = Files(pattern=f"{DEVKIT}.tar.gz")

DATASET = Dataset(
    title="ImageNet-1k (ILSVRC2012)",
    classes=1000,
    splits={"train": 1_281_167, "val": 50_000},
    licence="non-commercial research, see image-net.org",
    source="Russakovsky et al. (arXiv:1409.0575), https://image-net.org",
    address="https://image-net.org/challenges/LSVRC/2012/2012-downloads.php (account needed)",
    layouts=(
        Layout(
            tree="imagenet/{train,val}/<wnid>/<image>.JPEG",
            files=(
                Files(pattern="val/*/*", count=50_000),
                Files(pattern="train/*/*", count=1_281_167, needed=False),
            ),
            get="sort the images into folders named by wnid, or take the tars as they are,",
        ),
        Layout(
            tree=f"imagenet/{{{VALIDATION_TAR},{TRAINING_TAR},{DEVKIT}.tar.gz}}, read in place",
            files=(
                Files(pattern=VALIDATION_TAR, bytes_each=6_744_924_160),
                _DEVKIT,
                Files(pattern=TRAINING_TAR, bytes_each=147_897_477_120, needed=False),
            ),
            get="put the tars",
        ),
        Layout(
            tree=f"imagenet/val/ILSVRC2012_val_<number>.JPEG and imagenet/{DEVKIT}.tar.gz",
            files=(Files(pattern="val/*", count=50_000), _DEVKIT),
            get="unpack the validation tar and put the devkit",
        ),
        Layout(
            tree="imagenet/imagenet1k-{train-<4 digits>,validation-<2 digits>}.tar (WebDataset)",
            files=(
                Files(pattern="imagenet1k-validation-*.tar", count=64),
                Files(pattern="imagenet1k-train-*.tar", count=1024, needed=False),
            ),
        ),
        Layout(
            tree="imagenet/data/{train,validation}-<n>-of-<count>.parquet (Hugging Face)",
            files=(
                Files(pattern="data/validation-*.parquet", count=14),
                Files(pattern="data/train-*.parquet", count=294, needed=False),
            ),
        ),
    ),
    bytes=155_000_000_000,
    open=open_split,
    folders=("imagenet", "ILSVRC2012", "imagenet-1k"),
    scored="val",
    preprocessing="shorter side 256, centre 224, bilinear or bicubic by paper",
)
