"""timm's training checkpoints, and files of its hub whose config.json lies beside them.

huggingface/pytorch-image-models: timm/utils/checkpoint_saver.py keeps `arch`, `version`, the
trained network as state_dict and its moving average as state_dict_ema. The names are
torchvision's, so a bare state dict of timm is detected as `torchvision`.

Anti-aliased kin (resnetaa50, resnetblur50: timm/models/resnet.py) have the plain network's
tensors to the last shape; only `arch`, the arguments or config.json tell them apart, and a bare
state dict of theirs is nowhere told from a plain one's. Those of timm/models/resnetv2.py and
sknet.py are refused by their names.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..container import Opened
from ..containers.hub_folder import read_json
from ..errors import BadCheckpoint
from ..format import Upstream
from ..pickles.inert import Inert
from ..torch_family import Beside, Family, family_format
from ..torch_table import torch_tensors

# Kin whose first block has other names than torchvision's: these are claimed to be refused.
_KIN = {
    "stages.0.blocks.0.norm1.weight": "a pre-activation ResNet (v2)",
    "layer1.0.conv1.paths.0.conv.weight": "a ResNet with selective kernels (SK)",
    "layer1.0.conv2.paths.0.conv.weight": "a ResNet with selective kernels (SK)",
}
_ANTI_ALIASED = ("resnetaa", "resnetblur", "resnetrs")
# Arguments that change training, or shapes that tell themselves.
_HARMLESS = {"num_classes", "in_chans", "drop_rate", "drop_path_rate", "drop_block_rate"}


def _is_theirs(beside: Beside) -> bool:
    tree = beside.opened.tree
    trained = "arch" in tree and ("version" in tree or "state_dict_ema" in tree)
    return trained or bool(_beside(beside.opened).get("architecture"))


def _beside(opened: Opened) -> Mapping[str, Any]:
    try:
        return read_json(opened.path.parent / "config.json")
    except BadCheckpoint:  # another program's config.json says nothing about ours
        return {}


def _check(beside: Beside) -> None:
    config, args = _beside(beside.opened), beside.opened.at("args")
    stored = args.members() if isinstance(args, Inert) else {}
    name = str(beside.opened.at("arch") or config.get("architecture") or "")
    arguments: dict[str, Any] = {}
    for given in (stored.get("model_kwargs"), config.get("model_args")):
        arguments |= given if isinstance(given, Mapping) else {}
    unusual = sorted(set(arguments) - _HARMLESS - _usual_pooling(arguments))
    if name.startswith(_ANTI_ALIASED) or unusual:
        raise BadCheckpoint(
            beside.opened.path,
            f"its architecture is {name!r}" + (f" with {', '.join(unusual)}" if unusual else ""),
            "a plain ResNet, which no anti-aliasing or other argument makes another function",
        )


def _usual_pooling(arguments: Mapping[str, Any]) -> set[str]:
    return {"global_pool"} if arguments.get("global_pool") in ("avg", "") else set()


_TRAINED = family_format(
    Family(
        networks={"model": ("state_dict.", ""), "ema": ("state_dict_ema.",)},
        is_theirs=_is_theirs,
        tables=("",),
        keeps_fc=True,
        check=_check,
    ),
    description="timm's training checkpoints (arch, state_dict, state_dict_ema)",
    source="huggingface/pytorch-image-models: timm/utils/checkpoint_saver.py",
)


def matches(opened: Opened) -> bool:
    """Return whether timm's training saved the file, or a kind of ResNet that only timm has."""
    return _TRAINED.matches(opened) or _kin(opened) is not None


def _kin(opened: Opened) -> str | None:
    names = {name.removeprefix("state_dict.") for name in torch_tensors(opened)}
    return next((kin for sign, kin in _KIN.items() if sign in names), None)


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the trained network (default) or its moving average.

    Raises:
        BadCheckpoint: it is no plain ResNet, or the network is not there.
    """
    if kin := _kin(opened):
        raise BadCheckpoint(opened.path, f"its network is {kin}", "a plain ResNet of version 1")
    return _TRAINED.read(opened, network)


FORMAT = replace(_TRAINED, matches=matches, read=read)
