"""VICReg's full checkpoints: a backbone and a projector whose linear layers have biases.

facebookresearch/vicreg: main_vicreg.py saves `model` under `module.`; resnet.py is SwAV's, its
stem pads by 1 and again by 2, and widths multiply every channel. Files with the backbone alone
(resnet50.pth, resnet50x2.pth, resnet200x2.pth) have torchvision's names and no mark of their
origin: they are detected as `torchvision`; `--format vicreg` says whose they are.
"""

from ..torch_family import Beside, Family, family_format


def _is_theirs(beside: Beside) -> bool:
    # Barlow Twins' projector has no biases, and a last `bn` beside it.
    return beside.parts == {"backbone", "projector"} and "projector.0.bias" in beside.tensors


FORMAT = family_format(
    Family(
        networks={"backbone": ("backbone.",)},
        is_theirs=_is_theirs,
        method=lambda beside: "vicreg",
        tables=("model.", ""),
    ),
    description="VICReg's full checkpoints (backbone, projector)",
    source="facebookresearch/vicreg: main_vicreg.py, resnet.py, evaluate.py",
)
