"""Flax networks, ours and those named as in Flax's ImageNet example, compute the same here."""

import os
from dataclasses import replace

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
import torch
from safetensors.numpy import save_file

from relicheck.checkpoints import formats
from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint, ManifestMismatch
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.manifest import HEADER_KEY, Manifest
from relicheck.checkpoints.source import detect_format, read_source
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.pretrain.resnet import ResNet

os.environ.setdefault("JAX_PLATFORMS", "cpu")

SPECS = [
    ResNetSpec(depth=18, width_multiplier=1 / 8, padding="same"),
    ResNetSpec(depth=18, width_multiplier=1 / 8, padding="symmetric", shortcut="every_stage"),
    ResNetSpec(depth=50, width_multiplier=1 / 8, padding="same"),
    ResNetSpec(depth=20, width_multiplier=1 / 4, stem="cifar", shortcut="parameter_free"),
]


class ExampleBlock(nn.Module):
    """A block whose parts Flax names by itself, but for the projection."""

    filters: int
    stride: int
    kernels: tuple[int, ...]

    @nn.compact
    def __call__(self, x):
        strided = 1 if len(self.kernels) == 3 else 0
        y = x
        for index, kernel in enumerate(self.kernels):
            last = index == len(self.kernels) - 1
            wide = self.filters * (4 if last and len(self.kernels) == 3 else 1)
            stride = self.stride if index == strided else 1
            y = nn.Conv(wide, (kernel, kernel), stride, use_bias=False)(y)
            y = nn.BatchNorm(use_running_average=True)(y)
            y = y if last else nn.relu(y)
        if x.shape != y.shape:
            x = nn.Conv(y.shape[-1], (1, 1), self.stride, use_bias=False, name="conv_proj")(x)
            x = nn.BatchNorm(use_running_average=True, name="norm_proj")(x)
        return nn.relu(x + y)


class ResNetBlock(ExampleBlock):
    kernels: tuple[int, ...] = (3, 3)


class BottleneckResNetBlock(ExampleBlock):
    kernels: tuple[int, ...] = (1, 3, 1)


class Example(nn.Module):
    """The names and the padding of google/flax: examples/imagenet/models.py."""

    block: type
    sizes: tuple[int, ...]
    filters: int = 8
    stem: int = 7
    classes: int = 5

    @nn.compact
    def __call__(self, x):
        big = self.stem == 7
        padding = [(3, 3)] * 2 if big else "SAME"
        x = nn.Conv(
            self.filters,
            (self.stem, self.stem),
            2 if big else 1,
            padding=padding,
            use_bias=False,
            name="conv_init",
        )(x)
        x = nn.relu(nn.BatchNorm(use_running_average=True, name="bn_init")(x))
        x = nn.max_pool(x, (3, 3), (2, 2), "SAME") if big else x
        maps = [x]
        for stage, blocks in enumerate(self.sizes):
            for block in range(blocks):
                x = self.block(self.filters * 2**stage, 2 if stage and not block else 1)(x)
            maps.append(x)
        return maps, nn.Dense(self.classes)(x.mean((1, 2)))


def telling(tree, seed=0):
    """The tree with values that a mix-up of scale, bias, mean and variance would betray."""
    random = np.random.default_rng(seed)

    def leaf(path, shape):
        name = path[-1].key
        if name == "kernel":
            fan_in = np.prod(shape.shape[:-1])
            return random.normal(size=shape.shape).astype("f4") / np.sqrt(fan_in)
        values = random.random(shape.shape).astype("f4")
        return values + (0.5 if name in ("scale", "var") else -0.5)

    return jax.tree_util.tree_map_with_path(leaf, tree)


def variables_of(module, *arguments):
    images = jnp.zeros((1, 32, 32, 3))
    return telling(
        jax.eval_shape(lambda key: module.init(key, images, *arguments), jax.random.key(0))
    )


def manifest_of(spec, **facts):
    return Manifest(
        spec=spec, preprocessing=Preprocessing(image_size=32), method="relic", source="a test",
        licence="Apache-2.0", **facts,
    )  # fmt: skip


def write(path, tree):
    path.write_bytes(flax.serialization.to_bytes(tree))
    return path


def own_file(path, spec, **others):
    variables = variables_of(ResNet(spec), False)
    return variables, write(path, {**variables, HEADER_KEY: manifest_of(spec).to_json(), **others})


