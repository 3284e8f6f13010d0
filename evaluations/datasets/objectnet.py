"""ObjectNet: objects at home, turned, displaced and seen from odd sides; test only.

50,273 PNG photographs of 313 classes, taken by workers under instructions for rotation,
background and viewpoint (Barbu et al. 2019). 113 classes with 18,574 images are shared
with ImageNet and are what a 1000-way classifier is scored on: split `overlap`. (18,514 in
imagenet-testbed; we divide by the 18,574 of the official answer file.) 125 ImageNet
indices count as the 113 classes.

Official scoring takes the best of all 1000 classes and maps it; anything outside the 125
is wrong: evaluator `classifier_mapped`. imagenet-testbed takes the best of the 125 alone,
`classifier_masked`; supervised ResNet-50 gains about nine points by that. Each image has
a red frame: 2 pixels a side are cut before any resizing (`border_px`). The authors
resize to 224 and crop 224 (objectnet-template-pytorch, data_transform_description.py); the
checkpoint's own preprocessing is used here.

Labels follow the official map of folders, never the folders' order: the two disagree for
41 of the 113 classes. The licence forbids training on these images.
"""

from pathlib import Path

from ...checkpoints.errors import BadData
from ..dataset import Dataset, Files, Geometry, Layout, missing
from ..folders import class_folders, image_files
from ..sources import Images, from_files
from ..splits import objectnet_classes, objectnet_overlap


def open_split(split: str, folder: Path | None) -> Images:
    """Return `overlap` (113 classes by official id) or `all` (313 classes by folder).

    Raises:
        MissingData: there is no folder `images`.
        BadData: the class folders are not ObjectNet's, or they hold too many images.
    """
    assert folder is not None
    inner = folder / "images"
    if not inner.is_dir():
        raise missing("objectnet", folder, "found no folder 'images'")
    chosen = objectnet_overlap() if split == "overlap" else objectnet_classes()
    found, wanted = set(class_folders(inner)), [c.folder for c in chosen]
    known = {c.folder for c in objectnet_classes()}
    absent, unknown = sorted(set(wanted) - found), sorted(found - known)
    if absent or unknown:
        raise BadData(
            inner,
            f"{len(found)} class folders: {len(absent)} of this split missing (such as "
            f"{absent[:3]}), {len(unknown)} unknown (such as {unknown[:3]})",
            f"ObjectNet's 313 folders, or at least the {len(wanted)} of {split!r}",
        )
    paths, labels = [], []
    for label, name in enumerate(wanted):
        images = image_files(inner / name)
        paths += images
        labels += [label] * len(images)
    expected = DATASET.splits[split]
    if len(paths) > expected:
        raise BadData(inner, f"{len(paths):,} images", f"at most the {expected:,} published")
    return from_files(
        inner,
        paths,
        name="objectnet",
        split=split,
        labels=labels,
        class_names=tuple(wanted),
        expected=expected,
    )


DATASET = Dataset(
    title="ObjectNet, the 113 classes shared with ImageNet",
    classes=113,
    splits={"overlap": 18_574, "all": 50_273},
    licence="CC BY 4.0 with terms: never train on it, keep the red frame when publishing images",
    source="Barbu et al. (NeurIPS 2019), https://objectnet.dev",
    address="https://objectnet.dev",
    layouts=(
        Layout(
            tree="objectnet/images/<folder>/<image>.png (313 folders, 50,273 images)",
            files=(Files(pattern="images/*/*", count=50_273),),
            get="unpack objectnet-1.0.zip",
        ),
    ),
    bytes=193_000_000_000,
    scored_classes="the 113 of 313 that ImageNet has too",
    preprocessing="2 px cut from every side, then resize 224 and centre 224",
    geometry=Geometry(image_size=224, resize=224),
    open=open_split,
    folders=("objectnet", "objectnet-1.0"),
    scored="overlap",
    training=None,
    border_px=2,
    imagenet_indices=tuple(c.imagenet_indices for c in objectnet_overlap()),
)
