"""MessagePack files by Flax itself are read as they are; damaged ones are refused."""

import pickle
import struct

import flax.serialization
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax.training.train_state import TrainState

from relicheck.checkpoints import containers
from relicheck.checkpoints.container import open_checkpoint, tensors_of
from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.file_bytes import FileBytes

_KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def opened(path, content):
    path.write_bytes(content)
    return open_checkpoint(path)


def map_of_one(value):
    """A MessagePack map {"params": value}."""
    return b"\x81\xa6params" + value


def extension(code, content):
    return struct.pack(">BIb", 0xC9, len(content), code) + content


def test_a_train_state_of_flax_is_read_with_every_leaf(tmp_path):
    params = {"Conv_0": {"kernel": jnp.asarray(_KERNEL)}, "Dense_0": {"bias": jnp.ones(3)}}
    state = TrainState.create(apply_fn=None, params=params, tx=optax.adam(0.1))

    found = opened(tmp_path / "checkpoint_7", flax.serialization.to_bytes(state))

    assert found.container == "flax_msgpack"
    assert np.array_equal(found.at("params", "Conv_0", "kernel").read(), _KERNEL)
    theirs = flax.serialization.msgpack_restore((tmp_path / "checkpoint_7").read_bytes())
    assert set(tensors_of(found.tree)) == {
        "params.Conv_0.kernel", "params.Dense_0.bias",
        "opt_state.0.count", "opt_state.0.mu.Conv_0.kernel", "opt_state.0.mu.Dense_0.bias",
        "opt_state.0.nu.Conv_0.kernel", "opt_state.0.nu.Dense_0.bias",
    }  # fmt: skip
    assert found.tree["step"] == theirs["step"] == 0


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "bfloat16", "int8", "int64", "uint8", "bool"]
)
def test_every_number_type_keeps_its_values(tmp_path, dtype):
    values = jnp.asarray([0, 1, 1, 0]).astype(dtype) if dtype == "bfloat16" else None
    values = np.array([0, 1, 1, 0], dtype) if values is None else values

    found = opened(tmp_path / "a", flax.serialization.msgpack_serialize({"params": values}))

    assert found.tree["params"].dtype == dtype
    assert found.tree["params"].read().tolist() == [0, 1, 1, 0]


def test_plain_values_come_as_they_are(tmp_path):
    tree = {
        "small": 5, "negative": -3, "large": 70_000, "below": -70_000, "fraction": 0.25,
        "text": "ö" * 300, "none": None, "true": True, "scalar": np.float32(1.5), "bytes": b"abc",
        "list": [1, "two"], "complex": 1 + 2j,
    }  # fmt: skip

    found = opened(tmp_path / "a", flax.serialization.msgpack_serialize(tree)).tree

    assert found == {
        **tree,
        "list": {"0": 1, "1": "two"},  # flax.serialization.to_state_dict's form of a list
        "bytes": "3 bytes",
        "complex": "19 bytes of extension 2",
    }


def test_an_array_that_flax_cut_into_chunks_is_joined(tmp_path, monkeypatch):
    # Flax cuts at a gibibyte.
    monkeypatch.setattr(flax.serialization, "MAX_CHUNK_SIZE", 40)
    content = flax.serialization.msgpack_serialize({"params": {"kernel": _KERNEL}})
    assert b"__msgpack_chunked_array__" in content

    found = opened(tmp_path / "a", content)

    assert found.at("params", "kernel").final_shape == (2, 3, 4)
    assert np.array_equal(found.at("params", "kernel").read(), _KERNEL)


def test_chunks_that_do_not_make_up_the_array_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(flax.serialization, "MAX_CHUNK_SIZE", 40)
    tree = {"params": flax.serialization._chunk(_KERNEL)}
    tree["params"]["shape"]["0"] = 3

    with pytest.raises(BadCheckpoint, match="chunks that do not make it up"):
        opened(tmp_path / "a", flax.serialization.msgpack_serialize(tree))


def test_opening_reads_no_tensor(tmp_path, monkeypatch):
    content = flax.serialization.msgpack_serialize({"params": np.zeros(1_000_000, np.float32)})
    read, array = [], FileBytes.array

    def counted(self, start, count):
        read.append(count)
        return array(self, start, count)

    monkeypatch.setattr(FileBytes, "array", counted)

    found = opened(tmp_path / "a", content)

    assert read == []
    assert found.tree["params"].read().shape == (1_000_000,)
    assert read == [4_000_000]


