"""Hugging Face's ResNet: a folder that `AutoModel.from_pretrained` opens.

huggingface/transformers: models/resnet/modeling_resnet.py. Channel counts are free there, so
every width can be built, and any number of stages; padding is symmetric, the stem 7x7 with
a max-pool, shortcuts are projections where the shape changes, epsilon is 1e-5. With
`downsample_in_bottleneck` false the stride sits on the 3x3 convolution, as ours does.

A head makes the folder a `ResNetForImageClassification` (names begin with `resnet.`);
without one it is a `ResNetModel`, whose features are `pooler_output`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..export_format import Export, Limits
from ..files import write_text
from ..hugging_face_names import their_name
from ..manifest import HEADER_KEY, Manifest
from ..spec import Preprocessing
from ..stored import Stored
from ._state_dict import state_dict, write_safetensors

_PIL = {"bilinear": 2, "bicubic": 3}  # PIL.Image.Resampling


def write(tensors: Mapping[str, Stored], manifest: Manifest, output: Path) -> None:
    """Write config.json, preprocessor_config.json and model.safetensors into a folder."""
    prefix = "resnet." if manifest.classes is not None else ""
    table = {their_name(name, prefix): array for name, array in state_dict(tensors).items()}
    write_safetensors(str(output / "model.safetensors"), table)
    _write_json(output / "config.json", config(manifest))
    _write_json(output / "preprocessor_config.json", preprocessor(manifest.preprocessing))


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    write_text(path, json.dumps(content, indent=2) + "\n")


def config(manifest: Manifest) -> dict[str, Any]:
    """Return `ResNetConfig` as JSON, with our manifest beside its own fields."""
    spec, classes = manifest.spec, manifest.classes
    content: dict[str, Any] = {
        "model_type": "resnet",
        "architectures": ["ResNetModel" if classes is None else "ResNetForImageClassification"],
        "num_channels": 3,
        "embedding_size": spec.stem_channels,
        "hidden_sizes": [channels * spec.expansion for channels in spec.stage_channels],
        "depths": list(spec.blocks),
        "layer_type": "bottleneck" if spec.bottleneck else "basic",
        "hidden_act": "relu",
        "downsample_in_first_stage": False,
        "downsample_in_bottleneck": False,
        HEADER_KEY: json.loads(manifest.to_json()),
    }
    if classes is not None:
        labels = [f"LABEL_{index}" for index in range(classes)]
        content["id2label"] = {str(index): label for index, label in enumerate(labels)}
        content["label2id"] = {label: index for index, label in enumerate(labels)}
    return content


def preprocessor(seen: Preprocessing) -> dict[str, Any]:
    """Return the image processor that resizes and crops as `seen` says.

    BiT's, not the ConvNeXT one of the library's own ResNets: that one derives the resize
    from a crop fraction and cannot leave it out.
    """
    side = seen.image_size
    return {
        "image_processor_type": "BitImageProcessor",
        "do_resize": seen.resize is not None,
        "size": {"shortest_edge": seen.resize or side},
        "resample": _PIL[seen.interpolation],
        "do_center_crop": True,
        "crop_size": {"height": side, "width": side},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(seen.mean),
        "image_std": list(seen.std),
        "do_convert_rgb": True,
    }


def loads_with(manifest: Manifest, output: str) -> str:
    """Return the line that builds the network with its weights."""
    kind = "AutoModel" if manifest.classes is None else "AutoModelForImageClassification"
    return f"model = transformers.{kind}.from_pretrained({output!r})"


EXPORT = Export(
    write=write,
    limits=Limits(
        paddings=("symmetric",),
        stems=("imagenet",),
        shortcuts=("projection",),
        epsilons=(1e-5,),
    ),
    is_folder=True,
    loads_with=loads_with,
    description="Hugging Face's folder (config.json, model.safetensors): AutoModel",
    source="huggingface/transformers: models/resnet/modeling_resnet.py",
)
