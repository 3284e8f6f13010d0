"""torchvision's own networks, as it and its reference training save them."""

from argparse import Namespace

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.source import read_source
from relicheck.checkpoints.spec import ResNetSpec


def _save(network, path, kind):
    if kind == "safetensors":
        save_file(network.state_dict(), path)
    else:
        torch.save(network.state_dict(), path, _use_new_zipfile_serialization=kind == "zip")


@pytest.mark.parametrize("depth", [18, 34, 50])
def test_every_stage_of_a_network_as_it_comes_agrees(
    tmp_path, torchvision, telling, assert_same_stages, detected, depth
):
    with torch.random.fork_rng():
        network = telling(getattr(torchvision.models, f"resnet{depth}")())
    torch.save(network.state_dict(), tmp_path / "r.pth")

    ours = assert_same_stages(tmp_path / "r.pth", network)

    assert detected(tmp_path / "r.pth") == "torchvision"
    assert ours.spec == ResNetSpec(depth=depth)
    assert ours.manifest.classes == 1000


@pytest.mark.parametrize("depth", [101, 152, 200])
def test_deep_networks_agree_at_an_eighth_of_their_width(
    tmp_path, resnet, assert_same_stages, depth
):
    network = resnet(depth)
    torch.save(network.state_dict(), tmp_path / "r.pth")

    assert assert_same_stages(tmp_path / "r.pth", network).spec.depth == depth


@pytest.mark.slow
@pytest.mark.parametrize(
    ("depth", "width"), [(101, 1), (152, 1), (200, 1), (50, 2), (50, 4), (200, 2)]
)
def test_large_networks_agree(tmp_path, resnet, assert_same_stages, depth, width):
    network = resnet(depth, width, classes=1000)
    torch.save(network.state_dict(), tmp_path / "r.pth")

    ours = assert_same_stages(tmp_path / "r.pth", network)

    assert ours.spec.name == f"ResNet-{depth} {width}x"


@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_every_container_and_precision_is_read(tmp_path, resnet, assert_same_stages, kind, dtype):
    network = resnet().to(dtype)
    _save(network, tmp_path / "r.bin", kind)

    # What is compared with is the rounded network, computed in float32.
    assert_same_stages(tmp_path / "r.bin", network.float(), sides=(65,))


@pytest.mark.parametrize("stem", ["imagenet", "cifar"])
def test_a_3x3_stem_is_read_as_what_it_is_taken_for(tmp_path, resnet, assert_same_stages, stem):
    network = resnet(stem=stem)
    torch.save(network.state_dict(), tmp_path / "r.pth")

    ours = assert_same_stages(tmp_path / "r.pth", network, sides=(32, 33))

    assert ours.spec.stem == stem
    assumed = ours.manifest.training["stored"].get("assumed", "")
    assert ("which no weight tells" in assumed) == (stem == "cifar")


@pytest.mark.parametrize("wrap", ["plain", "distributed", "compiled", "both"])
@pytest.mark.parametrize("top", [(), ("state_dict",), ("model",), ("resnet",), ("a", "b")])
def test_any_key_and_any_wrapper_may_be_around_it(
    tmp_path, resnet, distributed, detected, assert_same_stages, wrap, top
):
    network = resnet()
    # torch.compile returns at once; it would compile when it is called.
    is_compiled = wrap in ("compiled", "both")
    wrapped = torch.compile(network, backend="eager") if is_compiled else network
    state = distributed(wrapped) if wrap in ("distributed", "both") else wrapped.state_dict()
    for key in reversed(top):
        state = {key: state, "epoch": 7}
    torch.save(state, tmp_path / "r.pth")

    assert_same_stages(tmp_path / "r.pth", network, sides=(65,))

    assert detected(tmp_path / "r.pth") == "torchvision"


def test_reference_training_keeps_an_average_that_is_read_when_asked_for(
    tmp_path, resnet, telling, optimizer_state, detected, assert_same_stages
):
    # references/classification/train.py, utils.py
    network = resnet()
    average = AveragedModel(network, use_buffers=True)
    telling(average.module, seed=1)
    content = {
        "model": network.state_dict(),
        "optimizer": optimizer_state(network),
        "lr_scheduler": {"last_epoch": 3},
        "epoch": 3,
        "args": Namespace(model="resnet18"),
        "model_ema": average.state_dict(),
    }
    torch.save(content, tmp_path / "checkpoint.pth")

    ours = assert_same_stages(tmp_path / "checkpoint.pth", network, sides=(65,))
    assert_same_stages(tmp_path / "checkpoint.pth", average.module, network="ema", sides=(65,))

    assert detected(tmp_path / "checkpoint.pth") == "torchvision"
    assert ours.manifest.training["network"] == "model"


