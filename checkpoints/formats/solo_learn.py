"""solo-learn's Lightning checkpoints: a torchvision backbone beside its online classifier.

vturrisi/solo-learn: solo/methods/base.py names `backbone` (`encoder` in its first versions),
`classifier` and their momentum copies; solo/utils/checkpointer.py saves through Lightning and
writes args.json, which names the method, into the same folder.

For CIFAR-10 and -100 it replaces the stem by a 3x3 convolution that pads by 2 pixels instead of
1 (base.py, main_linear.py), so that 32 pixels become 34. The tensors are those of the usual
CIFAR stem and cannot tell.
"""

from dataclasses import replace

from ..containers.hub_folder import read_json
from ..errors import BadCheckpoint
from ..spec import Preprocessing, ResNetSpec
from ..torch_family import Beside, Family, family_format

_HEADS = {"projector", "predictor", "prototypes", "momentum_projector", "momentum_backbone"}
_LIGHTNING = "pytorch-lightning_version"
# solo/data/classification_dataloader.py: Resize(256) without an interpolation is bilinear;
# CIFAR has deviations of its own.
_CIFAR = Preprocessing(image_size=32, mean=(0.4914, 0.4822, 0.4465), std=(0.247, 0.243, 0.261))


def _is_theirs(beside: Beside) -> bool:
    parts = beside.parts
    named = bool(parts & {"backbone", "encoder"}) and "classifier" in parts
    return named and (_LIGHTNING in beside.opened.tree or bool(parts & _HEADS))


def _method(beside: Beside) -> str | None:
    try:
        found = read_json(beside.opened.path.parent / "args.json").get("method")
    except BadCheckpoint:  # another program's args.json says nothing about ours
        return None
    return found if isinstance(found, str) else None


def _specify(spec: ResNetSpec) -> ResNetSpec:
    return spec if spec.stem == "imagenet" else replace(spec, stem="cifar_padded")


FORMAT = family_format(
    Family(
        networks={
            "online": ("backbone.", "encoder."),
            "momentum": ("momentum_backbone.", "momentum_encoder."),
        },
        is_theirs=_is_theirs,
        method=_method,
        classifiers={"online": ("classifier.",), "momentum": ("momentum_classifier.",)},
        preprocessing={"cifar_padded": _CIFAR},
        specify=_specify,
    ),
    description="solo-learn's Lightning checkpoints (backbone, classifier)",
    source="vturrisi/solo-learn: solo/methods/base.py, solo/utils/checkpointer.py",
)
