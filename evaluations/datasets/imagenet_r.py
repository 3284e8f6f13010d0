"""ImageNet-R: 30,000 renditions (art, cartoons, sketches, toys) of 200 ImageNet classes.

Collected from Flickr and filtered by workers and by ResNet-50 (Hendrycks et al. 2021).
The authors score the 200 logits of these classes alone, resize 256 and crop 224
(hendrycks/imagenet-r, eval.py): evaluator `classifier_masked`. Self-supervised papers
appear to score all 1000: `classifier_mapped`. Twelve points lie between the two.
"""

from pathlib import Path

from ..class_tars import read_classes_or_tar
from ..dataset import Dataset, Files, Geometry, Layout
from ..sources import Images
from ..splits import imagenet_subset


def open_split(split: str, folder: Path | None) -> Images:
    """Return the test split, classes in ImageNet's index order."""
    assert folder is not None
    return read_classes_or_tar(
        folder,
        "imagenet-r.tar",
        name="imagenet_r",
        split=split,
        classes=[wnid for _, wnid in imagenet_subset("imagenet_r")],
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="ImageNet-R",
    classes=200,
    splits={"test": 30_000},
    licence="MIT",
    source="Hendrycks et al. (arXiv:2006.16241), https://github.com/hendrycks/imagenet-r",
    address="https://github.com/hendrycks/imagenet-r",
    layouts=(
        Layout(
            tree="imagenet-r/<wnid>/<image>.jpg",
            files=(Files(pattern="*/*", count=30_000),),
            get="unpack imagenet-r.tar",
        ),
        Layout(
            tree="imagenet-r/imagenet-r.tar, read in place",
            files=(Files(pattern="imagenet-r.tar"),),
            get="put imagenet-r.tar",
        ),
    ),
    bytes=2_200_000_000,
    scored_classes="its 200, of the 1000 that a classifier knows",
    preprocessing="shorter side 256, centre 224, bilinear",
    geometry=Geometry(image_size=224, resize=256, interpolation="bilinear"),
    open=open_split,
    folders=("imagenet-r", "imagenet_r"),
    training=None,
    imagenet_indices=tuple((index,) for index, _ in imagenet_subset("imagenet_r")),
)