def assert_same_stages(network, maps, images):
    with torch.inference_mode():
        ours = network.stages(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))
    for stage, other in zip(ours, maps, strict=True):
        theirs = np.asarray(other).transpose(0, 3, 1, 2)
        np.testing.assert_allclose(stage.numpy(), theirs, rtol=1e-4, atol=1e-4 * theirs.max())


def images_of(side):
    return np.random.default_rng(1).normal(size=(2, side, side, 3)).astype("f4")


@pytest.mark.parametrize("side", [32, 33])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: f"{spec.depth}-{spec.padding}")
def test_every_stage_of_our_own_network_computes_the_same(tmp_path, spec, side):
    variables, path = own_file(tmp_path / "own.msgpack", spec)
    maps = ResNet(spec).apply(variables, jnp.asarray(images_of(side)), False, method="stages")

    network = load_checkpoint(path)

    assert network.spec == spec
    assert network.manifest.method == "relic"
    assert_same_stages(network, maps, images_of(side))


@pytest.mark.parametrize(
    ("block", "sizes", "stem", "side"),
    [
        # At stride 1 the stem pads the same by every rule, and all that is strided is SAME.
        (ResNetBlock, (2, 2, 2, 2), 3, 32),
        # Its 7x7 stem is symmetric, and its max-pool and blocks are SAME.
        (ResNetBlock, (2, 2, 2, 2), 7, 32),
        (ResNetBlock, (2, 2, 2, 2), 7, 33),
        (BottleneckResNetBlock, (3, 4, 6, 3), 7, 32),
    ],
)
def test_every_stage_of_the_example_computes_the_same(tmp_path, block, sizes, stem, side):
    module = Example(block, sizes, stem=stem)
    variables = variables_of(module)
    images = images_of(side)
    maps, logits = module.apply(variables, jnp.asarray(images))

    network = load_checkpoint(write(tmp_path / "checkpoint_9", {**variables, "step": 9}))

    wanted = ("cifar", "same") if stem == 3 else ("imagenet", "flax")
    assert (network.spec.stem, network.spec.padding) == wanted
    assert network.manifest.training["stored"] == {"step": 9}
    assert_same_stages(network, maps, images)
    with torch.inference_mode():
        ours = network(torch.from_numpy(images.transpose(0, 3, 1, 2).copy())).numpy()
    np.testing.assert_allclose(ours, np.asarray(logits), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "depth", [18, 34, 50, *(pytest.param(d, marks=pytest.mark.slow) for d in (101, 152, 200))]
)
def test_depth_and_width_are_told_by_the_examples_blocks(tmp_path, depth):
    spec = ResNetSpec(depth=depth)
    block = BottleneckResNetBlock if spec.bottleneck else ResNetBlock
    module = Example(block, spec.blocks, filters=2, stem=3)
    shapes = jax.eval_shape(module.init, jax.random.key(0), jnp.zeros((1, 32, 32, 3)))

    path = write(tmp_path / "a", jax.tree.map(lambda s: np.ones(s.shape, np.float32), shapes))

    assert read_source(path).spec.name == f"ResNet-{depth} 0.03125x"


def test_a_state_with_a_device_axis_gives_its_first_device(tmp_path):
    variables = variables_of(Example(ResNetBlock, (2, 2, 2, 2), stem=3))
    replicated = jax.tree.map(lambda leaf: np.stack([leaf, leaf + 1]), variables)

    one = read_source(write(tmp_path / "one", variables)).read()
    two = read_source(write(tmp_path / "two", replicated)).read()

    assert all(np.array_equal(values, two[name]) for name, values in one.items())


def test_an_orbax_folder_gives_what_the_msgpack_file_gives(tmp_path):
    variables, path = own_file(tmp_path / "own.msgpack", SPECS[0])
    tree = {"state": {**variables, "step": 7}, HEADER_KEY: manifest_of(SPECS[0]).to_json()}
    ocp.PyTreeCheckpointer().save(tmp_path / "orbax", tree)

    from_folder, from_file = (read_source(p) for p in (tmp_path / "orbax", path))

    assert from_folder.spec == SPECS[0]
    ours = from_file.read()
    assert all(np.array_equal(a, ours[name]) for name, a in from_folder.read().items())


