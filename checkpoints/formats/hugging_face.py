"""Hugging Face's ResNetModel and ResNetForImageClassification, a folder or its weights.

huggingface/transformers: models/resnet/modeling_resnet.py. Padding is symmetric and epsilon
1e-5, always. Where the stride of a bottleneck sits is in config.json only: on the 3x3 unless
`downsample_in_bottleneck`, which is another function and refused.
"""

from collections.abc import Mapping
from typing import Any

from ..container import Opened, tensors_of
from ..containers.hub_folder import read_json
from ..errors import BadCheckpoint, ManifestMismatch
from ..format import Format, Upstream
from ..hugging_face_names import our_name
from ..infer import infer_spec
from ..spec import Interpolation, Preprocessing, ResNetSpec
from ..stored import Stored, shapes_of
from ..torch_table import TORCH_CONTAINERS, usual_preprocessing

_PREFIXES = ("resnet.", "")
_STEM, _FIRST = "conv1.weight", "layer1.0.conv1.weight"
_PIL: dict[object, Interpolation] = {2: "bilinear", 3: "bicubic"}  # PIL.Image.Resampling
# What must stand in config.json for the network to be the one we compute.
_ALWAYS = {
    "model_type": "resnet",
    "hidden_act": "relu",
    "downsample_in_first_stage": False,
    "downsample_in_bottleneck": False,
}


def matches(opened: Opened) -> bool:
    """Return whether the stem and the first block of a Hugging Face ResNet are here."""
    if opened.container not in (*TORCH_CONTAINERS, "hub_folder"):
        return False
    return {_STEM, _FIRST} <= set(_named(opened)[0])


def _named(opened: Opened) -> tuple[dict[str, Stored], list[str]]:
    """Return the tensors by canonical name, and the names that are none of the network's."""
    named, left = {}, []
    for name, tensor in tensors_of(opened.tree).items():
        # The head's name has no prefix, the backbone's has one where a head is.
        ours = next((o for p in _PREFIXES if (o := our_name(name.removeprefix(p)))), None)
        if ours is None:
            left.append(name)
        elif not ours.endswith("num_batches_tracked"):
            named[ours] = tensor
    return named, left


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network, with `fc` where it is a classifier.

    Raises:
        BadCheckpoint: config.json describes another function, or contradicts the tensors.
    """
    named, left = _named(opened)
    if _STEM not in named:
        raise BadCheckpoint(opened.path, "no embedder.embedder.convolution.weight", "a ResNetModel")
    spec = infer_spec(shapes_of(named), opened.path, padding="symmetric")
    texts = {name: _text(opened, name) for name in ("config", "preprocessor_config")}
    _check_config(opened, texts["config"], spec)
    head = named.get("fc.weight")
    return Upstream(
        tensors=named,
        spec=spec,
        preprocessing=_preprocessing(opened, texts["preprocessor_config"]),
        classes=head.final_shape[0] if head is not None and head.final_shape else None,
        dropped=tuple(sorted(left)),
        stored=_stored(texts["config"]),
    )


def _text(opened: Opened, name: str) -> Mapping[str, Any]:
    if opened.container == "hub_folder":
        return opened.at(name) or {}
    return read_json(opened.path.parent / f"{name}.json")


def _check_config(opened: Opened, config: Mapping[str, Any], spec: ResNetSpec) -> None:
    wrong = {key: config[key] for key in _ALWAYS if config.get(key, _ALWAYS[key]) != _ALWAYS[key]}
    # Without bottlenecks there is no place where the last of them could matter.
    if not spec.bottleneck:
        wrong.pop("downsample_in_bottleneck", None)
    if spec.stem != "imagenet":
        wrong["stem"] = "not 7x7"
    if config.get("depths", list(spec.blocks)) != list(spec.blocks):
        wrong["depths"] = config["depths"]
    if wrong:
        raise BadCheckpoint(
            opened.path,
            ", ".join(f"its {key} is {value!r}" for key, value in wrong.items()),
            "a ResNet of version 1.5: " + ", ".join(f"{k} {v!r}" for k, v in _ALWAYS.items()),
        )


def _stored(config: Mapping[str, Any]) -> dict[str, Any]:
    if not config:
        return {"config.json": "absent: the stride is taken to be on the 3x3 convolution"}
    return {key: config[key] for key in ("_name_or_path", "architectures") if key in config}


def _preprocessing(opened: Opened, found: Mapping[str, Any]) -> Preprocessing:
    if not found:
        return usual_preprocessing(True)
    try:
        side, resize = _sides(found)
        return Preprocessing(
            image_size=side,
            resize=resize if found.get("do_resize", True) else None,
            interpolation=_PIL.get(found.get("resample"), "bicubic"),
            mean=tuple(map(float, found["image_mean"])),  # type: ignore[arg-type]
            std=tuple(map(float, found["image_std"])),  # type: ignore[arg-type]
        )
    except (KeyError, TypeError, ValueError, ZeroDivisionError, ManifestMismatch) as error:
        raise BadCheckpoint(
            opened.path, f"its preprocessor_config.json cannot be understood ({error})"
        ) from error


def _sides(found: Mapping[str, Any]) -> tuple[int, int]:
    """Return the crop's side and the resized shorter side, in pixels."""
    size = found["size"]
    shorter = int(size["shortest_edge"] if isinstance(size, Mapping) else size)
    if crop := found.get("crop_size"):
        return int(crop["height"] if isinstance(crop, Mapping) else crop), shorter
    # ConvNeXT's processor: `size` is the crop; from 384 pixels up it does not crop at all.
    if shorter >= 384:
        return shorter, shorter
    return shorter, int(shorter / (found.get("crop_pct") or 224 / 256))


FORMAT = Format(
    matches=matches,
    read=read,
    description="Hugging Face's ResNetModel (folder, .safetensors, .bin)",
    source="huggingface/transformers: models/resnet/modeling_resnet.py",
)
