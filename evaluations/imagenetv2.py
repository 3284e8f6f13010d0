"""What the three ImageNetV2 sets share: their layout and its trap."""

from pathlib import Path

from .dataset import Dataset, Files, Geometry, Layout
from .folders import read_classes
from .sources import Images
from .splits import imagenet_wnids

IMAGES = 10_000


def declare(name: str, variant: str, folder_name: str) -> Dataset:
    """Return the data set `name`, read from `folder_name`/<0 to 999>/."""

    def open_split(split: str, folder: Path | None) -> Images:
        assert folder is not None
        return read_classes(
            folder,
            name=name,
            split=split,
            classes=[str(index) for index in range(len(imagenet_wnids()))],
            expected=IMAGES,
        )

    return Dataset(
        title=f"ImageNetV2, {variant}",
        classes=1000,
        splits={"test": IMAGES},
        licence="MIT",
        source="Recht et al. (arXiv:1902.10811), https://github.com/modestyachts/ImageNetV2",
        address="https://huggingface.co/datasets/vaishaal/ImageNetV2",
        layouts=(
            Layout(
                tree=f"{folder_name}/<0 to 999>/<image>.jpeg",
                files=(Files(pattern="*/*", count=IMAGES),),
                get=f"unpack {folder_name.removesuffix('-format-val')}.tar.gz",
            ),
        ),
        bytes=1_260_000_000,
        preprocessing="shorter side 256, centre 224, bilinear",
        geometry=Geometry(image_size=224, resize=256, interpolation="bilinear"),
        open=open_split,
        folders=(folder_name, name),
        training=None,
        clean="imagenet",
    )
