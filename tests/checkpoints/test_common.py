"""The common format: what is written comes back, and what contradicts itself is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from relicheck.checkpoints.common import (
    is_common,
    read_checkpoint,
    read_manifest,
    weights_hash,
    write_checkpoint,
)
from relicheck.checkpoints.errors import (
    BadCheckpoint,
    ManifestMismatch,
    MissingData,
    ParameterMismatch,
)
from relicheck.checkpoints.manifest import HEADER_KEY
from relicheck.checkpoints.spec import ResNetSpec


def test_tensors_and_manifest_come_back_bit_for_bit(tiny_file, tiny_tensors, tiny_manifest):
    tensors, manifest = read_checkpoint(tiny_file)

    assert manifest == tiny_manifest
    assert tensors.keys() == tiny_tensors.keys()
    assert all(np.array_equal(tensors[n], tiny_tensors[n]) for n in tensors)


def test_the_file_opens_with_nothing_but_safetensors(tiny_file, tiny_tensors):
    with safe_open(tiny_file, framework="numpy") as file:
        header = json.loads(file.metadata()[HEADER_KEY])

    assert header["spec"]["padding"] == "symmetric"
    assert load_file(tiny_file).keys() == tiny_tensors.keys()


def test_a_manifest_that_contradicts_the_tensors_is_refused(tmp_path, tiny_tensors, tiny_manifest):
    wrong = replace(tiny_manifest, spec=ResNetSpec(depth=34, width_multiplier=1 / 8, stem="cifar"))
    path = tmp_path / "wrong.safetensors"
    save_file(tiny_tensors, path, metadata={HEADER_KEY: wrong.to_json()})

    with pytest.raises(ParameterMismatch, match=r"wrong\.safetensors: .*missing \(layer1\.2\."):
        read_manifest(path)


def test_nothing_is_written_when_the_tensors_do_not_fit(tmp_path, tiny_tensors, tiny_manifest):
    del tiny_tensors["bn1.bias"]

    with pytest.raises(ParameterMismatch, match=r"missing \(bn1\.bias\)"):
        write_checkpoint(tmp_path / "x.safetensors", tiny_tensors, tiny_manifest)

    assert list(tmp_path.iterdir()) == []


def test_values_that_are_not_finite_are_never_written(tmp_path, tiny_tensors, tiny_manifest):
    tiny_tensors["bn1.bias"][0] = np.nan

    with pytest.raises(BadCheckpoint, match=r"bn1\.bias holds values that are not finite"):
        write_checkpoint(tmp_path / "x.safetensors", tiny_tensors, tiny_manifest)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kept", [0, 4, 100, -1])
def test_a_truncated_file_is_refused(tiny_file, kept):
    whole = tiny_file.read_bytes()
    tiny_file.write_bytes(whole[:kept])

    with pytest.raises(BadCheckpoint, match="not a whole"):
        read_checkpoint(tiny_file)


def test_a_file_without_manifest_says_how_to_convert_it(tmp_path, tiny_tensors):
    path = tmp_path / "plain.safetensors"
    save_file(tiny_tensors, path)

    assert not is_common(path)
    with pytest.raises(BadCheckpoint, match="relicheck convert"):
        read_manifest(path)


@pytest.mark.parametrize(
    "header",
    ["not json", "[]", '{"schema": 99}', '{"schema": 1}', '{"schema": 1, "spec": {"width": 1}}'],
)
def test_a_damaged_manifest_is_refused(tmp_path, tiny_tensors, header):
    path = tmp_path / "odd.safetensors"
    save_file(tiny_tensors, path, metadata={HEADER_KEY: header})

    with pytest.raises(ManifestMismatch, match=r"odd\.safetensors"):
        read_manifest(path)


def test_a_missing_file_is_missing_data(tmp_path):
    with pytest.raises(MissingData, match="there is no such file"):
        read_manifest(tmp_path / "absent.safetensors")


def test_the_weights_hash_ignores_order_and_sees_every_value(tiny_tensors):
    before = weights_hash(tiny_tensors)

    assert weights_hash(dict(reversed(tiny_tensors.items()))) == before
    tiny_tensors["fc.bias"][0] += 1e-6
    assert weights_hash(tiny_tensors) != before
