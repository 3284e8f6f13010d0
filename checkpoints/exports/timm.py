"""timm's ResNets: a folder that `timm.create_model("local-dir:...")` opens.

huggingface/pytorch-image-models: timm/models/resnet.py and _hub.py. timm's `resnetN` pads
symmetrically and has a 7x7 stem of 64 channels that no argument widens; its models with
TensorFlow's padding (`tf_...`) are EfficientNets and MobileNets, none a ResNet. The folder
holds config.json, which carries the preprocessing, and model.safetensors, whose names are
torchvision's.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..export_format import Export, Limits
from ..files import write_text
from ..manifest import HEADER_KEY, Manifest
from ..stored import Stored
from ._state_dict import state_dict, write_safetensors


def write(tensors: Mapping[str, Stored], manifest: Manifest, output: Path) -> None:
    """Write config.json and model.safetensors into the folder `output`."""
    write_safetensors(str(output / "model.safetensors"), state_dict(tensors))
    write_text(output / "config.json", json.dumps(config(manifest), indent=2) + "\n")


def config(manifest: Manifest) -> dict[str, Any]:
    """Return timm's description of the network and of its input.

    timm always resizes; where the manifest does not, its resize is to the crop's side.
    """
    seen = manifest.preprocessing
    side = seen.image_size
    return {
        "architecture": f"resnet{manifest.spec.depth}",
        "num_classes": manifest.classes or 0,
        "num_features": manifest.spec.feature_dim,
        "pretrained_cfg": {
            "input_size": [3, side, side],
            "fixed_input_size": False,
            "interpolation": seen.interpolation,
            "crop_pct": crop_fraction(side, seen.resize or side),
            "mean": list(seen.mean),
            "std": list(seen.std),
            "num_classes": manifest.classes or 0,
            "pool_size": None,
            "first_conv": "conv1",
            "classifier": "fc",
            "license": manifest.licence,
        },
        HEADER_KEY: json.loads(manifest.to_json()),
    }


def crop_fraction(side: int, resize: int) -> float:
    """Return the fraction with which floor(side / fraction) is `resize`, as timm computes it.

    >>> crop_fraction(224, 256)
    0.875
    """
    plain = side / resize
    return plain if math.floor(side / plain) == resize else side / (resize + 0.5)


def loads_with(manifest: Manifest, output: str) -> str:
    """Return the line that builds the network with its weights."""
    folder = str(Path(output).resolve())
    return f"model = timm.create_model({'local-dir:' + folder!r}, pretrained=True)"


EXPORT = Export(
    write=write,
    limits=Limits(
        paddings=("symmetric",),
        stems=("imagenet",),
        shortcuts=("projection",),
        depths=(18, 34, 50, 101, 152, 200),
        widths=(1.0,),
        epsilons=(1e-5,),
    ),
    is_folder=True,
    loads_with=loads_with,
    description="timm's folder (config.json, model.safetensors): create_model, local-dir",
    source="huggingface/pytorch-image-models: timm/models/_hub.py",
)
