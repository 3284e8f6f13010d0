"""The template of names and shapes, held against torchvision's own networks."""

import math

import pytest

from relicheck.checkpoints.errors import ParameterMismatch
from relicheck.checkpoints.parameters import check_parameters, parameter_shapes
from relicheck.checkpoints.spec import ResNetSpec


@pytest.mark.parametrize("depth", [18, 34, 50, 101, 152])
def test_names_and_shapes_are_torchvisions(torchvision, depth):
    import torch

    with torch.device("meta"):
        theirs = getattr(torchvision.models, f"resnet{depth}")().state_dict()

    ours = parameter_shapes(ResNetSpec(depth=depth), classes=1000)

    wanted = {n: tuple(t.shape) for n, t in theirs.items() if "num_batches" not in n}
    assert ours == wanted
    assert list(ours) == list(wanted)


def test_resnet_200_2x_has_as_many_weights_as_byol_prints():
    # BYOL (arXiv:2006.07733), Table 1: ResNet-200 (2x) has 250M parameters.
    shapes = parameter_shapes(ResNetSpec(depth=200, width_multiplier=2))
    weights = sum(math.prod(s) for n, s in shapes.items() if "running" not in n)

    assert round(weights / 1e6) == 250


def test_what_is_missing_unexpected_and_misshaped_is_named():
    wanted = {"conv1.weight": (8, 3, 3, 3), "bn1.weight": (8,), "bn1.bias": (8,)}
    found = {"conv1.weight": (8, 3, 7, 7), "bn1.weight": (8,), "extra": (1,)}

    with pytest.raises(ParameterMismatch) as error:
        check_parameters("file.pth", found, wanted)

    assert "1 missing (bn1.bias)" in str(error.value)
    assert "1 unexpected (extra)" in str(error.value)
    assert "conv1.weight has shape (8, 3, 7, 7), not (8, 3, 3, 3)" in str(error.value)


def test_the_axis_order_of_flax_is_recognised():
    wanted = {"conv1.weight": (64, 3, 7, 7)}

    with pytest.raises(ParameterMismatch, match="HWIO"):
        check_parameters("file", {"conv1.weight": (7, 7, 3, 64)}, wanted)
