"""Oxford-IIIT Pets: cats and dogs of 37 breeds, mean per-class accuracy.

3,680 training and 3,669 test images, about 100 of each breed in both together (Parkhi et al.
2012). All 37 breeds are scored, mean per class.

Splits are lists: annotations/trainval.txt and annotations/test.txt, lines of `image class
species breed` that count from 1. The class of an image is the second word, never the folder's
order: all images lie in one folder, and cats' names begin with a capital letter while dogs'
do not. A few files called .jpg are PNG or GIF inside; what they hold decides.

Papers hold out 740 of the training images (BYOL, Table 10).
"""

from pathlib import Path

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import check_there, split_lines
from ..sources import Images, from_files


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of its list; classes are named by their images.

    Raises:
        MissingData: the list is not there.
        BadData: it is damaged, or a listed image is missing.
    """
    assert folder is not None
    file = folder / "annotations" / f"{split}.txt"
    if not file.is_file():
        raise missing("pets", folder, f"found no annotations/{file.name}")
    # Comments of the official list begin with #.
    rows = [row for row in split_lines(file, 4) if not row[0].startswith("#")]
    breeds: dict[int, str] = {}
    for image, number, *_ in rows:
        breed = image.rpartition("_")[0]
        if not number.isdigit() or breeds.setdefault(int(number), breed) != breed:
            raise BadData(file, f"{image} is of class {number}", "one breed for each class")
    if sorted(breeds) != list(range(1, len(breeds) + 1)):
        raise BadData(file, f"classes {sorted(breeds)}", "classes from 1 without a gap")
    paths = [folder / "images" / f"{row[0]}.jpg" for row in rows]
    check_there(paths, file)
    return from_files(
        folder / "images",
        paths,
        name="pets",
        split=split,
        labels=[int(row[1]) - 1 for row in rows],
        class_names=tuple(breeds[number] for number in sorted(breeds)),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Oxford-IIIT Pets",
    classes=37,
    splits={"trainval": 3_680, "test": 3_669},
    licence="CC BY-SA 4.0",
    source="Parkhi et al., Cats and Dogs (CVPR 2012), https://www.robots.ox.ac.uk/~vgg/data/pets/",
    address="https://www.robots.ox.ac.uk/~vgg/data/pets/",
    layouts=(
        Layout(
            tree="oxford-iiit-pet/{images/<image>.jpg,annotations/{trainval,test}.txt}",
            files=(
                Files(pattern="images/*", count=7_390),
                Files(pattern="annotations/trainval.txt"),
                Files(pattern="annotations/test.txt"),
            ),
            get="unpack images.tar.gz and annotations.tar.gz",
        ),
    ),
    bytes=811_000_000,
    open=open_split,
    folders=("oxford-iiit-pet", "pets"),
    training="trainval",
    validation_images=740,
    metric="mean_per_class",
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
