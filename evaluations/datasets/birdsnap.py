"""Birdsnap: photographs of 500 species of North American birds, from the web.

47,386 training and 2,443 test images as published (Berg et al. 2014). All 500 species are
scored, top-1. The archive holds addresses, not images, and many of these are gone: what a
copy holds of today is less, and then the split is a part and no claim is confirmed by it.
Images that are not there are left out of a split; the count says so.

Read as its own get_birdsnap.py leaves it: images.txt and species.txt, tables with a heading,
test_images.txt, and download/images/<species>/<image>.jpg. What is not a test image trains.

Papers hold out 4,981 of the training images (BYOL, Table 10).
"""

from pathlib import Path

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import read_lines
from ..sources import Images, from_files


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of images.txt, of the images that were downloaded.

    Raises:
        MissingData: a table is not there.
        BadData: a table is damaged, or none of its images is there.
    """
    assert folder is not None
    inner = folder / "birdsnap" if (folder / "birdsnap").is_dir() else folder
    for name in ("images.txt", "species.txt", "test_images.txt"):
        if not (inner / name).is_file():
            raise missing("birdsnap", folder, f"found no {name}")
    species = _table(inner / "species.txt", "id", "dir")
    order = {number: row for row, number in enumerate(sorted((s["id"] for s in species), key=int))}
    held_out = {row["path"] for row in _table(inner / "test_images.txt", "path")}
    listed = [
        row
        for row in _table(inner / "images.txt", "path", "species_id")
        if (row["path"] in held_out) == (split == "test")
    ]
    images = inner / "download" / "images"
    there = [row for row in listed if (images / row["path"]).is_file()]
    if not there:
        raise missing("birdsnap", images, f"found none of {len(listed)} images")
    unknown = sorted({row["species_id"] for row in there} - set(order))
    if unknown:
        raise BadData(
            inner / "images.txt", f"unknown species {unknown[:3]}", "those of species.txt"
        )
    names = {s["id"]: s["dir"] for s in species}
    return from_files(
        images,
        [images / row["path"] for row in there],
        name="birdsnap",
        split=split,
        labels=[order[row["species_id"]] for row in there],
        class_names=tuple(names[number] for number in order),
        expected=DATASET.splits[split],
    )


def _table(file: Path, *columns: str) -> list[dict[str, str]]:
    """Return the rows of a table with tabs and a heading, of the columns wanted."""
    heading, *lines = (line.split("\t") for line in read_lines(file))
    if not set(columns) <= set(heading):
        raise BadData(file, f"columns {heading}", f"{list(columns)} among them")
    short = next((row for row in lines if len(row) < len(heading)), None)
    if short is not None:
        raise BadData(file, f"a row of {len(short)} fields: {short[:3]}", f"{len(heading)} fields")
    at = {column: heading.index(column) for column in columns}
    return [{column: row[place] for column, place in at.items()} for row in lines]


DATASET = Dataset(
    title="Birdsnap",
    classes=500,
    splits={"train": 47_386, "test": 2_443},
    licence="images of their photographers; research, see the page",
    source="Berg et al. (CVPR 2014), https://thomasberg.org/datasets/birdsnap/1.1/birdsnap.tgz",
    address="https://thomasberg.org/datasets/birdsnap/1.1/birdsnap.tgz",
    layouts=(
        Layout(
            tree="birdsnap/{images,species,test_images}.txt and "
            "birdsnap/download/images/<species>/<image>.jpg",
            files=(
                Files(pattern="download/images/*/*", count=49_829),
                *(Files(pattern=f"{name}.txt") for name in ("images", "species", "test_images")),
            ),
            get="unpack birdsnap.tgz and run the get_birdsnap.py in it",
        ),
    ),
    bytes=8_000_000_000,
    open=open_split,
    folders=("birdsnap/birdsnap", "birdsnap"),
    validation_images=4_981,
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
