"""SimCLR's TensorFlow networks, in files that TensorFlow 2.21 and the authors' code wrote.

files/make_tensorflow_files.py runs resnet.py of google-research/simclr, of its tf2/, and of
google-research/compressive-visual-representations, at 1/32 of the width.
"""

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relicheck.checkpoints.container import Opened, open_checkpoint, tensors_of
from relicheck.checkpoints.convert import convert
from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.formats.simclr import FORMAT
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.parameters import parameter_shapes
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.source import detect_format, read_source
from relicheck.checkpoints.spec import ResNetSpec
from relicheck.checkpoints.stored import Stored, shapes_of

FILES = Path(__file__).parents[1] / "files" / "tensorflow"
NARROW = {"width_multiplier": 1 / 32, "padding": "fixed"}
R18 = ResNetSpec(depth=18, shortcut="every_stage", **NARROW)
R50 = ResNetSpec(depth=50, **NARROW)


def outputs(network, side):
    """Return a network's maps and what it returns for their image, channels last."""
    with np.load(FILES / "images.npz") as images:
        pixels = images[str(side)].transpose(2, 0, 1)[None].astype(np.float32) / 255
    with torch.inference_mode():
        maps = network.stages(torch.from_numpy(pixels))
        final = network(torch.from_numpy(pixels))
    return [value.permute(0, 2, 3, 1).numpy() for value in maps], final.numpy()


def assert_equal(ours, theirs):
    scale = np.abs(theirs).max()
    assert scale > 0
    np.testing.assert_allclose(ours / scale, theirs / scale, atol=1e-4)


@pytest.mark.parametrize("side", [64, 65])
@pytest.mark.parametrize(
    ("file", "maps", "spec"),
    [
        ("resnet50", "resnet50", R50),
        ("resnet18", "resnet18", R18),
        ("finetuned", "finetuned", R18),
        ("tf2", "tf2", R18),
        ("tf2_saved_model", "tf2", R18),
        ("cbyol", "cbyol", R50),
    ],
)
def test_every_stage_computes_what_the_authors_network_computed(file, maps, spec, side):
    network = load_checkpoint(FILES / file)
    theirs = np.load(FILES / f"{maps}.npz")

    # fixed: their strided convolutions are padded as torch's, their max-pool is not.
    assert network.spec == spec
    ours, _ = outputs(network, side)
    for stage, value in enumerate(ours):
        assert_equal(value, theirs[f"maps_{side}_{stage}"])


@pytest.mark.parametrize("file", ["resnet50", "resnet18", "tf2", "cbyol"])
def test_the_supervised_layer_gives_the_authors_logits(file):
    network = load_checkpoint(FILES / file)
    _, logits = outputs(network, 65)

    assert logits.shape == (1, 5)
    assert_equal(logits, np.load(FILES / f"{file}.npz")["logits_65"])


@pytest.mark.parametrize("padding", ["same", "symmetric"])
def test_the_other_paddings_compute_something_else(padding):
    source = read_source(FILES / "resnet50")
    network = ResNet(replace(source.spec, padding=padding), 5).fill(source.read()).eval()

    ours, _ = outputs(network, 64)
    with pytest.raises(AssertionError):
        assert_equal(ours[-1], np.load(FILES / "resnet50.npz")["maps_64_4"])


@pytest.mark.parametrize("file", ["finetuned", "tf2_saved_model"])
def test_a_head_that_may_stand_on_the_projection_head_is_dropped(file):
    # SimCLRv2 is fine-tuned from the first layer of the projection head, which is as wide as
    # the features: kept as fc, the layer would fit and give other logits than theirs.
    source = read_source(FILES / file)
    shape = (source.spec.feature_dim, 5)

    assert shape in shapes_of(tensors_of(open_checkpoint(FILES / file).tree)).values()
    assert source.manifest.classes is None
    assert "fc.weight" not in source.tensors


def test_in_pretraining_the_head_stands_on_the_features():
    assert "head_contrastive/nl_2/dense/kernel/Momentum" in open_checkpoint(FILES / "resnet18").tree
    assert read_source(FILES / "resnet18").manifest.classes == 5


def test_the_manifest_says_what_was_read_and_what_was_dropped(tmp_path):
    manifest = convert(FILES / "resnet18", tmp_path / "out.safetensors")

    assert (manifest.method, manifest.training["network"]) == ("simclr", "raw")
    assert manifest.training["stored"] == {"step": 225206}
    assert manifest.training["dropped"] == [
        "Momentum (73 tensors)",  # 63 in the encoder, 8 in the projection head, 2 in the other
        "ema_model (105 tensors)",  # 21 convolutions and as many norms of four tensors
        "global_step",
        "head_contrastive (14 tensors)",  # 3 layers and norms of four, one without offset
    ]
    # Inputs in [0, 1]: SimCLR does not normalise.
    assert (manifest.preprocessing.mean, manifest.preprocessing.std) == ((0, 0, 0), (1, 1, 1))
    assert (manifest.preprocessing.resize, manifest.preprocessing.image_size) == (256, 224)


def test_the_moving_average_of_version_2_is_read_on_request():
    table = tensors_of(open_checkpoint(FILES / "resnet18").tree, "/")
    source = read_source(FILES / "resnet18", network="ema")

    kernel = table["ema_model/base_model/conv2d_10/kernel"].load()
    found = [t for t in source.read().values() if np.array_equal(t, kernel.transpose(3, 2, 0, 1))]
    assert len(found) == 1
    # The supervised layer was trained on the other network's features.
    assert source.manifest.classes is None
    with pytest.raises(BadCheckpoint, match="has no moving averages"):
        read_source(FILES / "resnet50", network="ema")


