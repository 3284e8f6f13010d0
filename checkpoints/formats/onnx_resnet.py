"""ONNX models that relicheck exported: initialisers by canonical name, and the manifest.

Models of other exporters are refused: they fold BatchNorm into the convolutions and number
their tensors, and how a layer pads is in nodes that are not read here.
"""

from ..container import Opened, tensors_of
from ..errors import BadCheckpoint
from ..exported import told_manifest
from ..format import Format, Upstream
from ..manifest import HEADER_KEY
from ..stored import shapes_of
from ..torch_table import is_resnet


def matches(opened: Opened) -> bool:
    """Return whether the file is an ONNX model with the names of a ResNet."""
    return opened.container == "onnx_file" and is_resnet(tensors_of(opened.at("initializers")))


def read(opened: Opened, network: str | None) -> Upstream:
    """Return the network with the spec and the input that its manifest tells.

    Raises:
        BadCheckpoint: there is no manifest.
        ManifestMismatch: it is of another network.
    """
    text = opened.at("metadata", HEADER_KEY)
    if not isinstance(text, str):
        raise BadCheckpoint(
            opened.path,
            f"an ONNX model without {HEADER_KEY} in its metadata",
            "one that relicheck export wrote",
            "Convert the checkpoint that it was exported from.",
        )
    tensors = tensors_of(opened.at("initializers"))
    manifest = told_manifest(text, shapes_of(tensors), opened.path)
    return Upstream(
        tensors=tensors,
        spec=manifest.spec,
        preprocessing=manifest.preprocessing,
        classes=manifest.classes,
        stored={"source": manifest.source, "licence": manifest.licence},
        method=manifest.method,
    )


FORMAT = Format(
    matches=matches,
    read=read,
    description="ONNX models of relicheck export (.onnx)",
    source="onnx/onnx: onnx/onnx.proto",
)