def test_an_average_alone_has_a_counter_beside_it(tmp_path, resnet, assert_same_stages):
    average = AveragedModel(resnet())
    torch.save(average.state_dict(), tmp_path / "swa.pth")

    ours = assert_same_stages(tmp_path / "swa.pth", average.module, sides=(65,))

    assert ours.manifest.training["stored"] == {"n_averaged": 0}


def test_no_average_where_there_is_none(tmp_path, resnet):
    torch.save(resnet().state_dict(), tmp_path / "r.pth")

    with pytest.raises(BadCheckpoint, match="holds no model_ema"):
        read_source(tmp_path / "r.pth", None, None, "ema")


def test_two_networks_without_marks_are_not_guessed_between(tmp_path, resnet):
    both = {f"student.{n}": t for n, t in resnet().state_dict().items()}
    both |= {f"assistant.{n}": t for n, t in resnet(seed=1).state_dict().items()}
    torch.save(both, tmp_path / "two.pth")

    with pytest.raises(BadCheckpoint, match=r"holds 2 ResNets \(assistant, student\)"):
        read_source(tmp_path / "two.pth")


def test_batch_counters_take_no_part_in_a_network(tmp_path, resnet):
    network = resnet()
    state = network.state_dict()
    torch.save(state, tmp_path / "with.pth")
    torch.save({n: t for n, t in state.items() if "num_batches" not in n}, tmp_path / "without.pth")

    kept = [read_source(tmp_path / f"{name}.pth").read() for name in ("with", "without")]

    assert kept[0].keys() == kept[1].keys()
    assert not any("num_batches" in name for name in kept[0])


@pytest.mark.parametrize(
    ("extra", "shape"),
    [
        ("layer4.1.conv3.weight", (8, 8, 1, 1)),
        ("layer1.0.gamma", (8,)),
        ("attnpool.weight", (4, 64)),
        ("norm.weight", (64,)),
    ],
)
def test_what_is_no_head_is_never_left_over(tmp_path, resnet, extra, shape):
    torch.save({**resnet().state_dict(), extra: torch.zeros(shape)}, tmp_path / "odd.pth")

    with pytest.raises(BadCheckpoint, match="1 unexpected"):
        read_source(tmp_path / "odd.pth")


@pytest.mark.parametrize(
    "head", ["fc.0.weight", "projector.0.weight", "predictor.weight", "prototypes.weight", "queue"]
)
def test_heads_beside_the_backbone_are_dropped_and_listed(tmp_path, resnet, head):
    state = {n: t for n, t in resnet().state_dict().items() if not n.startswith("fc.")}
    torch.save({**state, head: torch.zeros(4, 64)}, tmp_path / "r.pth")

    manifest = read_source(tmp_path / "r.pth").manifest

    assert manifest.classes is None
    assert manifest.training["dropped"] == [head]


def test_a_folded_network_is_refused_by_name(tmp_path, resnet):
    network = resnet()
    state = {n: t for n, t in network.state_dict().items() if "bn" not in n}
    state |= {n.replace("weight", "bias"): torch.zeros(8) for n in state if "conv" in n}
    torch.save({n: t for n, t in state.items() if "downsample" not in n}, tmp_path / "r.pth")

    with pytest.raises(BadCheckpoint, match="no BatchNorm left"):
        read_source(tmp_path / "r.pth")


def test_a_detectors_frozen_backbone_is_read(tmp_path, torchvision, resnet, assert_same_stages):
    # torchvision.models.detection: backbone.body, whose FrozenBatchNorm2d has no counters.
    network = resnet(50)
    body = {n: t for n, t in network.state_dict().items() if "fc" not in n and "num_b" not in n}
    state = {f"backbone.body.{n}": t for n, t in body.items()}
    state["backbone.fpn.inner_blocks.0.0.weight"] = torch.zeros(4, 64, 1, 1)
    torch.save(state, tmp_path / "frcnn.pth")

    assert_same_stages(tmp_path / "frcnn.pth", network, sides=(65,))


def test_a_sequential_of_its_children_is_read(tmp_path, resnet, assert_same_stages):
    network = nn.Sequential(*list(resnet(50).children())[:-1])
    torch.save(network.state_dict(), tmp_path / "children.pth")

    assert_same_stages(tmp_path / "children.pth", network)
