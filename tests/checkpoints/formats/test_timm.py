"""timm's networks and training checkpoints, made by timm itself."""

import json
from argparse import Namespace

import pytest
import torch
from safetensors.torch import save_file

from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.source import read_source


@pytest.fixture(scope="module")
def timm(torchvision):
    """timm, which imports torchvision: that one comes first."""
    import timm
    import timm.utils

    return timm


@pytest.fixture
def train(tmp_path, timm, telling):
    """Call with an architecture: the file that timm's saver keeps, the network, its average."""

    def run(name="resnet18", **arguments):
        model = telling(timm.create_model(name, num_classes=5))
        average = timm.utils.ModelEmaV3(model)
        telling(average.module, seed=1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        args = Namespace(model=name, model_kwargs=arguments, opt="sgd")
        saver = timm.utils.CheckpointSaver(
            model, optimizer, args=args, model_ema=average, checkpoint_dir=str(tmp_path)
        )
        saver.save_checkpoint(3)
        return tmp_path / "last.pth.tar", model, average.module

    return run


def test_a_training_checkpoint_gives_the_network_and_on_request_its_average(
    train, assert_same_stages, detected
):
    path, model, average = train()

    ours = assert_same_stages(path, model)
    assert_same_stages(path, average, network="ema", sides=(64,))

    assert detected(path) == "timm"
    assert ours.manifest.classes == 5
    assert ours.manifest.training["stored"] == {"epoch": 3, "arch": "resnet18", "version": 2}
    assert "state_dict_ema (102 tensors)" in ours.manifest.training["dropped"]


# Both stem and strides differ, and not one name or shape.
@pytest.mark.parametrize("name", ["resnetaa50", "resnetblur50"])
def test_an_anti_aliased_network_has_a_plain_ones_tensors_and_is_told_by_its_name(
    timm, train, name
):
    path, model, _ = train(name)
    plain = timm.create_model("resnet50", num_classes=5)
    shapes = [{n: t.shape for n, t in m.state_dict().items()} for m in (model, plain)]
    assert shapes[0] == shapes[1]

    with pytest.raises(BadCheckpoint, match=f"its architecture is '{name}'"):
        read_source(path)


def test_arguments_that_make_another_function_are_named(train):
    path, _, _ = train("resnet18", output_stride=8)

    with pytest.raises(BadCheckpoint, match="its architecture is 'resnet18' with output_stride"):
        read_source(path)


@pytest.mark.parametrize(
    ("name", "is_refused"), [("resnet18.a1_in1k", False), ("resnetblur18", True)]
)
def test_a_file_of_the_hub_is_judged_by_the_config_beside_it(
    tmp_path, timm, telling, name, is_refused, detected, assert_same_stages
):
    architecture = name.partition(".")[0]
    model = telling(timm.create_model(architecture))
    path = tmp_path / "model.safetensors"
    save_file(model.state_dict(), path, {"format": "pt"})
    (tmp_path / "config.json").write_text(json.dumps({"architecture": architecture}))

    assert detected(path) == "timm"
    if is_refused:
        with pytest.raises(BadCheckpoint, match="its architecture is 'resnetblur18'"):
            read_source(path)
    else:
        assert_same_stages(path, model, sides=(65,))


@pytest.mark.parametrize("name", ["resnet18", "resnet34", "resnet50"])
def test_a_bare_state_dict_has_torchvisions_names(tmp_path, timm, telling, name, detected,
                                                  assert_same_stages):  # fmt: skip
    model = telling(timm.create_model(name))
    torch.save(model.state_dict(), tmp_path / f"{name}.pth")

    ours = assert_same_stages(tmp_path / f"{name}.pth", model, sides=(65,))

    assert detected(tmp_path / f"{name}.pth") == "torchvision"
    assert ours.manifest.classes == 1000


@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("resnet18d", r"average-pooled shortcuts \(ResNet-D\)|a stem of several layers"),
        ("resnet50s", "a stem of several layers"),
        ("seresnet50", "squeeze-and-excitation"),
        ("ecaresnetlight", "efficient channel attention"),
        ("skresnet18", "selective kernels"),
        ("resnest14d", "split attention"),
        ("res2net50_26w_4s", "Res2Net"),
        ("resnext50_32x4d", r"grouped convolutions \(ResNeXt, 32 groups\)"),
        ("wide_resnet50_2", "Wide ResNet"),
        ("resnet50_gn", "no running statistics"),
        ("resnetv2_50", "pre-activation"),
        ("resnetv2_50x1_bit", "pre-activation"),
        ("resnet26", r"blocks per stage \(2, 2, 2, 2\)"),
    ],
)
def test_kin_that_are_not_plain_are_refused_by_name(tmp_path, timm, name, cause):
    with torch.device("cpu"):
        model = timm.create_model(name, num_classes=2)
    torch.save(model.state_dict(), tmp_path / f"{name}.pth")

    with pytest.raises(BadCheckpoint, match=cause):
        read_source(tmp_path / f"{name}.pth")
