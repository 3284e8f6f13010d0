"""Files of other libraries: detected, read without running them, proven, or refused."""

import os
import pickle

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.convert import convert
from relicheck.checkpoints.errors import (
    BadCheckpoint,
    MissingData,
    ParameterMismatch,
    UnknownName,
)
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.source import detect_format, read_source
from relicheck.checkpoints.spec import ResNetSpec


@pytest.fixture
def resnet18(torchvision):
    torch.manual_seed(0)
    return torchvision.models.resnet18(num_classes=5).eval()


@pytest.mark.parametrize("prefix", ["", "module.", "module._orig_mod.", "backbone.", "net.model."])
def test_a_torchvision_state_dict_is_read_under_any_prefix(tmp_path, resnet18, prefix):
    path = tmp_path / "r18.pth"
    torch.save({"state_dict": {prefix + n: t for n, t in resnet18.state_dict().items()}}, path)
    images = torch.randn(1, 3, 64, 64)

    network = load_checkpoint(path)

    assert network.spec == ResNetSpec(depth=18)
    with torch.inference_mode():
        torch.testing.assert_close(network(images), resnet18(images))


def test_moco_is_read_from_its_query_encoder_not_from_the_momentum_copy(tmp_path, torchvision):
    query, key = (torchvision.models.resnet18(num_classes=4).state_dict() for _ in range(2))
    path = tmp_path / "moco.pth.tar"
    both = {f"module.encoder_q.{n}": t for n, t in query.items()}
    both |= {f"module.encoder_k.{n}": t for n, t in key.items()}
    torch.save({"epoch": 7, "state_dict": both}, path)

    tensors = read_source(path).read()

    assert np.array_equal(tensors["conv1.weight"], query["conv1.weight"].numpy())


def test_a_converted_file_loads_into_torchvision_as_it_is(tmp_path, resnet18):
    torch.save(resnet18.state_dict(), tmp_path / "r18.pth")

    convert(tmp_path / "r18.pth", tmp_path / "r18.safetensors")

    theirs = {n: t for n, t in resnet18.state_dict().items() if "num_batches" not in n}
    ours = load_file(tmp_path / "r18.safetensors")
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[n], t.numpy()) for n, t in theirs.items())


def test_a_head_that_is_not_one_linear_layer_is_dropped_and_listed(tmp_path, resnet18):
    state = {n: t for n, t in resnet18.state_dict().items() if not n.startswith("fc")}
    state |= {"fc.0.weight": torch.zeros(4, 512), "fc.2.weight": torch.zeros(4, 4)}
    torch.save(state, tmp_path / "mocov2.pth")

    manifest = convert(tmp_path / "mocov2.pth", tmp_path / "out.safetensors")

    assert manifest.classes is None
    assert manifest.training["dropped"] == ["fc.0.weight", "fc.2.weight"]


def test_an_option_a_cifar_network_is_read_with_its_classifier(tmp_path):
    spec = ResNetSpec(depth=20, stem="cifar", shortcut="parameter_free")
    network = ResNet(spec, classes=10).eval()
    state = {f"module.{n.replace('fc.', 'linear.')}": t for n, t in network.state_dict().items()}
    path = tmp_path / "resnet20.th"
    # The published files are of torch's older, unzipped kind.
    stored = {"state_dict": state, "best_prec1": 91.78}
    torch.save(stored, path, _use_new_zipfile_serialization=False)
    images = torch.randn(2, 3, 32, 32)

    again = load_checkpoint(path)

    assert detect_format(open_checkpoint(path)) == "cifar_resnet"
    assert again.spec == spec
    assert again.manifest.training["stored"] == {"best_prec1": 91.78}
    with torch.inference_mode():
        assert torch.equal(again(images), network(images))


