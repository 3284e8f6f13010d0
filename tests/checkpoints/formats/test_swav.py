"""SwAV and kin: facebookresearch/swav: src/resnet50.py, main_swav.py rebuilt from torch."""

import pytest
import torch
from torch import nn


@pytest.fixture
def swav(resnet, padded, modules):
    def build(depth=50, width=1 / 8, prototypes=(30,)):
        model = padded(resnet(depth, width))
        model.projection_head = nn.Sequential(
            nn.Linear(int(2048 * width), 16),
            nn.BatchNorm1d(16),
            nn.ReLU(inplace=True),
            nn.Linear(16, 8),
        )
        tables = [nn.Linear(8, count, bias=False) for count in prototypes]
        several = {f"prototypes{index}": table for index, table in enumerate(tables)}
        model.prototypes = modules(**several) if len(tables) > 1 else tables[0]
        return model.eval()

    return build


@pytest.mark.parametrize("whole", [False, True], ids=["published", "from training"])
def test_the_backbone_is_read_from_a_table_or_from_a_training_checkpoint(
    tmp_path, swav, distributed, optimizer_state, assert_same_stages, detected, whole
):
    model, path = swav(), tmp_path / "swav_800ep_pretrain.pth.tar"
    table = distributed(model)
    training = {"epoch": 800, "state_dict": table, "optimizer": optimizer_state(model)}
    torch.save(training if whole else table, path)

    ours = assert_same_stages(path, model)

    assert detected(path) == "swav"
    assert ours.manifest.method == "swav"
    assert ours.manifest.preprocessing.std == (0.228, 0.224, 0.225)
    assert any("prototypes" in line for line in ours.manifest.training["dropped"])


def test_several_prototype_tables_are_not_swavs_own(tmp_path, swav, distributed, detected,
                                                    assert_same_stages):  # fmt: skip
    model = swav(prototypes=(30, 30, 30))
    torch.save(distributed(model), tmp_path / "deepclusterv2.pth.tar")

    ours = assert_same_stages(tmp_path / "deepclusterv2.pth.tar", model)

    assert detected(tmp_path / "deepclusterv2.pth.tar") == "swav"
    assert ours.manifest.method == "unstated"


@pytest.mark.slow
@pytest.mark.parametrize("width", [1, 2, 4])
def test_published_widths_multiply_every_channel(tmp_path, swav, distributed, width,
                                                 assert_same_stages):  # fmt: skip
    model = swav(width=width)
    torch.save(distributed(model), tmp_path / "wide.pth.tar")

    ours = assert_same_stages(tmp_path / "wide.pth.tar", model)

    assert ours.spec.name == f"ResNet-50 {width}x"
