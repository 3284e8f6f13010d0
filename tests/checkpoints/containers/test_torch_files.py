"""torch's two kinds of file and safetensors: read as torch reads them, or refused in peace."""

import argparse
import collections
import contextlib
import json
import pickle
import struct
import zipfile

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from relicheck.checkpoints.container import open_checkpoint, tensors_of
from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.pickles.inert import Inert
from relicheck.checkpoints.stored import Stored

KINDS = {"torch_zip": {}, "torch_legacy": {"_use_new_zipfile_serialization": False}}
DTYPES = [
    torch.float32,
    torch.float64,
    torch.float16,
    torch.bfloat16,
    torch.int64,
    torch.uint8,
    torch.bool,
]


def values(dtype):
    return (torch.arange(24).reshape(2, 3, 4) % 7).to(dtype)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_every_dtype_is_read_to_the_bit(tmp_path, kind, dtype):
    torch.save({"a": values(dtype)}, tmp_path / "f.pth", **KINDS[kind])

    opened = open_checkpoint(tmp_path / "f.pth")

    assert opened.container == kind
    found = opened.tree["a"]
    assert (found.shape, found.dtype) == ((2, 3, 4), str(dtype).removeprefix("torch."))
    np.testing.assert_array_equal(found.read(), values(dtype).float().numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_views_share_a_storage_and_keep_their_strides(tmp_path, kind):
    whole = torch.arange(60.0).reshape(3, 4, 5)
    views = {
        "whole": whole,
        "transposed": whole.permute(2, 0, 1),
        "middle": whole[1, 1:3],
        "every_second": whole[:, ::2],
        "channels_last": whole[None].to(memory_format=torch.channels_last),
        "number": whole[2, 3, 4],
        "empty": whole[:0],
    }
    torch.save(views, tmp_path / "f.pth", **KINDS[kind])

    tree = open_checkpoint(tmp_path / "f.pth").tree

    for name, view in views.items():
        np.testing.assert_array_equal(tree[name].read(), view.numpy())


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_ordered_dicts_and_numbers_beside_them_are_plain(tmp_path, kind):
    state = collections.OrderedDict(w=torch.nn.Parameter(torch.ones(2)), v=torch.zeros(3))
    state._metadata = {"": {"version": 1}}  # as nn.Module.state_dict leaves it
    torch.save({"state_dict": state, "epoch": 7, "best": 71.5}, tmp_path / "f.pth", **KINDS[kind])

    opened = open_checkpoint(tmp_path / "f.pth")

    assert set(tensors_of(opened.tree)) == {"state_dict.w", "state_dict.v"}
    assert opened.facts() == {"epoch": 7, "best": 71.5}


@pytest.mark.parametrize("kind", KINDS)
def test_hyper_parameters_of_foreign_classes_stay_inert(tmp_path, kind):
    options = argparse.Namespace(lr=0.1)
    torch.save({"state_dict": {"w": torch.ones(1)}, "args": options}, tmp_path / "f", **KINDS[kind])

    tree = open_checkpoint(tmp_path / "f").tree

    assert isinstance(tree["args"], Inert)
    assert tree["args"].members() == {"lr": 0.1}
    assert isinstance(tree["state_dict"]["w"], Stored)


def test_a_tensor_larger_than_its_storage_is_refused(tmp_path):
    # An expanded tensor: one number in the file, 10**12 in memory.
    torch.save({"a": torch.ones(1).expand(10**6, 10**6)}, tmp_path / "f.pth")

    with pytest.raises(BadCheckpoint, match="in a storage of 1 elements"):
        open_checkpoint(tmp_path / "f.pth")


def rewrite(path, change):
    """Write the zip's members anew after `change(name, data) -> (data, compression)`."""
    with zipfile.ZipFile(path) as archive:
        members = {m.filename: archive.read(m) for m in archive.infolist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            content, how = change(name, data)
            archive.writestr(name, content, compress_type=how)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda n, d: (d, zipfile.ZIP_DEFLATED), "compressed or encrypted"),
        (
            lambda n, d: (b"big" if n.endswith("byteorder") else d, zipfile.ZIP_STORED),
            "big-endian",
        ),
        (
            lambda n, d: (d[:4] if n.endswith("/0") else d, zipfile.ZIP_STORED),
            "its storage '0' has 4 bytes",
        ),
    ],
    ids=["compressed", "big-endian", "short"],
)
def test_a_zip_that_torch_did_not_write_is_refused(tmp_path, change, why):
    torch.save({"a": torch.ones(100)}, tmp_path / "f.pth")
    rewrite(tmp_path / "f.pth", change)

    with pytest.raises(BadCheckpoint, match=why):
        open_checkpoint(tmp_path / "f.pth").tree["a"].read()


def test_a_legacy_storage_that_declares_more_than_the_file_is_refused(tmp_path):
    path = tmp_path / "f.th"
    torch.save({"a": torch.ones(100)}, path, _use_new_zipfile_serialization=False)
    whole = bytearray(path.read_bytes())
    place = len(whole) - 408
    assert struct.unpack_from("<q", whole, place) == (100,)
    struct.pack_into("<q", whole, place, 1 << 50)
    path.write_bytes(whole)

    with pytest.raises(BadCheckpoint, match="ends inside its storage"):
        open_checkpoint(path)


def safetensors_with(header, data=b"\0" * 16):
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (struct.pack("<Q", 1 << 40) + b'{"a":1}', "declares a header of"),
        (b"\x08\0\0\0\0\0\0\0{" + b"[" * 7, "its header cannot be read"),
        (
            safetensors_with({"a": {"dtype": "F32", "shape": [9], "data_offsets": [0, 36]}}),
            "after the file",
        ),
        (
            safetensors_with({"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 16]}}),
            "has 16 bytes",
        ),
        (
            safetensors_with({"a": {"dtype": "F32", "shape": [-4, -1], "data_offsets": [0, 16]}}),
            "has 16 bytes",
        ),
        (safetensors_with({"a": 1}), "its header cannot be read"),
    ],
)
def test_a_safetensors_header_that_contradicts_the_file_is_refused(tmp_path, content, why):
    (tmp_path / "f.safetensors").write_bytes(content)

    with pytest.raises(BadCheckpoint, match=why):
        open_checkpoint(tmp_path / "f.safetensors")


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_safetensors_are_read_to_the_bit(tmp_path, dtype):
    save_file({"a": values(dtype)}, tmp_path / "f.safetensors")

    tree = open_checkpoint(tmp_path / "f.safetensors").tree

    np.testing.assert_array_equal(tree["a"].read(), values(dtype).float().numpy())


def files(folder):
    tree = {"state_dict": {"a": torch.arange(300.0), "b": torch.ones(2, 3)}, "epoch": 3}
    torch.save(tree, folder / "zip.pth")
    torch.save(tree, folder / "legacy.th", _use_new_zipfile_serialization=False)
    save_file(tree["state_dict"], folder / "plain.safetensors")
    np.save(folder / "object.npy", {"a": np.arange(300.0)}, allow_pickle=True)
    (folder / "plain.pkl").write_bytes(pickle.dumps({"a": np.arange(300.0)}, protocol=2))
    return sorted(folder.iterdir())


@settings(deadline=None, max_examples=200)
@given(data=st.data())
def test_cut_or_flipped_files_are_read_or_refused_and_nothing_else(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("f")
    path = data.draw(st.sampled_from(files(folder)))
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(1, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)

    with contextlib.suppress(BadCheckpoint):
        for tensor in tensors_of(open_checkpoint(path).tree).values():
            tensor.read()
