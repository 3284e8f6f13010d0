"""ONNX files by the onnx library are read without it; damaged ones are refused."""

import importlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from relicheck.checkpoints.container import open_checkpoint, tensors_of
from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.file_bytes import FileBytes

_KERNEL = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def model(*initializers, **metadata):
    """A whole ONNX model of one node."""
    node = helper.make_node("Identity", ["x"], ["y"])
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, ["N"]) for n in "xy"]
    graph = helper.make_graph([node], "g", ends[:1], ends[1:], list(initializers))
    made = helper.make_model(graph, producer_name="a_test")
    helper.set_model_props(made, metadata)
    return made


def opened(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    return open_checkpoint(path)


def field(number, content):
    """A Protocol Buffers field of bytes."""
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value):
    content = b""
    while value > 0x7F:
        content += bytes([value & 0x7F | 0x80])
        value >>= 7
    return content + bytes([value])


def test_initialisers_and_metadata_are_read(tmp_path):
    kernel = numpy_helper.from_array(_KERNEL, "conv1.weight")

    found = opened(tmp_path / "a.onnx", model(kernel, key="a value", other="ö"))

    assert found.container == "onnx_file"
    assert np.array_equal(found.at("initializers", "conv1.weight").read(), _KERNEL)
    assert found.at("metadata") == {"key": "a value", "other": "ö"}


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int32", "int64", "bool", "bfloat16"]
)
def test_every_number_type_keeps_its_values(tmp_path, dtype):
    values = np.array([0, 1, 1, 0])
    if dtype == "bfloat16":
        # The upper halves of float32's 0 and 1.
        raw = np.array([0, 0x3F80, 0x3F80, 0], "<u2").tobytes()
        tensor = helper.make_tensor("a", TensorProto.BFLOAT16, [4], raw, raw=True)
    else:
        tensor = numpy_helper.from_array(values.astype(dtype), "a")

    found = opened(tmp_path / "a.onnx", model(tensor)).at("initializers", "a")

    assert found.dtype == dtype
    assert found.read().tolist() == [0, 1, 1, 0]


def test_numbers_that_are_not_raw_bytes_are_named(tmp_path):
    tensor = helper.make_tensor("a", TensorProto.FLOAT, [2], [1.0, 2.0])

    found = opened(tmp_path / "a.onnx", model(tensor)).at("initializers", "a")

    assert found == "an initialiser of data type 1 without raw bytes"


def test_sizes_may_be_packed_into_one_field(tmp_path):
    # onnx.proto is proto2, which writes them apart; other writers pack them.
    tensor = field(1, b"\x02\x03") + b"\x10\x01" + field(8, b"a") + field(9, bytes(24))
    content = b"\x08\x08" + field(7, field(5, tensor))

    assert opened(tmp_path / "a.onnx", content).at("initializers", "a").shape == (2, 3)


def test_opening_reads_no_tensor(tmp_path, monkeypatch):
    content = model(numpy_helper.from_array(np.zeros(1_000_000, np.float32), "a"))
    read, array = [], FileBytes.array

    def counted(self, start, count):
        read.append(count)
        return array(self, start, count)

    monkeypatch.setattr(FileBytes, "array", counted)

    found = opened(tmp_path / "a.onnx", content)

    assert read == []
    assert found.at("initializers", "a").read().shape == (1_000_000,)
    assert read == [4_000_000]


def test_weights_in_another_file_are_refused(tmp_path):
    # External data is a path of the author's choosing.
    made = model(numpy_helper.from_array(np.zeros(1000, np.float32), "a"))
    path = tmp_path / "a.onnx"
    onnx.save_model(made, path, save_as_external_data=True, size_threshold=0, location="b.bin")

    with pytest.raises(BadCheckpoint, match="weights in another file"):
        open_checkpoint(path)


def test_a_model_without_weights_is_refused(tmp_path):
    with pytest.raises(BadCheckpoint, match="an ONNX file without weights"):
        opened(tmp_path / "a.onnx", model())


def test_a_file_that_ends_anywhere_lacks_what_was_cut(tmp_path):
    whole = model(numpy_helper.from_array(_KERNEL, "a"), key="value").SerializeToString()

    for end in range(10, len(whole)):
        try:
            tree = opened(tmp_path / "a.onnx", whole[:end]).tree
        except BadCheckpoint:
            continue
        # Between two fields of the outermost message a cut cannot be seen.
        assert tree["initializers"]["a"].read().shape == (2, 3, 4)
        assert whole[:end].find(_KERNEL.tobytes()) > 0


def test_a_flipped_bit_gives_a_tree_or_a_message_never_another_error(tmp_path):
    whole = model(numpy_helper.from_array(_KERNEL[0, 0], "a"), key="value").SerializeToString()
    random = np.random.default_rng(0)

    for _ in range(400):
        damaged = bytearray(whole)
        damaged[random.integers(len(whole))] ^= 1 << random.integers(8)
        try:
            for tensor in tensors_of(opened(tmp_path / "a.onnx", bytes(damaged)).tree).values():
                tensor.read()
        except BadCheckpoint:
            pass


HUGE = varint(1 << 50)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"\x08\x08\x3a" + HUGE + bytes(20), "a field of 1125899906842624 bytes"),
        (b"\x08\x08\x3a" + b"\xff" * 20, "a number without end"),
        (b"\x08\x08" + field(7, b"\x2b" + bytes(20)), "a field of None bytes"),
        (
            b"\x08\x08" + field(7, field(5, b"\x08" + HUGE + b"\x10\x01" + field(9, b"abcd"))),
            "has 4 bytes for",
        ),
        (
            b"\x08\x08" + field(7, field(5, b"\x08\x01" * 50 + b"\x10\x01" + field(9, b"abcd"))),
            "of 50 axes",
        ),
    ],
)
def test_what_no_writer_writes_is_refused(tmp_path, content, found):
    with pytest.raises(BadCheckpoint, match=found):
        opened(tmp_path / "a.onnx", content)


def test_a_file_of_nothing_but_fields_is_refused_in_bounded_time(tmp_path, monkeypatch):
    # By import: the package's attribute of that name is the registry of containers.
    module = importlib.import_module("relicheck.checkpoints.containers.onnx_file")
    monkeypatch.setattr(module, "_MOST_FIELDS", 1000)

    with pytest.raises(BadCheckpoint, match="more than 1000 fields"):
        opened(tmp_path / "a.onnx", b"\x08\x08\x12\x00" + b"\x12\x00" * 5000)
