"""ONNX: one graph (.onnx) of opset 17 that any ONNX runtime computes.

onnx/onnx: docs/Operators.md. Inputs of any batch, height and width; outputs `features`
[N, feature_dim] and, where there is a head, `logits` [N, classes]. `same` padding is
auto_pad SAME_UPPER: the odd pixel after, by the size of the image at hand, as in
TensorFlow. Initialisers keep the canonical names and OIHW, metadata_props the manifest.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import MissingDependency, UsageError
from ..export_format import Export, Limits
from ..manifest import HEADER_KEY, Manifest
from ..parameters import has_projection
from ..spec import ResNetSpec
from ..stored import Stored

OPSET = 17
_IR_VERSION = 8  # the first that has opset 17: older readers than that are rare
_LARGEST = (1 << 31) - (1 << 20)  # bytes; a protobuf message ends at 2 GiB
_LEAVES = ("weight", "bias", "running_mean", "running_var")
# Which strided layers are padded as SAME.
_SAME = {
    "symmetric": (),
    "fixed": ("pool",),
    "flax": ("pool", "block"),
    "same": ("stem", "pool", "block"),
}


def write(tensors: Mapping[str, Stored], manifest: Manifest, output: Path) -> None:
    """Write the model, checked by ONNX's own checker.

    Raises:
        MissingDependency: onnx is not installed.
        UsageError: the network is larger than one ONNX file can be.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise MissingDependency("onnx", "export") from error
    size = sum(tensor.nbytes for tensor in tensors.values())
    if size > _LARGEST:
        raise UsageError(
            "export to onnx",
            f"the network has {size} bytes of weights",
            f"at most {_LARGEST}: one ONNX file holds no more",
            "Use --to flax.",
        )
    model = build(tensors, manifest)
    onnx.checker.check_model(model)
    output.write_bytes(model.SerializeToString())


def build(tensors: Mapping[str, Stored], manifest: Manifest) -> Any:
    """Return the `onnx.ModelProto` of the network."""
    from onnx import TensorProto, helper

    graph = _Graph(manifest.spec)
    features = graph.backbone()
    outputs = [("features", manifest.spec.feature_dim)]
    if manifest.classes is not None:
        graph.add("Gemm", [features, "fc.weight", "fc.bias"], "logits", transB=1)
        outputs.append(("logits", manifest.classes))
    image: list[str | int | None] = ["N", 3, "height", "width"]
    made = helper.make_graph(
        graph.nodes,
        f"resnet{manifest.spec.depth}",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, image)],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N", c]) for n, c in outputs],
        [
            helper.make_tensor(name, TensorProto.FLOAT, tensor.final_shape, _bytes(tensor), True)
            for name, tensor in tensors.items()
        ],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(
        made, opset_imports=opsets, producer_name="relicheck", ir_version=_IR_VERSION
    )
    helper.set_model_props(model, {HEADER_KEY: manifest.to_json()})
    return model


def _bytes(tensor: Stored) -> bytes:
    return tensor.read().astype("<f4", copy=False).tobytes()


