"""MoCo v1 and v2: encoder_q is the network that is evaluated, encoder_k its momentum copy.

facebookresearch/moco: moco/builder.py names them, main_moco.py saves `state_dict` under
`module.`, main_lincls.py takes `encoder_q` without its `fc`. That is a projector and no
classifier: one linear layer in v1, two with a ReLU in v2, which tells them apart.
"""

from ..torch_family import Beside, Family, family_format


def _method(beside: Beside) -> str | None:
    if "encoder_q.fc.weight" in beside.tensors:
        return "moco_v1"
    return "moco_v2" if "encoder_q.fc.2.weight" in beside.tensors else None


FORMAT = family_format(
    Family(
        networks={"query": ("encoder_q.",), "momentum": ("encoder_k.",)},
        # mmselfsup keeps its own copies under the same names, but numbered: encoder_q.0.conv1.
        is_theirs=lambda beside: "encoder_q" in beside.parts,
        method=_method,
    ),
    description="MoCo v1 and v2 (encoder_q, encoder_k)",
    source="facebookresearch/moco: moco/builder.py, main_moco.py, main_lincls.py",
)
