"""MoCo v3: base_encoder is the network that is evaluated, momentum_encoder its average.

facebookresearch/moco-v3: moco/builder.py names them and replaces their `fc` by a projector of
two layers; main_moco.py saves `state_dict` under `module.`; main_lincls.py takes `base_encoder`
without its `fc`.
"""

from ..torch_family import Family, family_format

FORMAT = family_format(
    Family(
        networks={"base": ("base_encoder.",), "momentum": ("momentum_encoder.",)},
        # solo-learn's first versions have a momentum_encoder too, beside an `encoder`.
        is_theirs=lambda beside: "base_encoder" in beside.parts,
        method=lambda beside: "moco_v3",
    ),
    description="MoCo v3 (base_encoder, momentum_encoder)",
    source="facebookresearch/moco-v3: moco/builder.py, main_moco.py, main_lincls.py",
)
