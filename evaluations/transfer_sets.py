"""The transfer data sets as the papers used them, to be held against what is on disk.

BYOL (arXiv:2006.07733), Table 10; SimCLR (arXiv:2002.05709), Sec. B.8, agrees except that
its Caltech-101 draws 30 training images of each class where BYOL draws 25 and 5.
"""

from dataclasses import dataclass

from .image_source import ImageSource


@dataclass(frozen=True, kw_only=True)
class TransferSet:
    """One row of the table: numbers of images, and the metric."""

    classes: int
    train: int
    validation: int  # 0: none is stated
    test: int
    metric: str


def _row(classes: int, train: int, validation: int, test: int, metric: str = "top1") -> TransferSet:
    return TransferSet(
        classes=classes, train=train, validation=validation, test=test, metric=metric
    )


# By the names of our data sets.
TRANSFER_SETS = {
    "food101": _row(101, 68_175, 7_575, 25_250),
    "cifar10": _row(10, 45_000, 5_000, 10_000),
    "cifar100": _row(100, 44_933, 5_067, 10_000),
    "birdsnap": _row(500, 42_405, 4_981, 2_443),
    "sun397": _row(397, 15_880, 3_970, 19_850),
    "stanford_cars": _row(196, 6_494, 1_650, 8_041),
    # Printed so: the official validation split has 3,333 images, the training split 3,334.
    "aircraft": _row(100, 3_334, 3_333, 3_333, "mean_per_class"),
    "voc2007": _row(20, 2_501, 2_510, 4_952, "map_11_point"),
    "dtd": _row(47, 1_880, 1_880, 1_880),
    "pets": _row(37, 2_940, 740, 3_669, "mean_per_class"),
    # Printed as 101 classes; but 2,550 is 25 of each of 102, the background's folder included,
    # as 2,550 + 510 + 6,084 are all the 9,144 images.
    "caltech101": _row(102, 2_550, 510, 6_084, "mean_per_class"),
    "places365": _row(365, 1_803_460, 0, 36_500),
    "flowers": _row(102, 1_020, 1_020, 6_149, "mean_per_class"),
}


def departures(
    name: str, train: ImageSource, held_out: int, test: ImageSource, metric: str
) -> tuple[str, ...]:
    """Return what differs from the published row, as notes for a record; (): nothing.

    A part of the test images is said by the record itself; here its complete split counts.

    Args:
        name: of the data set; one that is not in the table has nothing to differ from.
        train: validation images included.
        held_out: how many of them were chosen on.
        test: the scored images.
        metric: that is reported.
    """
    row = TRANSFER_SETS.get(name)
    if row is None:
        return (f"{name} is not in BYOL's Table 10",)
    scored = test.expected if test.expected is not None else len(test)
    found = {
        "classes": (len(train.class_names), row.classes),
        "training images": (len(train), row.train + row.validation),
        "test images": (scored, row.test),
        "metric": (metric, row.metric),
    }
    if row.validation:
        found["validation images"] = (held_out, row.validation)
    return tuple(
        f"BYOL's Table 10 has {theirs} {what}, here are {ours}"
        for what, (ours, theirs) in found.items()
        if ours != theirs
    )
