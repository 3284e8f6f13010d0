"""PACS: seven classes in four styles, for domain shift.

9,991 images: 1,670 photographs, 2,048 art paintings, 2,344 cartoons and 3,929 sketches
(Li et al. 2017). Probes train on `photo`; `test` is the other three together, and
`pacs:sketch` scores one of them. Read in place from a tar of <domain>/<class>/<image>,
or from such folders. The authors train on each set of three domains in turn; training on
photographs alone is the small analogue of ImageNet to ImageNet-Sketch.
"""

from pathlib import Path
from typing import Any

from ..dataset import Dataset, Files, Layout, missing
from ..sources import Images, from_files
from ..tars import from_tar, list_tar

CLASSES = ("dog", "elephant", "giraffe", "guitar", "horse", "house", "person")
_DOMAIN_IMAGES = {"photo": 1670, "art_painting": 2048, "cartoon": 2344, "sketch": 3929}
_SHIFTED = ("art_painting", "cartoon", "sketch")


def open_split(split: str, folder: Path | None) -> Images:
    """Return the images of one domain, or of the three shifted ones as `test`."""
    assert folder is not None
    domains = _SHIFTED if split == "test" else (split,)
    archives = sorted(folder.glob("*.tar*"))
    files = list_tar(archives[0]) if archives else _relative(folder)
    chosen = [file for file in files if _fits(file, domains)]
    if not chosen:
        raise missing("pacs", folder, f"found no images in {' or '.join(domains)}")
    rest: dict[str, Any] = {
        "name": "pacs",
        "split": split,
        "labels": [CLASSES.index(file.split("/")[1]) for file in chosen],
        "class_names": CLASSES,
        "expected": DATASET.splits[split],
    }
    if archives:
        return from_tar(archives[0], chosen, **rest)
    return from_files(folder, [folder / file for file in chosen], **rest)


def _relative(folder: Path) -> list[str]:
    return sorted(f.relative_to(folder).as_posix() for f in folder.rglob("*") if f.is_file())


def _fits(file: str, domains: tuple[str, ...]) -> bool:
    parts = file.split("/")
    return len(parts) == 3 and parts[0] in domains and parts[1] in CLASSES


DATASET = Dataset(
    title="PACS",
    classes=7,
    splits={**_DOMAIN_IMAGES, "test": 8321},
    licence="none stated; research use, cite Li et al. (2017)",
    source="Li et al., Deeper, Broader and Artier Domain Generalization (arXiv:1710.03077)",
    address="https://sketchx.eecs.qmul.ac.uk/downloads/",
    layouts=(
        Layout(
            tree="pacs/<domain>/<class>/<image>.jpg",
            files=tuple(
                Files(pattern=f"{domain}/*/*", count=images)
                for domain, images in _DOMAIN_IMAGES.items()
            ),
            get="unpack the images, or a copy of them,",
        ),
        Layout(
            tree="pacs/*.tar.gz of <domain>/<class>/<image>.jpg",
            files=(Files(pattern="*.tar*"),),
        ),
    ),
    bytes=191_000_000,
    open=open_split,
    folders=("pacs", "PACS"),
    training="photo",
    scored_classes="all 7, on the three domains together; `pacs:sketch` scores one",
    preprocessing="227 x 227 images, crops of 224 or 227",
)
