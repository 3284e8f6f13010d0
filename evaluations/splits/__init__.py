"""Class lists and class maps, as small tables of our own.

`imagenet_classes.csv`: the 1000 wnids in index order (Russakovsky et al., arXiv:1409.0575)
and whether ImageNet-R (arXiv:2006.16241) and ImageNet-A (arXiv:1907.07174) hold the class.
`objectnet_classes.csv`: the 313 folders of ObjectNet with, for the 113 classes shared with
ImageNet, the official id and the ImageNet indices that count as it
(github.com/abarbu/objectnet-template-pytorch, mapping_files), and the number of images
of each in the official answer file (objectnet-template-tensorflow, input/answers). Never derive an
id from the order of the folders: that order and the ids disagree for 41 of the 113.
`imagenet_c_alexnet.csv`: AlexNet's mean error over the five severities of each corruption
of ImageNet-C, which corruption errors are relative to. The fifteen that are scored are
exact (github.com/alibaba/easyrobust, benchmarks/ood/imagenet_c.py); the four extra ones
are printed with one decimal of a percent (ReLIC, arXiv:2010.07922, App. E.5.3).
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

# SHA-256 over the lines "<file name> <id>\n" of answers-objectnet-overlap.json, sorted.
OBJECTNET_OVERLAP_SHA256 = "7a39ad9ff50d11cec1ddfd6c8325bd1f854b9884cb0dbe0ae264eb7026ebc2a7"


@dataclass(frozen=True, kw_only=True)
class ObjectNetClass:
    """One folder of ObjectNet."""

    folder: str
    name: str
    objectnet_id: int | None  # None outside the overlap with ImageNet
    images: int  # in the official answer file
    imagenet_indices: tuple[int, ...]


@cache
def imagenet_wnids() -> tuple[str, ...]:
    """Return the 1000 wnids in index order."""
    return tuple(row["wnid"] for row in _rows("imagenet_classes.csv"))


@cache
def imagenet_subset(name: str) -> tuple[tuple[int, str], ...]:
    """Return (index, wnid) of the classes of `imagenet_r` or `imagenet_a`, in index order."""
    rows = enumerate(_rows("imagenet_classes.csv"))
    return tuple((index, row["wnid"]) for index, row in rows if row[name] == "1")


@cache
def objectnet_classes() -> tuple[ObjectNetClass, ...]:
    """Return all 313 classes, sorted by folder."""
    return tuple(
        ObjectNetClass(
            folder=row["folder"],
            name=row["name"],
            objectnet_id=int(row["objectnet_id"]) if row["objectnet_id"] else None,
            images=int(row["images"]),
            imagenet_indices=tuple(int(index) for index in row["imagenet_indices"].split()),
        )
        for row in _rows("objectnet_classes.csv")
    )


@cache
def objectnet_overlap() -> tuple[ObjectNetClass, ...]:
    """Return the 113 classes shared with ImageNet, by official id."""
    shared = [c for c in objectnet_classes() if c.objectnet_id is not None]
    return tuple(sorted(shared, key=lambda c: c.objectnet_id or 0))


@cache
def alexnet_errors() -> Mapping[str, float]:
    """Return AlexNet's error on each corruption of ImageNet-C, a fraction; the scored ones first.

    Read-only: nineteen names in the paper's order.
    """
    rows = _rows("imagenet_c_alexnet.csv")
    return MappingProxyType({row["corruption"]: float(row["error"]) for row in rows})


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return iter(list(csv.DictReader(text.splitlines())))
