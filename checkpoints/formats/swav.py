"""SwAV, DeepCluster-v2 and SeLa-v2: a backbone with a projection head and prototypes.

facebookresearch/swav: src/resnet50.py keeps all three in one module; main_swav.py saves it as
`state_dict`, the published files are the table itself, both under `module.` (hubconf.py). The
stem pads by 1 and again by 2, with zeros, which is torch's 3; widths multiply every channel. One
table of prototypes is SwAV's; several are DeepCluster-v2's or SeLa-v2's, which look the same.
"""

from ..spec import Preprocessing
from ..torch_family import Beside, Family, family_format

# eval_linear.py and src/multicropdataset.py write 0.228 where ImageNet has 0.229.
_EVALUATION = Preprocessing(
    image_size=224, resize=256, interpolation="bilinear", std=(0.228, 0.224, 0.225)
)


def _method(beside: Beside) -> str | None:
    return "swav" if "prototypes.weight" in beside.tensors else None


FORMAT = family_format(
    Family(
        networks={"backbone": ("",)},
        is_theirs=lambda beside: {"projection_head", "prototypes"} <= beside.parts,
        method=_method,
        preprocessing={"imagenet": _EVALUATION},
    ),
    description="SwAV, DeepCluster-v2, SeLa-v2 (projection_head, prototypes)",
    source="facebookresearch/swav: src/resnet50.py, main_swav.py, hubconf.py",
)
