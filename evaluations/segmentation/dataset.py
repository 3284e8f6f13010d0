"""What a segmentation data set is, and how its images and masks are opened.

Data sets are modules of `evaluations/datasets/`, as all are: `relicheck data status` lists
them and `open_split` opens them. Their images carry masks: see `masks_of`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...checkpoints.errors import BadData, UsageError
from ..dataset import Dataset, datasets, locate, missing
from ..image_source import ImageSource
from ..images import read_bytes
from ..images import read_image as read_image_file
from .masks import IGNORE, Colour, decode_mask, relabel, relabel_colours
from .pairs import Listing, masked_images, unpacked

__all__ = ["IGNORE", "SegmentationDataset", "segmentation_dataset"]


@dataclass(frozen=True, kw_only=True)
class SegmentationDataset(Dataset):
    """A published data set of images and masks. Everything `Dataset` has, and its labelling.

    Scored with 255 ignored: `labels` says which numbers of a mask's file are which class, and
    which are not scored. Every other number is an error.
    """

    name: str
    class_names: tuple[str, ...]
    palette: tuple[Colour, ...]  # of the classes, for people
    labels: Mapping[int, int]  # a number in a mask's file -> class, or 255
    # The same for files whose names end so, where a data set has its masks in several codes.
    labels_of: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    # (split, folder) -> the files of its images and masks.
    list_files: Callable[[str, Path], Listing]
    # How a mask's file is read, by its ending; PNG where it is not named here.
    readers: Mapping[str, Callable[[bytes, object], np.ndarray]] = field(default_factory=dict)
    ignore: int = IGNORE  # in what `read_mask` gives
    metric: str = "miou"
    open: Callable[[str, Path | None], ImageSource] = field(init=False)

    def __post_init__(self) -> None:
        assert len(self.class_names) == self.classes == len(self.palette), self.name
        object.__setattr__(self, "open", self._open)

    def pairs(self, split: str, root: Path | None = None) -> list[tuple[Path, Path]]:
        """Return (image, mask) of every image of a split, sorted by the image's name.

        What lies in an archive is unpacked once into the user's cache.

        Args:
            split: a split's name.
            root: where data sets lie; None: the data roots.

        Raises:
            MissingData: it is not there.
            BadData: an image without a mask, or a mask without an image.
        """
        folder = locate(self.name, root)
        return unpacked(self._listed(split, folder), folder)

    def read_image(self, path: Path) -> np.ndarray:
        """Return an image [H, W, 3] uint8.

        Raises:
            BadData: it cannot be read.
        """
        return read_image_file(path)

    def read_mask(self, path: Path) -> np.ndarray:
        """Return a mask's classes [H, W] uint8, after remapping; 255 is not scored.

        Raises:
            BadData: it cannot be read, or holds a number that no class has.
        """
        return self.decode_mask(read_bytes(path), path)

    def decode_mask(self, content: bytes, where: object) -> np.ndarray:
        """Return as `read_mask`, from the content of a file called `where`."""
        name = str(where)
        reader = next((r for end, r in self.readers.items() if name.endswith(end)), decode_mask)
        values = reader(content, where)
        if values.ndim == 3:
            return relabel_colours(values, {}, where)
        labels = next(
            (known for end, known in self.labels_of.items() if name.endswith(end)), self.labels
        )
        return relabel(values, labels, where)

    def _listed(self, split: str, folder: Path) -> Listing:
        listing = self.list_files(split, folder)
        if not listing.pairs:
            raise missing(self.name, folder, f"found no images of {split}")
        wanted = self.splits[split]
        if len(listing.pairs) > wanted:
            raise BadData(
                f"{self.name}, {split}, under {folder}",
                f"{len(listing.pairs):,} images with masks",
                f"{wanted:,}, as published: this is another data set",
            )
        return listing

    def _open(self, split: str, folder: Path | None) -> ImageSource:
        assert folder is not None
        return masked_images(
            self._listed(split, folder),
            folder,
            self.decode_mask,
            name=self.name,
            split=split,
            class_names=self.class_names,
            expected=self.splits[split],
        )


def segmentation_dataset(name: str) -> SegmentationDataset:
    """Return the registered data set `name`, which has masks.

    Raises:
        UnknownName: no such data set.
        UsageError: it has none; those that have are named.
    """
    found = datasets.load(name)
    if isinstance(found, SegmentationDataset):
        return found
    raise UsageError(name, "its images have no masks", " or ".join(segmentation_names()))


def segmentation_names() -> Sequence[str]:
    """Return the names of the registered data sets that have masks, sorted."""
    return [n for n in datasets.names() if isinstance(datasets.load(n), SegmentationDataset)]
