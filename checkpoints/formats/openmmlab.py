"""OpenMMLab's ResNets: mmselfsup, mmpretrain and kin, a `backbone` with necks and heads.

open-mmlab/mmpretrain: mmpretrain/models/backbones/resnet.py has torchvision's names;
models/heads/linear_head.py keeps a classifier as head.fc, mmselfsup's ClsHead as head.fc_cls.
Momentum copies are Sequential(backbone, neck): mmselfsup 0.x in encoder_k, target_net and
momentum_encoder, later ones inside an averaged model (models/selfsup/moco.py, byol.py).
mmselfsup: tools/model_converters/extract_backbone_weights.py leaves the bare table and `author`.

Where the stride of a bottleneck sits (`style`), strides and dilations leave no trace in the
tensors. The config that mmcv and mmengine store in `meta` tells; without it we take OpenMMLab's
defaults, which are torchvision's.
"""

import re
from collections.abc import Mapping

from ..errors import BadCheckpoint
from ..torch_family import Beside, Family, family_format

_COPIES = ("encoder_k.0.", "target_net.0.", "momentum_encoder.0.")
_CONFIGS = ("cfg", "config")  # mmengine's and mmcv's key in `meta`: the config as Python text
_BACKBONE = re.compile(r"\bbackbone\s*=\s*dict\(")
# What makes another function of the same tensors, or other tensors; written as arguments.
_UNUSUAL = re.compile(r"style\s*=\s*['\"]caffe['\"]|(?:deep_stem|avg_down)\s*=\s*True")
_NUMBERS = re.compile(r"\b(strides|dilations)\s*=\s*[(\[]([\d,\s]+)")
_PLAIN = {"strides": (1, 2, 2, 2), "dilations": (1, 1, 1, 1)}


def _is_theirs(beside: Beside) -> bool:
    tree = beside.opened.tree
    return isinstance(tree.get("meta"), Mapping) or "author" in tree


def _check(beside: Beside) -> None:
    texts = (beside.opened.at("meta", key) for key in _CONFIGS)
    config = next((text for text in texts if isinstance(text, str)), "")
    arguments = _arguments(config)
    unusual = [found[0] for found in _UNUSUAL.finditer(arguments)]
    for name, numbers in _NUMBERS.findall(arguments):
        values = tuple(int(number) for number in re.findall(r"\d+", numbers))
        if values != _PLAIN[name][: len(values)]:
            unusual.append(f"{name}={values}")
    if unusual:
        raise BadCheckpoint(
            beside.opened.path,
            f"its config says {', '.join(unusual)}",
            "a plain ResNet: style='pytorch', strides=(1, 2, 2, 2), no dilation",
        )


def _arguments(config: str) -> str:
    """Return what stands between the parentheses of `backbone=dict(...)`."""
    found = _BACKBONE.search(config)
    start = end = found.end() if found else len(config)
    depth = 1
    while end < len(config) and depth:
        depth += {"(": 1, ")": -1}.get(config[end], 0)
        end += 1
    return config[start:end]


FORMAT = family_format(
    Family(
        networks={"backbone": ("backbone.", ""), "momentum": _COPIES},
        is_theirs=_is_theirs,
        tables=("state_dict.",),
        classifiers={"backbone": ("head.fc.", "head.fc_cls.")},
        check=_check,
    ),
    description="OpenMMLab's ResNets: mmselfsup, mmpretrain (backbone, meta)",
    source="open-mmlab/mmpretrain: mmpretrain/models/backbones/resnet.py, models/selfsup",
)
