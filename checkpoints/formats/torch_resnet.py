"""ResNets with torchvision's names: torchvision, DataParallel, MoCo, VISSL and kin.

Sources of the prefixes: facebookresearch/swav hubconf.py, facebookresearch/moco
main_lincls.py, facebookresearch/moco-v3 main_lincls.py, facebookresearch/vicreg
evaluate.py, facebookresearch/vissl extra_scripts/convert_vissl_to_torchvision.py.
"""

from pathlib import Path

import numpy as np

from ..errors import RelicheckError
from ..format import Format, Upstream
from ..infer import infer_spec
from ..parameters import parameter_shapes
from ..spec import Preprocessing
from ..torch_file import read_torch_file, strip_prefixes

# Longest first: the first prefix under which a stem lies is taken. MoCo keeps the network
# that is evaluated as encoder_q (v1, v2) or base_encoder (v3), never the momentum copy.
_PREFIXES = (
    "module.encoder_q.",
    "module.base_encoder.",
    "module.backbone.",
    "module.",
    "backbone.",
    "_feature_blocks.",
    "",
)


def matches(path: Path) -> bool:
    """Return whether the file holds a stem and a first block by torchvision's names."""
    try:
        tensors = strip_prefixes(read_torch_file(path)[0], _PREFIXES)
    except RelicheckError:
        return False
    first_block = {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight"} <= set(tensors)
    return first_block and "linear.weight" not in tensors


def read(path: Path) -> Upstream:
    """Return the backbone, with `fc` where it is a classifier.

    Heads that are not one linear layer (projectors, predictors, prototypes) are
    dropped and listed. Preprocessing is torchvision's: shorter side 256, crop 224 for
    the ImageNet stem; none for the CIFAR stem.
    """
    stored_tensors, stored = read_torch_file(path)
    return canonical_upstream(path, strip_prefixes(stored_tensors, _PREFIXES), stored)


def canonical_upstream(
    path: Path, tensors: dict[str, np.ndarray], stored: dict[str, object]
) -> Upstream:
    """Return tensors that already have torchvision's names as what a format reads.

    Raises:
        BadCheckpoint: they are not a ResNet's.
    """
    named = {n: t for n, t in tensors.items() if not n.endswith("num_batches_tracked")}
    spec = infer_spec({n: t.shape for n, t in named.items()}, path, padding="symmetric")
    head = named.get("fc.weight")
    classes = head.shape[0] if head is not None and head.ndim == 2 else None
    if classes is not None and "fc.bias" not in named:
        classes = None
    wanted = parameter_shapes(spec, classes)
    # A left-over of the backbone itself stays, so that the check against the template
    # refuses it; only whole foreign heads are dropped.
    kept = {n: t for n, t in named.items() if n in wanted or n.startswith(("layer", "bn", "conv"))}
    imagenet = spec.stem == "imagenet"
    return Upstream(
        tensors=kept,
        spec=spec,
        preprocessing=Preprocessing(
            image_size=224 if imagenet else 32,
            resize=256 if imagenet else None,
            interpolation="bilinear" if imagenet else "bicubic",
        ),
        classes=classes,
        dropped=tuple(sorted(set(named) - set(kept))),
        stored=stored,
    )


FORMAT = Format(
    matches=matches,
    read=read,
    description="ResNets with torchvision's names (.pth, .pt, .tar, .th, .safetensors)",
    source="pytorch/vision: torchvision/models/resnet.py",
)
