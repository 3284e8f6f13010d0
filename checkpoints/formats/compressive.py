"""C-BYOL, C-SimCLR and their baselines in TensorFlow 2 (.index and .data files).

google-research/compressive-visual-representations: resnet.py (a copy of SimCLR's tf2/),
model.py, run.py. `online`, the default, is what their evaluation takes; `target` is there
for BYOL and C-BYOL. Unlike SimCLR's, the input is normalised (run.py:
--batch_image_augmentation_type is byol by default; data_util.py: batch_augmentation_byol).
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..container import Opened
from ..errors import BadCheckpoint
from ..format import Format, Upstream
from ..infer import infer_spec
from ..object_graph import Node, read_object_graph
from ..simclr_network import classifier, dropped, encoder_tensors, group_of, preprocessing_of
from ..spec import Preprocessing, ResNetSpec
from ..stored import Stored, shapes_of

_ENCODERS = {"online": "_resnet", "target": "_target_resnet"}
_DENSE = ("model", "supervised_head", "linear_layer", "dense")
_FINETUNE = "finetune_global_step"
_STEPS = ("global_step", _FINETUNE)
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def matches(opened: Opened) -> bool:
    """Return whether the object graph has `model._resnet` and a projection head."""
    try:
        root = read_object_graph(opened)
    except BadCheckpoint:
        return False
    model = root.at("model") if root else None
    return model is not None and {"_resnet", "_projection_head"} <= model.children.keys()


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network; its linear classifier, where it takes features, as `fc`.

    Raises:
        BadCheckpoint: no such network in the file, or not a plain ResNet.
    """
    network = network or "online"
    root = read_object_graph(opened)
    encoder = root.at("model", _ENCODERS[network]) if root else None
    if root is None or encoder is None:
        raise BadCheckpoint(
            opened.path, f"has no {network} network", "online: SimCLR keeps no other"
        )
    named = encoder_tensors(encoder)
    spec = infer_spec(shapes_of(named), opened.path, padding="fixed")
    if network == "online":
        named |= _head(root, spec)
    return Upstream(
        tensors=named,
        spec=spec,
        preprocessing=_preprocessing(spec),
        classes=named["fc.bias"].final_shape[0] if "fc.bias" in named else None,
        dropped=dropped(opened, named.values(), group_of),
        stored=_facts(root),
        network=network,
        method=_method(root),
    )


def _head(root: Node, spec: ResNetSpec) -> Mapping[str, Stored]:
    """Return the classifier, unless it could as well stand on the projection head.

    Its input is the layer that --ft_proj_selector names. Shapes tell which, but for networks
    of width 2, which have as many features as that head has hidden units (4096): there it
    counts after linear evaluation only, which is of the frozen backbone (README.md).
    """
    hidden = [
        layer.tensor_at("dense", "kernel")
        for layer in root.items_at("model", "_projection_head", "linear_layers")
    ]
    wide = any(tensor is not None and tensor.shape[1:] == (spec.feature_dim,) for tensor in hidden)
    if wide and root.at(_FINETUNE) is None:
        return {}
    kernel, bias = (root.tensor_at(*_DENSE, leaf) for leaf in ("kernel", "bias"))
    return classifier(kernel, bias, spec.feature_dim)


def _preprocessing(spec: ResNetSpec) -> Preprocessing:
    return replace(preprocessing_of(spec), mean=_MEAN, std=_STD)


def _method(root: Node) -> str | None:
    # C-SimCLR is a loss: what it leaves in a file is what SimCLR leaves.
    if root.at("model", "_target_projector"):
        return "c_byol"
    return "byol" if root.at("model", "_target_resnet") else None


def _facts(root: Node) -> dict[str, Any]:
    found = {name: root.tensor_at(name) for name in _STEPS}
    return {
        name.replace("global_", ""): int(tensor.load())
        for name, tensor in found.items()
        if tensor is not None and tensor.shape == ()
    }


FORMAT = Format(
    matches=matches,
    read=read,
    networks=tuple(_ENCODERS),
    description="C-BYOL, C-SimCLR and their baselines in TensorFlow 2 (.index, .data)",
    source="google-research/compressive-visual-representations: model.py, resnet.py, run.py",
)
