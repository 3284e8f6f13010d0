"""Names, layouts, and equal activations in JAX and in torch."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from relicheck.checkpoints.errors import ParameterMismatch
from relicheck.checkpoints.parameters import parameter_shapes
from relicheck.checkpoints.resnet import ResNet as TorchResNet
from relicheck.checkpoints.spec import ResNetSpec
from relicheck.pretrain.export import flax_path, to_canonical
from relicheck.pretrain.resnet import ResNet

NARROW = 1 / 16


def random_variables(spec):
    """Return variables of a `ResNet` in which no two tensors could be mistaken for each other.

    Statistics are random too: at 0 and 1 a mean swapped with a bias would not show.
    """
    random = np.random.default_rng(0)
    shapes = jax.eval_shape(
        lambda key: ResNet(spec).init(key, jnp.zeros((1, 16, 16, 3)), train=True),
        jax.random.key(0),
    )

    def leaf(path, shape):
        if path[-1].key == "kernel":
            return random.standard_normal(shape.shape) / np.sqrt(np.prod(shape.shape[:-1]))
        return random.uniform(0.5, 1.5, shape.shape)

    tree = jax.tree_util.tree_map_with_path(leaf, shapes)
    return jax.tree.map(lambda array: jnp.asarray(array, jnp.float32), tree)


@pytest.mark.parametrize("padding", ["same", "symmetric"])
@pytest.mark.parametrize(
    ("architecture", "side"),
    [
        ({"depth": 18}, 32),
        ({"depth": 18}, 33),
        ({"depth": 18, "stem": "cifar", "bn_epsilon": 1e-3}, 12),
        ({"depth": 50}, 33),
        (
            {"depth": 20, "stem": "cifar", "shortcut": "parameter_free", "width_multiplier": 0.25},
            13,
        ),
    ],
    ids=["even", "odd", "cifar_stem", "bottleneck", "parameter_free"],
)
def test_every_stage_gives_the_same_activations_in_jax_and_in_torch(architecture, side, padding):
    spec = ResNetSpec(**{"width_multiplier": NARROW, "padding": padding, **architecture})
    variables = random_variables(spec)
    images = np.random.default_rng(1).standard_normal((2, side, side, 3)).astype(np.float32)

    in_jax = ResNet(spec).apply(variables, images, train=False, method="stages")
    network = TorchResNet(spec).fill(to_canonical(variables, spec)).eval()
    with torch.no_grad():
        in_torch = network.stages(torch.from_numpy(images.transpose(0, 3, 1, 2).copy()))

    assert len(in_jax) == len(in_torch) == 1 + len(spec.blocks)
    for ours, theirs in zip(in_jax, in_torch, strict=True):
        wanted = theirs.numpy().transpose(0, 2, 3, 1)
        assert ours.shape == wanted.shape
        assert np.abs(ours - wanted).max() <= 1e-4 * np.abs(wanted).max()


def test_the_two_paddings_differ_at_an_even_side():
    # Otherwise the comparison above could not tell them apart.
    same, symmetric = (
        ResNetSpec(depth=18, width_multiplier=NARROW, padding=padding)
        for padding in ("same", "symmetric")
    )
    variables, images = random_variables(same), np.ones((1, 32, 32, 3), dtype=np.float32)

    features = [ResNet(spec).apply(variables, images, train=False) for spec in (same, symmetric)]

    assert np.abs(features[0] - features[1]).max() > 1e-2 * np.abs(features[0]).max()


@pytest.mark.parametrize("depth", [18, 20, 50])
def test_names_and_shapes_are_exactly_the_template(depth):
    spec = ResNetSpec(depth=depth, width_multiplier=NARROW)

    tensors = to_canonical(random_variables(spec), spec)

    assert {name: array.shape for name, array in tensors.items()} == parameter_shapes(spec)


def test_kernels_turn_from_hwio_to_oihw():
    spec = ResNetSpec(depth=18, width_multiplier=NARROW)
    variables = random_variables(spec)

    exported = to_canonical(variables, spec)["layer2.0.conv1.weight"]

    kernel = variables["params"]["layer2_0"]["conv1"]["kernel"]
    assert exported[3, 1, 0, 2] == kernel[0, 2, 1, 3]


def test_a_tensor_too_many_is_refused():
    spec = ResNetSpec(depth=18, width_multiplier=NARROW)
    variables = random_variables(spec)
    variables["params"]["extra"] = {"kernel": jnp.zeros((1, 1, 1, 1))}

    with pytest.raises(ParameterMismatch, match="leaves"):
        to_canonical(variables, spec)


def test_a_missing_tensor_is_named():
    spec = ResNetSpec(depth=18, width_multiplier=NARROW)
    variables = random_variables(spec)
    del variables["params"]["layer1_0"]["bn2"]["bias"]

    with pytest.raises(ParameterMismatch, match=r"layer1_0/bn2/bias for layer1\.0\.bn2\.bias"):
        to_canonical(variables, spec)


def test_numbers_join_what_stands_before_them():
    assert flax_path("layer2.0.downsample.1.running_var") == [
        "layer2_0",
        "downsample_1",
        "running_var",
    ]
