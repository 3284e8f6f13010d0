"""timm's folders (config.json, model.safetensors) of plain ResNets, as its hub has them.

huggingface/pytorch-image-models: timm/models/_hub.py and resnet.py. The names are
torchvision's; what the weights cannot say is in config.json: variants of equal shapes with
another pooling (`resnetaa50`, `resnetblur50`) have another `architecture`.
"""

from collections.abc import Mapping
from typing import Any

from ..container import Opened
from ..errors import BadCheckpoint, ManifestMismatch
from ..format import Format, Upstream
from ..spec import Preprocessing
from ..stored import Stored
from ..torch_table import is_resnet, upstream_of

_PLAIN = tuple(f"resnet{depth}" for depth in (18, 34, 50, 101, 152, 200))

# Arguments that change no function, or only the head, whose shape tells the same.
_USUAL_ARGUMENTS = {"in_chans": (3,), "global_pool": ("avg", ""), "num_classes": range(1 << 20)}


def matches(opened: Opened) -> bool:
    """Return whether the folder names an architecture and holds torchvision's names."""
    in_folder = opened.container == "hub_folder" and bool(_architecture(opened))
    return in_folder and is_resnet(_table(opened))


def _table(opened: Opened) -> dict[str, Stored]:
    return {n: t for n, t in opened.tree.items() if isinstance(t, Stored)}


def _architecture(opened: Opened) -> str:
    return str(opened.at("config", "architecture") or "")


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network with the preprocessing that its config.json names.

    Raises:
        BadCheckpoint: the architecture is not a plain ResNet.
    """
    # Hub files write the training recipe behind a dot: resnet50.a1_in1k.
    name = _architecture(opened).partition(".")[0]
    given = opened.at("config", "model_args") or {}
    given = given if isinstance(given, Mapping) else {"model_args": given}
    arguments = {k: v for k, v in given.items() if v not in _USUAL_ARGUMENTS.get(k, ())}
    if name not in _PLAIN or arguments:
        raise BadCheckpoint(
            opened.path,
            f"its architecture is {name!r}" + (f" with {arguments}" if arguments else ""),
            " or ".join(_PLAIN),
        )
    upstream = upstream_of(opened, _table(opened), preprocessing=_preprocessing(opened))
    if upstream.spec.name != f"ResNet-{name.removeprefix('resnet')} 1x":
        raise BadCheckpoint(opened.path, f"its tensors are those of {upstream.spec.name}", name)
    return upstream


def _preprocessing(opened: Opened) -> Preprocessing:
    found: Mapping[str, Any] = opened.at("config", "pretrained_cfg") or {}
    try:
        side = int(found["input_size"][-1])
        return Preprocessing(
            image_size=side,
            resize=int(side / float(found["crop_pct"])),
            interpolation=found["interpolation"],
            mean=tuple(map(float, found["mean"])),  # type: ignore[arg-type]
            std=tuple(map(float, found["std"])),  # type: ignore[arg-type]
        )
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        ZeroDivisionError,
        ManifestMismatch,
    ) as error:
        raise BadCheckpoint(
            opened.path, f"the pretrained_cfg of its config.json cannot be understood ({error})"
        ) from error


FORMAT = Format(
    matches=matches,
    read=read,
    description="timm's folder of a plain ResNet (config.json, model.safetensors)",
    source="huggingface/pytorch-image-models: timm/models/_hub.py",
)