@pytest.mark.parametrize("written", [-0.0, 1e-9])
def test_a_file_that_the_disk_changed_is_refused_and_removed(
    tmp_path, tiny_file, monkeypatch, written
):
    def write_wrong(target, tensors, manifest):
        bias = np.zeros_like(tensors["bn1.bias"])
        tensors["bn1.bias"][...] = 0  # what was read
        bias[0] = written  # equal to it as a float, and not
        return write_checkpoint(target, {**tensors, "bn1.bias": bias}, manifest)

    monkeypatch.setattr("relicheck.checkpoints.convert.write_checkpoint", write_wrong)

    with pytest.raises(BadCheckpoint, match=r"bn1\.bias differs after writing and reading back"):
        convert(tiny_file, tmp_path / "out.safetensors")

    assert not (tmp_path / "out.safetensors").exists()


def test_a_backbone_tensor_that_does_not_belong_is_refused(tmp_path, resnet18):
    state = dict(resnet18.state_dict()) | {"layer1.0.conv4.weight": torch.zeros(1)}
    torch.save(state, tmp_path / "odd.pth")

    with pytest.raises(ParameterMismatch, match=r"unexpected \(layer1\.0\.conv4\.weight\)"):
        read_source(tmp_path / "odd.pth")


def test_a_missing_tensor_is_refused(tmp_path, resnet18):
    state = dict(resnet18.state_dict())
    del state["layer3.1.bn2.running_var"]
    torch.save(state, tmp_path / "odd.pth")

    with pytest.raises(ParameterMismatch, match=r"missing \(layer3\.1\.bn2\.running_var\)"):
        read_source(tmp_path / "odd.pth")


class _Attack:
    def __init__(self, victim):
        self.victim = victim

    def __reduce__(self):
        return os.mkdir, (str(self.victim),)


@pytest.mark.parametrize("saved_by", ["torch", "pickle"])
def test_code_in_a_checkpoint_is_named_and_never_run(tmp_path, saved_by):
    path, victim = tmp_path / "evil.pth", tmp_path / "was_run"
    if saved_by == "torch":
        torch.save({"state_dict": _Attack(victim)}, path)
    else:
        path.write_bytes(pickle.dumps(_Attack(victim)))

    with pytest.raises(BadCheckpoint, match=r"posix\.mkdir, which is not run"):
        load_checkpoint(path)

    assert not victim.exists()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_torch_file_is_refused(tmp_path, resnet18, share):
    path = tmp_path / "cut.pth"
    torch.save(resnet18.state_dict(), path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])

    with pytest.raises(BadCheckpoint, match=r"cut\.pth"):
        convert(path, tmp_path / "out.safetensors")

    assert not (tmp_path / "out.safetensors").exists()


def test_a_text_file_and_a_foreign_network_are_not_checkpoints(tmp_path):
    (tmp_path / "notes.pth").write_text("hello")
    torch.save({"features.0.weight": torch.zeros(4, 3, 3, 3)}, tmp_path / "vgg.pth")

    with pytest.raises(BadCheckpoint, match="not a checkpoint of a known kind"):
        read_source(tmp_path / "notes.pth")
    with pytest.raises(BadCheckpoint, match="not those of a ResNet"):
        read_source(tmp_path / "vgg.pth")


def test_a_width_that_is_not_multiplied_throughout_is_refused(tmp_path, torchvision):
    # torchvision's wide_resnet50_2 doubles the inner 3x3 only: not a ResNet-50 2x.
    with torch.device("cpu"):
        wide = torchvision.models.wide_resnet50_2()
    torch.save(wide.state_dict(), tmp_path / "wide.pth")

    with pytest.raises(ParameterMismatch, match="mis-shaped"):
        read_source(tmp_path / "wide.pth")


def test_unknown_formats_and_names_get_the_nearest(tiny_file):
    with pytest.raises(UnknownName, match="Did you mean 'torchvision'"):
        read_source(tiny_file, "torchvison")
    with pytest.raises(UnknownName, match="Did you mean 'akamaster_resnet20'"):
        load_checkpoint("akamaster_resnt20")


def test_a_missing_file_is_missing_data(tmp_path):
    with pytest.raises(MissingData, match="there is no such file"):
        load_checkpoint(tmp_path / "absent.pth")
