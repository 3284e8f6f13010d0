"""Stanford Cars: cars of 196 makes, models and years, from the web.

8,144 training and 8,041 test images, about 40 of each class in both (Krause et al. 2013). All
196 classes are scored, top-1.

Labels are MATLAB files and count from 1. The devkit's own list of the test images has no
classes: those are in cars_test_annos_withlabels.mat, offered beside it. Without that file the
test images cannot be scored. A few images are grey.

Papers hold out 1,650 of the training images (BYOL, Table 10).
"""

from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..lists import check_there
from ..matlab import read_mat
from ..sources import Images, from_files

_LISTS = {"train": "cars_train_annos.mat", "test": "cars_test_annos_withlabels.mat"}


def open_split(split: str, folder: Path | None) -> Images:
    """Return one split in the order of its list.

    Raises:
        MissingData: a list is not there.
        BadData: it has no classes, or a listed image is missing.
    """
    assert folder is not None
    name = _LISTS[split]
    file = next((f for f in (folder / name, folder / "devkit" / name) if f.is_file()), None)
    names_file = folder / "devkit" / "cars_meta.mat"
    if file is None or not names_file.is_file():
        absent = name if file is None else "devkit/cars_meta.mat"
        raise missing("stanford_cars", folder, f"found no {absent}")
    rows = np.atleast_1d(read_mat(file, "annotations")["annotations"])
    if rows.dtype.names is None or not {"class", "fname"} <= set(rows.dtype.names):
        raise BadData(file, f"fields {rows.dtype.names}", "`fname` and `class` of each image")
    images = folder / f"cars_{split}"
    paths = [images / str(row["fname"]) for row in rows]
    check_there(paths, file)
    class_names = np.atleast_1d(read_mat(names_file, "class_names")["class_names"])
    return from_files(
        images,
        paths,
        name="stanford_cars",
        split=split,
        labels=[int(row["class"]) - 1 for row in rows],
        class_names=tuple(str(class_name) for class_name in class_names),
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="Stanford Cars",
    classes=196,
    splits={"train": 8_144, "test": 8_041},
    licence="ImageNet terms: non-commercial research",
    source=(
        "Krause et al., 3D Object Representations for Fine-Grained Categorization (2013), "
        "http://ai.stanford.edu/~jkrause/cars/car_dataset.html"
    ),
    address="http://ai.stanford.edu/~jkrause/cars/car_dataset.html",
    layouts=(
        Layout(
            tree="stanford_cars/{cars_train/<image>.jpg,cars_test/<image>.jpg,"
            "devkit/{cars_train_annos,cars_meta}.mat,cars_test_annos_withlabels.mat}",
            files=(
                Files(pattern="cars_test/*", count=8_041),
                Files(pattern="cars_train/*", count=8_144),
                Files(pattern="cars_test_annos_withlabels.mat"),
                Files(pattern="devkit/cars_train_annos.mat"),
                Files(pattern="devkit/cars_meta.mat"),
            ),
            get="unpack cars_train.tgz, cars_test.tgz and car_devkit.tgz "
            "(where the page is gone: a copy of it)",
        ),
    ),
    bytes=1_960_000_000,
    open=open_split,
    folders=("stanford_cars", "stanford-cars", "cars"),
    validation_images=1_650,
    preprocessing="shorter side 224 (bicubic), centre 224",
    geometry=Geometry(image_size=224, resize=224, interpolation="bicubic"),
)
