"""SimCLR's TensorFlow checkpoints, written by TensorFlow 2.21 (files/make_tensorflow_files.py)."""

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from relicheck.checkpoints.container import open_checkpoint, tensors_of
from relicheck.checkpoints.convert import convert
from relicheck.checkpoints.crc32c import crc32c
from relicheck.checkpoints.errors import BadCheckpoint, MissingData
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.source import detect_format, read_source
from relicheck.checkpoints.spec import ResNetSpec

FILES = Path(__file__).parents[1] / "files" / "tensorflow"


def assert_same_function(network, arrays, side):
    images = torch.from_numpy(arrays[f"images_{side}"].transpose(0, 3, 1, 2).copy())
    with torch.inference_mode():
        maps = network.stages(images)
    for stage, ours in enumerate(maps):
        theirs = arrays[f"maps_{side}_{stage}"].transpose(0, 3, 1, 2)
        scale = np.abs(theirs).max()
        assert scale > 0
        np.testing.assert_allclose(ours.numpy() / scale, theirs / scale, atol=1e-4)


@pytest.mark.parametrize("side", [64, 65])
@pytest.mark.parametrize(("depth", "shortcut"), [(18, "every_stage"), (50, "projection")])
def test_every_stage_computes_what_tensorflow_computed(depth, shortcut, side):
    network = load_checkpoint(FILES / f"resnet{depth}.index")

    # fixed: their strided convolutions are padded as torch's, their max-pool is not.
    assert network.spec == ResNetSpec(
        depth=depth, width_multiplier=1 / 16, padding="fixed", shortcut=shortcut
    )
    assert_same_function(network, np.load(FILES / f"resnet{depth}.npz"), side)


def test_the_other_paddings_compute_something_else():
    arrays = np.load(FILES / "resnet50.npz")
    source = read_source(FILES / "resnet50.index")
    for padding in ("same", "symmetric"):
        network = ResNet(replace(source.spec, padding=padding)).fill(source.read()).eval()
        with pytest.raises(AssertionError):
            assert_same_function(network, arrays, 64)


@pytest.mark.parametrize("given", ["resnet18", "resnet18.index", "resnet18.data-00000-of-00001"])
def test_a_checkpoint_is_named_by_its_prefix_or_by_either_file(tmp_path, given):
    opened = open_checkpoint(FILES / given)

    assert opened.container == "tensorflow_bundle"
    assert detect_format(opened) == "simclr"
    assert [file.name for file in opened.files] == [
        "resnet18.index",
        "resnet18.data-00000-of-00001",
    ]


def test_a_folder_with_one_checkpoint_is_read_and_with_two_is_asked_about(tmp_path):
    for file in FILES.glob("resnet18.*"):
        shutil.copy(file, tmp_path)
    assert load_checkpoint(tmp_path).spec.depth == 18

    for file in FILES.glob("resnet50.*"):
        shutil.copy(file, tmp_path)
    with pytest.raises(BadCheckpoint, match=r"holds 2 checkpoints \(resnet18, resnet50\)"):
        load_checkpoint(tmp_path)


def test_the_supervised_head_is_kept_and_the_rest_listed(tmp_path):
    manifest = convert(FILES / "resnet18", tmp_path / "out.safetensors")

    assert manifest.classes == 5
    assert manifest.method == "simclr"
    assert manifest.training["stored"] == {"step": 225206}
    assert "head_contrastive/nl_0/dense/kernel" in manifest.training["dropped"]
    assert "base_model/conv2d_3/kernel/Momentum" in manifest.training["dropped"]
    # Inputs in [0, 1]: SimCLR does not normalise.
    assert (manifest.preprocessing.mean, manifest.preprocessing.std) == ((0, 0, 0), (1, 1, 1))


def test_the_head_is_a_class_by_feature_matrix():
    network = load_checkpoint(FILES / "resnet18")
    table = tensors_of(open_checkpoint(FILES / "resnet18").tree)

    kernel = table["head_supervised/linear_layer/dense/kernel"].load()
    np.testing.assert_array_equal(network.fc.weight.detach().numpy(), kernel.T)
    np.testing.assert_array_equal(network.fc.bias.detach().numpy(), np.arange(5))