def test_a_file_that_ends_anywhere_is_refused(tmp_path):
    content = flax.serialization.msgpack_serialize({"params": {"kernel": _KERNEL}, "step": 3})

    for end in range(8, len(content)):
        with pytest.raises(BadCheckpoint):
            opened(tmp_path / "a", content[:end])


def test_bytes_after_the_end_are_refused(tmp_path):
    content = flax.serialization.msgpack_serialize({"params": {"kernel": _KERNEL}})

    with pytest.raises(BadCheckpoint, match="3 bytes after its end"):
        opened(tmp_path / "a", content + b"abc")


def test_a_flipped_bit_gives_a_tree_or_a_message_never_another_error(tmp_path):
    content = flax.serialization.msgpack_serialize(
        {"params": {"kernel": _KERNEL[0], "half": np.ones(3, np.float16)}, "step": 3, "a": [1, 2]}
    )
    random = np.random.default_rng(0)

    for _ in range(400):
        damaged = bytearray(content)
        damaged[random.integers(len(content))] ^= 1 << random.integers(8)
        try:
            for tensor in tensors_of(opened(tmp_path / "a", bytes(damaged)).tree).values():
                tensor.read()
        except BadCheckpoint:
            pass


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b"\x91" * 100_000, "deeper than 64"),  # lists in lists
        (b"\x81\xa1a" * 100_000, "deeper than 64"),  # maps in maps
        (b"\xdd\xff\xff\xff\xff", "a table of 4294967295 entries"),
        (b"\xdf\xff\xff\xff\xff", "a table of 4294967295 entries"),
        (b"\xdb\xff\xff\xff\xff", "4294967295 bytes where 0 are left"),
        (b"\xc9\xff\xff\xff\xff\x01", "4294967295 bytes where"),
        (b"\x82\xa1a\x01\xa1a\x02", "the key 'a' twice"),
        (b"\x81\xc0\x01", "of no kind for a key"),
        (b"\xc1", "the byte 0xc1"),
    ],
)
def test_what_no_writer_writes_is_refused(tmp_path, value, found):
    with pytest.raises(BadCheckpoint, match=found):
        opened(tmp_path / "a", map_of_one(value))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        # Shape (2^40,), float32, four bytes.
        (b"\x93\x91\xcf" + (1 << 40).to_bytes(8) + b"\xa7float32\xc4\x04abcd", "in 4 bytes"),
        (b"\x93\x91\xa1a\xa7float32\xc4\x04abcd", "does not consist of sizes"),
        (b"\x93\xdc\x00\x40" + b"\x01" * 64 + b"\xa7float32\xc4\x04abcd", "a shape that is a list"),
        (b"\x93\x91\x01\xa7float32\xc4\x04abcdtail", "end elsewhere"),
        (b"\x92\x91\x01\xa7float32", "without shape, dtype and bytes"),
    ],
)
def test_an_array_that_contradicts_itself_is_refused(tmp_path, content, found):
    with pytest.raises(BadCheckpoint, match=found):
        opened(tmp_path / "a", map_of_one(extension(1, content)))


def test_arrays_nested_in_shapes_do_not_exhaust_the_stack(tmp_path):
    content = b"\x01"
    for _ in range(2000):
        content = extension(1, b"\x93\x91" + content)

    with pytest.raises(BadCheckpoint, match="does not consist of sizes"):
        opened(tmp_path / "a", map_of_one(content))


@pytest.mark.parametrize("dtype", ["O", "S5", "V8", "complex64", "no_such_type", "M8[s]", "f4"])
def test_a_dtype_that_is_no_plain_number_is_no_tensor(tmp_path, dtype):
    name = dtype.encode()
    content = b"\x93\x91\x01" + bytes([0xA0 | len(name)]) + name + b"\xc4\x08" + b"x" * 8

    found = opened(tmp_path / "a", map_of_one(extension(1, content)))

    assert found.tree["params"] == f"an array of {dtype}"


@pytest.mark.parametrize(
    "content",
    [
        pickle.dumps({"params": 1}, protocol=2),
        b"\x89PNG\r\n\x1a\n" + b"\0" * 60,
        b"PK\x03\x04" + b"\0" * 60,
        b"\x93NUMPY\x01\x00",
        b"\x81",
        b"\xde\x00",
    ],
)
def test_other_files_are_not_taken_for_messagepack(tmp_path, content):
    assert not containers.load("flax_msgpack").matches(tmp_path / "a", content[:64])
