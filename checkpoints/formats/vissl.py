"""VISSL's checkpoints: a trunk under classy_state_dict, its moving average, a momentum copy.

facebookresearch/vissl: vissl/hooks/log_hooks.py saves them, models/trunks/resnext.py names the
trunk's modules `_feature_blocks`, extra_scripts/convert_vissl_to_torchvision.py takes them out.
A trunk that features were extracted from lies one `base_model` deeper. Losses keep MoCo's and
DINO's other network. Heads are dropped: whether one is a classifier or a projector, nothing
tells. A trunk that was built for colorization may have LAYER4_STRIDE 1, which no weight tells
either; we take the stride of 2 that all its published ResNets have.
"""

from ..torch_family import Family, family_format

_TRUNK = ("_feature_blocks.", "base_model._feature_blocks.")


def _under(*places: str) -> tuple[str, ...]:
    return tuple(f"{place}trunk.{trunk}" for place in places for trunk in _TRUNK)


FORMAT = family_format(
    Family(
        networks={
            "trunk": _under("classy_state_dict.base_model.model."),
            "ema": _under("classy_state_dict.ema_model.model."),
            "momentum": _under("loss.moco_encoder.", "loss.momentum_teacher."),
        },
        is_theirs=lambda beside: "classy_state_dict" in beside.parts,
        tables=("",),
    ),
    description="VISSL's trunks (classy_state_dict)",
    source="facebookresearch/vissl: vissl/hooks/log_hooks.py, vissl/models/trunks/resnext.py",
)