class _Graph:
    """The nodes of one network, in the order of the forward pass (resnet.py)."""

    def __init__(self, spec: ResNetSpec) -> None:
        self.spec = spec
        self.nodes: list[Any] = []

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        from onnx import helper

        node = helper.make_node(operator, inputs, [output], name=output, **attributes)
        self.nodes.append(node)
        return output

    def constant(self, name: str, values: list[int]) -> str:
        """Add a constant of whole numbers and return its name.

        A node, not an initialiser: those are exactly the parameters of the network.
        """
        from onnx import TensorProto, helper

        value = helper.make_tensor(name, TensorProto.INT64, [len(values)], values)
        return self.add("Constant", [], name, value=value)

    def backbone(self) -> str:
        """Return the name of the features, after adding everything before them."""
        spec, imagenet = self.spec, self.spec.stem == "imagenet"
        kernel, stride = (7, 2) if imagenet else (3, 1)
        x = self._normalised("images", "conv1", "bn1", kernel, stride, "stem")
        x = self.add("Relu", [x], "stem.relu")
        if imagenet:
            x = self.add("MaxPool", [x], "maxpool", **self._window(3, 2, "pool"))
        channels = spec.stem_channels
        for stage, blocks in enumerate(spec.blocks):
            for block in range(blocks):
                x = self._block(x, stage, block, channels)
                channels = spec.stage_channels[stage] * spec.expansion
        x = self.add("GlobalAveragePool", [x], "pooled")
        return self.add("Flatten", [x], "features", axis=1)

    def _window(self, kernel: int, stride: int, part: str) -> dict[str, Any]:
        window: dict[str, Any] = {"kernel_shape": [kernel] * 2, "strides": [stride] * 2}
        if stride > 1 and part in _SAME[self.spec.padding]:
            return {**window, "auto_pad": "SAME_UPPER"}
        is_padded = part == "stem" and self.spec.stem == "cifar_padded"
        return {**window, "pads": [2 if is_padded else kernel // 2] * 4}

    def _normalised(
        self, x: str, convolution: str, norm: str, kernel: int, stride: int, part: str = "block"
    ) -> str:
        window = self._window(kernel, stride, part)
        x = self.add("Conv", [x, f"{convolution}.weight"], f"{convolution}.out", **window)
        leaves = [f"{norm}.{leaf}" for leaf in _LEAVES]
        epsilon = self.spec.bn_epsilon
        return self.add("BatchNormalization", [x, *leaves], f"{norm}.out", epsilon=epsilon)

    def _block(self, images: str, stage: int, block: int, channels: int) -> str:
        prefix, stride = f"layer{stage + 1}.{block}", 2 if stage > 0 and block == 0 else 1
        plan = [(1, 1), (3, stride), (1, 1)] if self.spec.bottleneck else [(3, stride), (3, 1)]
        x = images
        for index, (kernel, step) in enumerate(plan, start=1):
            conv, norm = f"{prefix}.conv{index}", f"{prefix}.bn{index}"
            x = self._normalised(x, conv, norm, kernel, step)
            if index < len(plan):
                x = self.add("Relu", [x], f"{prefix}.relu{index}")
        outer = self.spec.stage_channels[stage] * self.spec.expansion
        shortcut = images
        if has_projection(self.spec, stage, block, channels):
            names = (f"{prefix}.downsample.0", f"{prefix}.downsample.1")
            shortcut = self._normalised(images, *names, 1, stride)
        elif stride != 1 or channels != outer:
            shortcut = self._parameter_free(images, prefix, outer - channels, stride)
        x = self.add("Add", [x, shortcut], f"{prefix}.sum")
        return self.add("Relu", [x], f"{prefix}.out")

    def _parameter_free(self, images: str, prefix: str, missing: int, stride: int) -> str:
        # resnet.py, _ParameterFreeShortcut: every second pixel, zeros before and after.
        name = f"{prefix}.downsample"
        end = (1 << 31) - 1
        cut = [
            self.constant(f"{name}.{key}", values)
            for key, values in (
                ("starts", [0, 0]),
                ("ends", [end, end]),
                ("axes", [2, 3]),
                ("steps", [stride, stride]),
            )
        ]
        x = self.add("Slice", [images, *cut], f"{name}.kept")
        before = missing // 2
        pads = self.constant(f"{name}.pads", [0, before, 0, 0, 0, missing - before, 0, 0])
        return self.add("Pad", [x, pads], f"{name}.out")


def loads_with(manifest: Manifest, output: str) -> str:
    """Return the lines that open the file and name its outputs."""
    names = ["features"] if manifest.classes is None else ["features", "logits"]
    return (
        f"session = onnxruntime.InferenceSession({output!r}); "
        f"session.run({names}, {{'images': images}})"
    )


EXPORT = Export(
    write=write,
    limits=Limits(),
    is_folder=False,
    loads_with=loads_with,
    description="an ONNX graph (.onnx) of any network, in images of any size",
    source="onnx/onnx: docs/Operators.md",
)
