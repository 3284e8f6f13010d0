"""ONNX's checker accepts an exported graph, and its runtime computes the same."""

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from relicheck.checkpoints.errors import MissingDependency, UsageError
from relicheck.checkpoints.exports import onnx as exporter
from relicheck.checkpoints.spec import ResNetSpec

BASES = {
    "bottleneck": ResNetSpec(depth=50, width_multiplier=1 / 8),
    "basic": ResNetSpec(depth=18, width_multiplier=1 / 8, shortcut="every_stage"),
    "cifar_stem": ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar"),
    "padded_stem": ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar_padded"),
    "parameter_free": ResNetSpec(
        depth=20, width_multiplier=1 / 4, stem="cifar", shortcut="parameter_free"
    ),
}


def run(path, images, outputs):
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return session.run(outputs, {"images": images.numpy()})


@pytest.mark.parametrize("padding", ["same", "symmetric", "fixed", "flax"])
@pytest.mark.parametrize("base", BASES)
def test_the_runtime_computes_the_same_for_every_padding(export, images, base, padding):
    made = export("onnx", replace(BASES[base], padding=padding), classes=3)

    features, logits = run(made.output, images, ["features", "logits"])

    with torch.inference_mode():
        ours = made.network.features(images).numpy()
        np.testing.assert_allclose(features, ours, rtol=1e-4, atol=1e-5 * np.abs(ours).max())
        np.testing.assert_allclose(logits, made.network(images).numpy(), rtol=1e-4, atol=1e-5)


def test_the_two_paddings_are_two_functions_on_even_sides_only(export):
    # The trap: at stride 2 TensorFlow pads an even side by one pixel less, after the image.
    for side, equal in ((64, False), (65, True)):
        images = torch.randn((1, 3, side, side), generator=torch.Generator().manual_seed(0))
        found = [
            run(export("onnx", replace(BASES["basic"], padding=p)).output, images, ["features"])[0]
            for p in ("same", "symmetric")
        ]
        assert np.allclose(*found, rtol=1e-4) is equal


def test_the_checker_accepts_the_graph_with_every_shape_inferred(export):
    made = export("onnx", BASES["bottleneck"], classes=3)

    model = onnx.load(made.output)
    onnx.checker.check_model(model, full_check=True)

    assert [output.name for output in model.graph.output] == ["features", "logits"]
    dims = model.graph.input[0].type.tensor_type.shape.dim
    assert [dim.dim_param or dim.dim_value for dim in dims] == ["N", 3, "height", "width"]


def test_the_initialisers_are_the_parameters_by_canonical_name(export):
    made = export("onnx", BASES["parameter_free"])

    model = onnx.load(made.output)

    names = [tensor.name for tensor in model.graph.initializer]
    assert sorted(names) == sorted(made.network.canonical_tensors())
    assert [entry.key for entry in model.metadata_props] == ["relicheck_manifest"]


def test_without_a_head_there_are_features_only(export):
    made = export("onnx", BASES["basic"])

    assert [output.name for output in onnx.load(made.output).graph.output] == ["features"]
    assert "['features']" in made.result.loads_with


def test_what_does_not_fit_one_message_is_refused(export, monkeypatch):
    # ResNet-200 4x: 4 GB of weights, where a protobuf message ends at 2 GiB.
    monkeypatch.setattr(exporter, "_LARGEST", 1000)

    with pytest.raises(UsageError, match=r"bytes of weights.*Use --to flax"):
        export("onnx", BASES["basic"])


def test_without_onnx_the_message_names_the_extra(export, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)

    with pytest.raises(MissingDependency, match=r"relicheck\[export\]"):
        export("onnx", BASES["basic"])
