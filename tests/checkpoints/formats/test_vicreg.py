"""VICReg: facebookresearch/vicreg: main_vicreg.py, resnet.py rebuilt from torch."""

import pytest
import torch
from torch import nn


@pytest.fixture
def save(tmp_path, resnet, padded, distributed, optimizer_state, modules):
    def run(depth=50, width=1 / 8):
        backbone = padded(resnet(depth, width))
        projector = nn.Sequential(
            nn.Linear(int(2048 * width), 16),
            nn.BatchNorm1d(16),
            nn.ReLU(True),
            nn.Linear(16, 16, bias=False),
        )
        model = modules(backbone=backbone, projector=projector)
        content = {"epoch": 1000, "model": distributed(model), "optimizer": optimizer_state(model)}
        torch.save(content, tmp_path / "model.pth")
        torch.save(backbone.state_dict(), tmp_path / "resnet50.pth")
        return tmp_path, backbone

    return run


# 200 with two widths is what they publish beside ResNet-50.
@pytest.mark.parametrize(("depth", "width"), [(50, 1 / 8), (50, 1 / 4), (200, 1 / 4)])
def test_the_full_checkpoint_is_told_by_its_projectors_biases(
    save, assert_same_stages, detected, depth, width
):
    folder, backbone = save(depth, width)

    ours = assert_same_stages(folder / "model.pth", backbone)

    assert detected(folder / "model.pth") == "vicreg"
    assert ours.manifest.method == "vicreg"
    assert (ours.spec.depth, ours.spec.width_multiplier) == (depth, width)


def test_the_backbone_alone_bears_no_mark(save, assert_same_stages, detected):
    folder, backbone = save()

    ours = assert_same_stages(folder / "resnet50.pth", backbone, format_name="vicreg")

    assert detected(folder / "resnet50.pth") == "torchvision"
    assert ours.manifest.method == "vicreg"


def test_the_classifier_of_their_linear_evaluation_comes_along(
    tmp_path, save, distributed, assert_same_stages, detected
):
    _, backbone = save()
    # evaluate.py: Sequential(backbone, head).
    model = nn.Sequential(backbone, nn.Linear(256, 10)).eval()
    path = tmp_path / "checkpoint.pth"
    torch.save({"epoch": 100, "best_acc": 73.2, "model": distributed(model)}, path)
    images = torch.randn(2, 3, 64, 64)

    ours = assert_same_stages(path, backbone)

    assert detected(path) == "torchvision"
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), model(images))
