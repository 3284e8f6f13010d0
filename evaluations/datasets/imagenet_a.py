"""ImageNet-A: 7,500 photographs that a ResNet-50 gets wrong, of 200 ImageNet classes.

Natural images kept because ResNet-50 failed on them (Hendrycks et al. 2021), so that
network scores about nothing. The authors score the 200 logits of these classes alone
(hendrycks/natural-adv-examples, eval.py): evaluator `classifier_masked`. Its 200 classes
are not those of ImageNet-R: 86 are shared.
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
        "imagenet-a.tar",
        name="imagenet_a",
        split=split,
        classes=[wnid for _, wnid in imagenet_subset("imagenet_a")],
        expected=DATASET.splits[split],
    )


DATASET = Dataset(
    title="ImageNet-A",
    classes=200,
    splits={"test": 7_500},
    licence="MIT",
    source=(
        "Hendrycks et al. (arXiv:1907.07174), https://github.com/hendrycks/natural-adv-examples"
    ),
    address="https://github.com/hendrycks/natural-adv-examples",
    layouts=(
        Layout(
            tree="imagenet-a/<wnid>/<image>.jpg",
            files=(Files(pattern="*/*", count=7_500),),
            get="unpack imagenet-a.tar",
        ),
        Layout(
            tree="imagenet-a/imagenet-a.tar, read in place",
            files=(Files(pattern="imagenet-a.tar"),),
            get="put imagenet-a.tar",
        ),
    ),
    bytes=688_000_000,
    scored_classes="its 200, of the 1000 that a classifier knows",
    preprocessing="shorter side 256, centre 224, bilinear",
    geometry=Geometry(image_size=224, resize=256, interpolation="bilinear"),
    open=open_split,
    folders=("imagenet-a", "imagenet_a"),
    training=None,
    imagenet_indices=tuple((index,) for index, _ in imagenet_subset("imagenet_a")),
)