@pytest.mark.parametrize(
    ("file", "kind"), [("selective", "selective kernels"), ("squeezed", "squeeze-and-excitation")]
)
def test_what_is_no_plain_resnet_is_refused_by_name(file, kind):
    with pytest.raises(BadCheckpoint, match=kind):
        load_checkpoint(FILES / file)


def made_by_resnet_py(depth, width, stem=(7, 7)):
    """Return name -> tensor (without values) as resnet.py creates them, after its text."""
    blocks = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3),
              152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}[depth]  # fmt: skip
    made = []

    def convolve(channels, filters, *kernel):
        made.append((*kernel, channels, filters))
        return filters

    channels = convolve(3, 64 * width, *stem)
    for group, count in enumerate(blocks):
        filters = 64 * width * 2**group
        outer = filters * (4 if depth >= 50 else 1)
        for block in range(count):
            if block == 0:
                convolve(channels, outer, 1, 1)
            if depth >= 50:
                inner = convolve(channels, filters, 1, 1)
                inner = convolve(inner, filters, 3, 3)
                channels = convolve(inner, outer, 1, 1)
            else:
                inner = convolve(channels, filters, 3, 3)
                channels = convolve(inner, outer, 3, 3)
    shapes = {}
    for number, shape in enumerate(made):
        suffix = f"_{number}" if number else ""
        shapes[f"base_model/conv2d{suffix}/kernel"] = shape
        for leaf in ("gamma", "beta", "moving_mean", "moving_variance"):
            shapes[f"base_model/batch_normalization{suffix}/{leaf}"] = shape[-1:]
    return {n: Stored(shape=s, dtype="float32", load=lambda: None) for n, s in shapes.items()}


def opened(tree):
    return Opened(path=Path("x.index"), container="tensorflow_bundle", tree=tree, files=())


@pytest.mark.parametrize("width", [1, 2, 4])
@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152, 200])
def test_depth_and_width_are_those_of_the_tensors(depth, width):
    # In the order of a table: conv2d_10 before conv2d_2.
    tree = dict(sorted(made_by_resnet_py(depth, width).items()))

    upstream = FORMAT.read(opened(tree), None)

    assert (upstream.spec.depth, upstream.spec.width_multiplier) == (depth, width)
    assert shapes_of(upstream.tensors) == parameter_shapes(upstream.spec)


def test_a_network_for_cifar_takes_its_images_as_they_are():
    upstream = FORMAT.read(opened(made_by_resnet_py(18, 1, stem=(3, 3))), None)

    assert upstream.spec.stem == "cifar"
    assert (upstream.preprocessing.image_size, upstream.preprocessing.resize) == (32, None)


def test_a_missing_convolution_is_told_by_their_number():
    tree = made_by_resnet_py(50, 1)
    for name in [name for name in tree if "_17/" in name]:
        del tree[name]

    with pytest.raises(BadCheckpoint, match="has 52 convolutions, as no ResNet"):
        FORMAT.read(opened(tree), None)


def test_averages_that_tensorflow_keeps_beside_each_variable_are_read_on_request():
    # tf.train.ExponentialMovingAverage makes slots for weights; moving means need none.
    tree = made_by_resnet_py(18, 1)
    slots = {f"{n}/ExponentialMovingAverage": t for n, t in tree.items() if "moving" not in n}
    slots = {name: replace(tensor) for name, tensor in slots.items()}
    slots["base_model/conv2d/kernel/ExponentialMovingAverage"] = average = Stored(
        shape=(7, 7, 3, 64), dtype="float32", load=lambda: np.ones((7, 7, 3, 64), "f4")
    )

    upstream = FORMAT.read(opened({**tree, **slots}), "ema")

    assert shapes_of(upstream.tensors) == parameter_shapes(upstream.spec)
    assert upstream.tensors["conv1.weight"].load is average.load


def test_each_file_is_of_one_format():
    networks = [file for file in FILES.glob("*.index") if file.stem != "kinds"]  # every dtype
    found = {file.stem: detect_format(open_checkpoint(file)) for file in networks}

    assert found.pop("cbyol") == "compressive"
    assert found.pop("tf2") == "simclr_tf2"
    assert set(found.values()) == {"simclr"}
    assert detect_format(open_checkpoint(FILES / "tf2_saved_model")) == "simclr_tf2"


@pytest.mark.slow
def test_tensorflow_and_the_authors_code_write_these_files_again(tmp_path):
    python, checkouts = (
        os.environ.get(f"RELICHECK_TENSORFLOW_{name}") for name in ("PYTHON", "CHECKOUTS")
    )
    if not python or not checkouts:
        pytest.skip("RELICHECK_TENSORFLOW_PYTHON and _CHECKOUTS: see make_tensorflow_files.py")
    script = FILES.parent / "make_tensorflow_files.py"

    subprocess.run([python, str(script), str(tmp_path), checkouts], check=True, capture_output=True)

    kept = {file.relative_to(FILES): file for file in FILES.rglob("*") if file.is_file()}
    assert {f.relative_to(tmp_path) for f in tmp_path.rglob("*") if f.is_file()} == set(kept)
    for name, file in kept.items():
        if file.suffix == ".npz":
            again, before = np.load(tmp_path / name), np.load(file)
            for array in before.files:
                np.testing.assert_allclose(again[array], before[array], rtol=1e-4, atol=1e-4)
        elif ".data-" in file.name:
            assert (tmp_path / name).read_bytes() == file.read_bytes()