def test_what_lies_beside_the_backbone_is_listed_as_dropped(tmp_path):
    variables = variables_of(ResNet(SPECS[0]), False)
    tree = {
        "params": {
            "backbone": variables["params"],
            "projector": {"Dense_0": {"kernel": np.ones(3)}},
        },
        "batch_stats": {"backbone": variables["batch_stats"]},
        "opt_state": {"mu": {"backbone": variables["params"]}},
        HEADER_KEY: manifest_of(SPECS[0]).to_json(),
    }

    opened = open_checkpoint(write(tmp_path / "a", tree))
    dropped = formats.load("flax_resnet").read(opened, None).dropped

    assert "params/projector/Dense_0/kernel" in dropped
    assert "opt_state/mu/backbone/conv1/kernel" in dropped
    assert not [name for name in dropped if name.startswith("params/backbone")]


def test_the_target_network_has_the_online_networks_statistics(tmp_path):
    variables = variables_of(ResNet(SPECS[0]), False)
    target = jax.tree.map(lambda leaf: leaf + 1, variables["params"])
    path = tmp_path / "a"
    tree = {
        "params": {"backbone": variables["params"]},
        "target": {"backbone": target},
        "batch_stats": {"backbone": variables["batch_stats"]},
        HEADER_KEY: manifest_of(SPECS[0]).to_json(),
    }

    online, target = (read_source(write(path, tree), network=n).read() for n in (None, "target"))

    assert np.array_equal(online["bn1.weight"] + 1, target["bn1.weight"])
    assert np.array_equal(online["bn1.running_var"], target["bn1.running_var"])


def test_a_file_without_a_target_network_says_so(tmp_path):
    _, path = own_file(tmp_path / "own.msgpack", SPECS[0])

    with pytest.raises(BadCheckpoint, match="holds no target network"):
        read_source(path, network="target")


def test_our_supervised_networks_classifier_becomes_the_head(tmp_path):
    variables = variables_of(ResNet(SPECS[0]), False)
    kernel = np.arange(64 * 3, dtype=np.float32).reshape(64, 3)
    tree = {
        "params": {
            "backbone": variables["params"],
            "classifier": {"kernel": kernel, "bias": np.ones(3, np.float32)},
        },
        "batch_stats": {"backbone": variables["batch_stats"]},
        HEADER_KEY: manifest_of(SPECS[0]).to_json(),
    }

    source = read_source(write(tmp_path / "a", tree))

    assert np.array_equal(source.read()["fc.weight"], kernel.T)
    assert source.manifest.classes == 3


def test_our_names_without_a_manifest_are_refused(tmp_path):
    # Both paddings have the same tensors.
    path = write(tmp_path / "a", variables_of(ResNet(SPECS[0]), False))

    with pytest.raises(BadCheckpoint, match="nothing in it says how its strided layers pad"):
        load_checkpoint(path)


def test_a_manifest_of_another_network_is_refused(tmp_path):
    other = manifest_of(replace(SPECS[0], depth=34)).to_json()
    path = write(tmp_path / "a", {**variables_of(ResNet(SPECS[0]), False), HEADER_KEY: other})

    with pytest.raises(ManifestMismatch, match=r"depth=18.*depth=34"):
        load_checkpoint(path)


def test_a_leaf_that_is_missing_or_foreign_is_named(tmp_path):
    variables = flax.core.unfreeze(variables_of(ResNet(SPECS[0]), False))
    del variables["batch_stats"]["layer2_0"]["bn1"]["var"]
    variables["params"]["layer2_0"]["odd"] = {"kernel": np.ones((1, 1), np.float32)}
    path = write(tmp_path / "a", {**variables, HEADER_KEY: manifest_of(SPECS[0]).to_json()})

    with pytest.raises(BadCheckpoint, match=r"layer2\.0\.bn1\.running_var.*layer2\.0\.odd\.weight"):
        load_checkpoint(path)


def test_files_of_torch_with_the_same_stem_are_not_taken_for_flax(tmp_path):
    arrays = {
        "conv1.weight": np.ones((8, 3, 7, 7), np.float32),
        "bn1.weight": np.ones(8, np.float32),
    }
    save_file(arrays | {"layer1.0.conv1.weight": arrays["bn1.weight"]}, tmp_path / "a.safetensors")

    assert detect_format(open_checkpoint(tmp_path / "a.safetensors")) != "flax_resnet"