def test_moving_averages_are_read_on_request():
    # The file's averages are twice the kernels; scales and offsets are ones.
    raw, ema = (read_source(FILES / "resnet18", network=n).read() for n in ("raw", "ema"))

    np.testing.assert_allclose(ema["layer2.0.conv1.weight"], 2 * raw["layer2.0.conv1.weight"])
    assert (ema["bn1.weight"] == 1).all()
    np.testing.assert_array_equal(ema["bn1.running_var"], raw["bn1.running_var"])
    with pytest.raises(BadCheckpoint, match="has no moving averages"):
        read_source(FILES / "resnet50", network="ema")


def test_selective_kernels_are_refused_by_name():
    with pytest.raises(BadCheckpoint, match="a ResNet with selective kernels"):
        load_checkpoint(FILES / "selective")


def copied(folder):
    for file in FILES.glob("resnet50.*"):
        shutil.copy(file, folder)
    return folder / "resnet50.index", folder / "resnet50.data-00000-of-00001"


def test_a_missing_data_file_is_named(tmp_path):
    index, data = copied(tmp_path)
    data.unlink()

    with pytest.raises(BadCheckpoint, match=r"resnet50\.data-00000-of-00001 is not"):
        load_checkpoint(index)


def test_nothing_is_missing_data(tmp_path):
    with pytest.raises(MissingData):
        open_checkpoint(tmp_path / "absent")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_cut_files_are_refused(tmp_path, share):
    for cut in (0, 1):
        path = copied(tmp_path)[cut]
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])

        with pytest.raises(BadCheckpoint, match="resnet50"):
            load_checkpoint(tmp_path / "resnet50.index")


def test_any_flipped_bit_is_found_by_a_checksum(tmp_path):
    rng = np.random.default_rng(0)
    for _ in range(30):
        path = copied(tmp_path)[int(rng.integers(2))]
        content = bytearray(path.read_bytes())
        place = int(rng.integers(len(content) - 48))  # the footer's padding is free
        content[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(content)

        # global_step and the contrastive head are in the data file too, and are not read.
        unread = path.suffix != ".index" and place >= len(content) - 80
        if not unread:
            with pytest.raises(BadCheckpoint, match=r"checksum|damaged|cut"):
                load_checkpoint(tmp_path / "resnet50.index")


@pytest.mark.parametrize("size", [0, 1, 9, 255, 256, 1000, 65537])
def test_the_checksum_is_that_of_one_byte_at_a_time(size):
    data = np.random.default_rng(size).integers(0, 256, size).astype(np.uint8)

    register = 0xFFFFFFFF
    for byte in data.tolist():
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)

    assert crc32c(data) == register ^ 0xFFFFFFFF


def test_the_checksum_of_the_standards_example():
    # RFC 3720, App. B.4: 32 bytes of zero; and the check value of every catalogue of CRCs.
    assert crc32c(np.zeros(32, np.uint8)) == 0x8A9136AA
    assert crc32c(np.frombuffer(b"123456789", np.uint8)) == 0xE3069283


def test_a_genuine_checkpoint_of_tensorflow_1_is_read_and_is_no_resnet(real_data):
    prefix = real_data / "weights" / "tf1-checkpoint-glassy" / "t044_s09.ckpt"

    tensors = tensors_of(open_checkpoint(prefix).tree)

    assert len(tensors) == 72
    assert all(np.isfinite(tensor.read()).all() for tensor in tensors.values())
    with pytest.raises(BadCheckpoint, match="not those of a ResNet"):
        load_checkpoint(Path(f"{prefix}.index"))


@pytest.mark.slow
def test_tensorflow_writes_these_files_again(tmp_path):
    python = os.environ.get("RELICHECK_TENSORFLOW_PYTHON")
    if not python:
        pytest.skip("RELICHECK_TENSORFLOW_PYTHON names no Python with TensorFlow")
    script = FILES.parent / "make_tensorflow_files.py"

    subprocess.run([python, str(script), str(tmp_path)], check=True, capture_output=True)

    again, kept = (read_source(folder / "resnet50").read() for folder in (tmp_path, FILES))
    assert all(np.array_equal(again[name], kept[name]) for name in kept)
