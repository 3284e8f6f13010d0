"""SimCLR's TensorFlow 2 ResNets, checkpoints and SavedModels (.index and .data files).

google-research/simclr: tf2/resnet.py, tf2/model.py, tf2/run.py. The variables are found by
the attributes of `Model`, in the object graph that lies beside them. Padding and input are
those of the TensorFlow 1 code.
"""

from ..container import Opened
from ..errors import BadCheckpoint
from ..format import Format, Upstream
from ..infer import infer_spec
from ..object_graph import Node, read_object_graph
from ..simclr_network import (
    classifier,
    dropped,
    encoder_tensors,
    group_of,
    preprocessing_of,
)
from ..stored import shapes_of

_DENSE = ("model", "supervised_head", "linear_layer", "dense")


def _encoder(root: Node | None) -> Node | None:
    return root.at("model", "resnet_model") if root else None


def matches(opened: Opened) -> bool:
    """Return whether the object graph has `model.resnet_model`."""
    try:
        return _encoder(read_object_graph(opened)) is not None
    except BadCheckpoint:
        return False


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network; its supervised linear layer, where it takes features, as `fc`.

    Raises:
        BadCheckpoint: no such network, or not a plain ResNet.
    """
    root = read_object_graph(opened)
    encoder = _encoder(root)
    if root is None or encoder is None:
        raise BadCheckpoint(opened.path, "has no model.resnet_model", "a SimCLR checkpoint")
    named = encoder_tensors(encoder)
    spec = infer_spec(shapes_of(named), opened.path, padding="fixed")
    if _head_takes_features(root):
        kernel, bias = (root.tensor_at(*_DENSE, leaf) for leaf in ("kernel", "bias"))
        named |= classifier(kernel, bias, spec.feature_dim)
    step = root.tensor_at("global_step")
    return Upstream(
        tensors=named,
        spec=spec,
        preprocessing=preprocessing_of(spec),
        classes=named["fc.bias"].final_shape[0] if "fc.bias" in named else None,
        dropped=dropped(opened, named.values(), group_of),
        stored={"step": int(step.load())} if step is not None and step.shape == () else {},
        method="simclr",
    )


def _head_takes_features(root: Node) -> bool:
    # As in formats/simclr.py: fine-tuned, it may stand on the first layer of the projection
    # head, which is as wide; as long as the head's last layer is trained, on the encoder.
    last = root.items_at("model", "_projection_head", "linear_layers")[-1:]
    kernel = last[0].at("dense", "kernel") if last else None
    optimizer = root.at("optimizer")
    trained = optimizer.slotted if optimizer else set()
    return kernel is None or kernel.id in trained


FORMAT = Format(
    matches=matches,
    read=read,
    description="SimCLR's TensorFlow 2 ResNets, checkpoints and SavedModels (.index, .data)",
    source="google-research/simclr: tf2/resnet.py, tf2/model.py, tf2/run.py",
)
