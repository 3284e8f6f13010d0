"""FGVC Aircraft: aeroplanes of a hundred variants, mean per-class accuracy.

3,334 training, 3,333 validation and 3,333 test images (Maji et al. 2013). The 100 *variants*
are scored (Boeing 737-700 beside 737-800), mean per class; the 70 families and 30
manufacturers are not used.

Each image ends in a strip of 20 pixels that names its photographer. The authors ask for its
removal before training; the transfer papers do not say that they did, and here it stays.
Names of variants hold spaces and slashes: a line of images_variant_<split>.txt is cut at its
first space only, and the labels' order is that of variants.txt.

Train on `trainval`, of which the last 3,333 are the official validation images.
"""

from pathlib import Path

from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import from_list, read_lines
from ..sources import Images


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of its list; `trainval` is `train` followed by `val`.

    Raises:
        MissingData: a list is not there.
        BadData: an unknown variant, or a listed image is missing.
    """
    assert folder is not None
    inner = folder / "data" if (folder / "data").is_dir() else folder
    parts = ("train", "val") if split == "trainval" else (split,)
    lists = [inner / f"images_variant_{part}.txt" for part in parts]
    for file in (inner / "variants.txt", *lists):
        if not file.is_file():
            raise missing("aircraft", folder, f"found no data/{file.name}")
    pairs = [line.partition(" ")[::2] for file in lists for line in read_lines(file)]
    return from_list(
        inner / "images",
        [f"{number}.jpg" for number, _ in pairs],
        [variant for _, variant in pairs],
        read_lines(inner / "variants.txt"),
        lists[0],
        name="aircraft",
        split=split,
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="FGVC Aircraft, variants",
    classes=100,
    splits={"train": 3_334, "val": 3_333, "trainval": 6_667, "test": 3_333},
    licence="non-commercial research, see the page",
    source=("Maji et al. (arXiv:1306.5151), https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/"),
    address="https://www.robots.ox.ac.uk/~vgg/data/fgvc-aircraft/",
    layouts=(
        Layout(
            tree="fgvc-aircraft-2013b/data/{images/<7 digits>.jpg,variants.txt,"
            "images_variant_{train,val,test}.txt}",
            files=(
                Files(pattern="data/images/*", count=10_000),
                Files(pattern="data/variants.txt"),
                *(
                    Files(pattern=f"data/images_variant_{part}.txt")
                    for part in ("train", "val", "test")
                ),
            ),
            get="unpack fgvc-aircraft-2013b.tar.gz",
        ),
    ),
    bytes=2_750_000_000,
    open=open_split,
    folders=("fgvc-aircraft-2013b", "aircraft/fgvc-aircraft-2013b", "aircraft"),
    training="trainval",
    validation="val",
    validation_images=3_333,
    metric="mean_per_class",
    scored_classes="the 100 variants; families and manufacturers are not used",
    preprocessing="shorter side 224 (bicubic), centre 224; the strip of 20 px is not cut",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
