"""torchvision loads an exported file strictly and computes the same."""

import pytest
import torch

from relicheck.checkpoints.spec import ResNetSpec


def test_torchvision_loads_the_file_strictly_and_computes_the_same(export, torchvision, images):
    made = export("torchvision", ResNetSpec(depth=18), classes=5)
    theirs = torchvision.models.resnet18(num_classes=5).eval()

    missing, unexpected = theirs.load_state_dict(torch.load(made.output, weights_only=True))

    assert (missing, unexpected) == ([], [])
    with torch.inference_mode():
        assert torch.equal(theirs(images), made.network(images))


def test_without_a_head_the_line_that_is_printed_loads_the_features(export, torchvision, images):
    made = export("torchvision", ResNetSpec(depth=18))
    scope = {"torch": torch, "torchvision": torchvision}

    exec(made.result.loads_with, scope)

    with torch.inference_mode():
        assert torch.equal(scope["model"].eval()(images), made.network(images))


@pytest.mark.slow
@pytest.mark.parametrize("depth", [34, 50, 101, 152, 200])
@pytest.mark.parametrize("classes", [None, 7])
def test_every_depth_loads_by_the_line_that_is_printed(export, torchvision, images, depth, classes):
    made = export("torchvision", ResNetSpec(depth=depth), classes=classes)
    scope = {"torch": torch, "torchvision": torchvision}

    exec(made.result.loads_with, scope)

    with torch.inference_mode():
        assert torch.equal(scope["model"].eval()(images), made.network(images))
