"""TensorFlow's checkpoint files: genuine ones, damaged ones, and ones made to do harm."""

import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from relicheck.checkpoints.container import open_checkpoint, tensors_of
from relicheck.checkpoints.crc32c import crc32c
from relicheck.checkpoints.errors import BadCheckpoint, MissingData
from relicheck.checkpoints.load import load_checkpoint
from relicheck.checkpoints.protobuf import fields
from relicheck.checkpoints.source import read_source

FILES = Path(__file__).parents[1] / "files" / "tensorflow"
MAGIC = bytes.fromhex("57fb808b247547db")


def copied(name, folder):
    """Copy a checkpoint; return its index and its first data file."""
    for file in FILES.glob(f"{name}.*"):
        shutil.copy(file, folder)
    return folder / f"{name}.index", next(folder.glob(f"{name}.data-00000-*"))


def bitwise_crc32c(data):
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


# 131,072 bytes are one row of the checksum's folding; the last two need a second.
@pytest.mark.parametrize("size", [0, 1, 3, 4, 9, 255, 256, 1000, 65537, 131072, 131073, 400_003])
def test_the_checksum_is_that_of_one_bit_at_a_time(size):
    data = np.random.default_rng(size).integers(0, 256, size).astype(np.uint8)

    assert crc32c(data) == bitwise_crc32c(data.tolist())


def test_the_checksum_of_the_standards_example():
    # RFC 3720, App. B.4: 32 bytes of zero; and the check value of every catalogue of CRCs.
    assert crc32c(np.zeros(32, np.uint8)) == 0x8A9136AA
    assert crc32c(np.frombuffer(b"123456789", np.uint8)) == 0xE3069283


@pytest.mark.parametrize(
    "given",
    ["kinds", "kinds.index", "kinds.data-00000-of-00002", "kinds.data-00001-of-00002"],
)
def test_a_checkpoint_is_named_by_its_prefix_or_by_any_of_its_files(given):
    opened = open_checkpoint(FILES / given)

    assert opened.container == "tensorflow_bundle"
    assert [file.name for file in opened.files] == [
        "kinds.index",
        "kinds.data-00000-of-00002",
        "kinds.data-00001-of-00002",
    ]


KINDS = "float32 float64 float16 bfloat16 int32 int64 int16 int8 uint8 uint16 uint32 uint64 bool"


@pytest.mark.parametrize("kind", KINDS.split())
def test_values_of_every_kind_are_those_that_were_saved(kind):
    tensor = open_checkpoint(FILES / "kinds").tree[kind]

    assert (tensor.dtype, tensor.shape) == (kind, (2, 3))
    wanted = [[0, 1, 1], [1, 1, 1]] if kind == "bool" else [[0, 1, 2], [3, 4, 5]]
    np.testing.assert_array_equal(tensor.read(), wanted)


def test_an_empty_variable_and_one_in_another_data_file_are_read():
    tree = open_checkpoint(FILES / "kinds").tree

    assert tree["empty"].read().shape == (0, 4)
    assert tree["other/device"].read().tolist() == [1.5, -2.5]


def test_what_is_not_numbers_is_no_tensor():
    tree = open_checkpoint(FILES / "kinds").tree

    assert tree["text"] == "values of TensorFlow's type 7"  # DT_STRING
    assert "text" not in tensors_of(tree)


def test_a_partitioned_variable_is_listed_and_refused_when_it_is_wanted():
    tensor = open_checkpoint(FILES / "kinds").tree["parts"]

    assert tensor.shape == (4, 2)
    with pytest.raises(BadCheckpoint, match="parts is cut into parts by a variable partitioner"):
        tensor.read()


def test_of_several_data_files_one_that_is_missing_is_named(tmp_path):
    index, _ = copied("kinds", tmp_path)
    (tmp_path / "kinds.data-00001-of-00002").unlink()

    with pytest.raises(BadCheckpoint, match=r"kinds\.data-00001-of-00002 is not beside it"):
        open_checkpoint(index)


def test_a_folder_with_one_checkpoint_is_read_and_with_two_is_asked_about(tmp_path):
    copied("resnet18", tmp_path)
    assert load_checkpoint(tmp_path).spec.depth == 18

    copied("resnet50", tmp_path)
    with pytest.raises(BadCheckpoint, match=r"holds 2 checkpoints \(resnet18, resnet50\)"):
        load_checkpoint(tmp_path)


# TensorFlow writes the path that was trained in: of published files, that of another machine.
@pytest.mark.parametrize("path", ["resnet50", "/cns/somewhere/resnet50", "../../resnet50"])
def test_of_several_checkpoints_a_folder_calls_one_the_newest(tmp_path, path):
    copied("resnet18", tmp_path)
    copied("resnet50", tmp_path)
    (tmp_path / "checkpoint").write_text(
        f'model_checkpoint_path: "{path}"\nall_model_checkpoint_paths: "resnet18"\n'
    )

    assert load_checkpoint(tmp_path).spec.depth == 50


def test_a_newest_checkpoint_outside_of_the_folder_is_not_followed(tmp_path):
    copied("resnet50", tmp_path)
    folder = tmp_path / "folder"
    folder.mkdir()
    copied("resnet18", folder)
    copied("tf2", folder)
    (folder / "checkpoint").write_text('model_checkpoint_path: "../resnet50"\n')

    with pytest.raises(BadCheckpoint, match="holds 2 checkpoints"):
        load_checkpoint(folder)


def test_a_published_folder_with_its_state_file_is_tensorflows(tmp_path):
    # The folders of SimCLRv2: `checkpoint` alone would make one of old Orbax.
    copied("resnet18", tmp_path)
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "resnet18"\n')

    assert open_checkpoint(tmp_path).container == "tensorflow_bundle"


def test_a_saved_model_is_named_by_its_folder():
    files = open_checkpoint(FILES / "tf2_saved_model").files

    assert [file.parent.name for file in files] == ["variables", "variables"]


def test_a_file_beside_which_an_index_lies_is_not_taken_for_its_prefix(tmp_path):
    index, _ = copied("resnet18", tmp_path)
    (tmp_path / "resnet18").write_bytes(b"something else")

    with pytest.raises(BadCheckpoint, match="not a checkpoint of a known kind"):
        open_checkpoint(index.with_suffix(""))


def test_nothing_is_missing_data(tmp_path):
    with pytest.raises(MissingData):
        open_checkpoint(tmp_path / "absent")


@pytest.mark.parametrize("size", [1, 40, 47, 48, 1000, 8000])
def test_a_cut_index_is_refused(tmp_path, size):
    index, _ = copied("resnet50", tmp_path)
    index.write_bytes(index.read_bytes()[:size])

    with pytest.raises(BadCheckpoint, match="table is cut or damaged"):
        open_checkpoint(index)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
def test_a_cut_data_file_is_refused_before_anything_is_read(tmp_path, share):
    index, data = copied("resnet50", tmp_path)
    data.write_bytes(data.read_bytes()[: int(share * data.stat().st_size)])

    with pytest.raises(BadCheckpoint, match="ends after data file 0"):
        open_checkpoint(index)


def test_no_flipped_bit_of_an_index_escapes(tmp_path):
    index, _ = copied("tf2", tmp_path)
    whole = index.read_bytes()
    rng = np.random.default_rng(0)

    for place in rng.integers(0, len(whole) - 48, 60):  # the footer's padding is free
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        index.write_bytes(damaged)
        with pytest.raises(BadCheckpoint, match="checksum of the block"):
            open_checkpoint(index)


def test_no_flipped_bit_of_a_tensor_escapes(tmp_path):
    index, data = copied("resnet50", tmp_path)
    whole = data.read_bytes()
    rng = np.random.default_rng(0)

    for place in rng.integers(0, len(whole) - 8, 30):  # global_step comes last, as eight bytes
        damaged = bytearray(whole)
        damaged[place] ^= 1 << int(rng.integers(8))
        data.write_bytes(damaged)
        # The two kinds of an error: of the weights, and of the step that goes to the manifest.
        with pytest.raises(BadCheckpoint, match=r"the checksum of [\w/]+ is wrong"):
            read_source(index).read()


def test_a_flipped_bit_of_the_object_graph_is_found(tmp_path):
    index, data = copied("tf2", tmp_path)
    damaged = bytearray(data.read_bytes())
    damaged[damaged.index(b"initial_conv_relu_max_pool")] ^= 1
    data.write_bytes(damaged)

    with pytest.raises(BadCheckpoint, match="checksum of _CHECKPOINTABLE_OBJECT_GRAPH is wrong"):
        open_checkpoint(index)


def varint(value):
    low, high = value & 0x7F, value >> 7
    return bytes([low | 0x80]) + varint(high) if high else bytes([low])


def entry(key, value, shared=0):
    return varint(shared) + varint(len(key)) + varint(len(value)) + key + value


class Table:
    """Writes a table block by block, with checksums that are right."""

    def __init__(self):
        self.data = b""

    def block(self, entries, kind=0):
        body = b"".join(entries) + bytes(4) + (1).to_bytes(4, "little") + bytes([kind])
        crc = crc32c(np.frombuffer(body, np.uint8))
        masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        handle = varint(len(self.data)) + varint(len(body) - 1)
        self.data += body + masked.to_bytes(4, "little")
        return handle

    def write(self, path, handles):
        index = self.block([entry(b"%06d" % i, handle) for i, handle in enumerate(handles)])
        path.write_bytes(self.data + (varint(0) + varint(0) + index).ljust(40, b"\0") + MAGIC)


HEADER = entry(b"", bytes([8, 1]))  # num_shards: 1


def refused(path, match):
    path.with_suffix(".data-00000-of-00001").write_bytes(bytes(64))
    started = time.perf_counter()
    with pytest.raises(BadCheckpoint, match=match):
        open_checkpoint(path)
    assert time.perf_counter() - started < 5


def test_a_table_as_it_should_be_is_read(tmp_path):
    table, path = Table(), tmp_path / "x.index"
    zeros = crc32c(np.zeros(8, np.uint8))
    checksum = (((zeros >> 15 | zeros << 17) + 0xA282EAD8) & 0xFFFFFFFF).to_bytes(4, "little")
    # dtype 1, shape [2], offset 16, size 8, checksum (field 6 of four bytes).
    value = bytes([8, 1, 18, 4, 18, 2, 8, 2, 32, 16, 40, 8, 53]) + checksum
    table.write(path, [table.block([HEADER, entry(b"w", value)])])
    path.with_suffix(".data-00000-of-00001").write_bytes(bytes(64))

    assert open_checkpoint(path).tree["w"].read().tolist() == [0, 0]


@pytest.mark.parametrize(
    ("value", "match"),
    [
        (bytes([8, 1, 18, 4, 18, 2, 8, 2, 40, 4]), "has 4 bytes"),  # two floats need eight
        (bytes([8, 1, 32, 62, 40, 4]), "ends after data file 0"),  # 62 + 4 of 64 bytes
        (bytes([8, 1, 24, 1, 40, 4]), "ends after data file 1"),  # of which there is none
        (bytes([8, 1, 18]), "an entry is damaged"),
        (bytes([8, 1, 18]) + varint(33 * 4) + bytes([18, 2, 8, 1]) * 33, "has 33 axes"),
        (bytes([8]) + b"\xff" * 11, "more than ten bytes"),
        # 2**60 by 2**60 floats in four bytes.
        (bytes([8, 1, 18, 24]) + (bytes([18, 10, 8]) + varint(1 << 60)) * 2, "has 0 bytes"),
    ],
)
def test_an_entry_that_cannot_be_true_is_refused(tmp_path, value, match):
    table, path = Table(), tmp_path / "x.index"
    table.write(path, [table.block([HEADER, entry(b"w", value)])])

    refused(path, match)


@pytest.mark.parametrize(
    ("header", "match"),
    [
        (bytes([8, 1, 16, 1]), "big-endian"),
        (bytes([8, 1, 26, 2, 16, 9]), "needs a reader of version 9"),
        (bytes([8]) + varint(1 << 40), "1099511627776 data files"),
        (b"", "0 data files"),
    ],
)
def test_a_header_that_says_something_else_is_refused(tmp_path, header, match):
    table, path = Table(), tmp_path / "x.index"
    table.write(path, [table.block([entry(b"", header)])])

    refused(path, match)


def test_a_compressed_block_is_refused(tmp_path):
    table, path = Table(), tmp_path / "x.index"
    table.write(path, [table.block([HEADER], kind=1)])  # 1: snappy

    refused(path, "compressed")


def test_keys_that_share_a_long_beginning_are_no_bomb(tmp_path):
    # Each of these entries would take 1 MB of memory for its four bytes.
    table, path = Table(), tmp_path / "x.index"
    long = entry(b"a" * (1 << 20), b"")
    table.write(path, [table.block([HEADER, long, *[entry(b"", b"", 1 << 20)] * 100_000])])

    refused(path, "a key of 1048576 bytes")


def test_a_block_that_is_listed_again_and_again_is_no_bomb(tmp_path):
    table, path = Table(), tmp_path / "x.index"
    handle = table.block([entry(b"%05d" % i, bytes([8, 1])) for i in range(10_000)])
    table.write(path, [handle] * 50_000)

    refused(path, "is listed twice")


def test_keys_out_of_order_are_refused(tmp_path):
    table, path = Table(), tmp_path / "x.index"
    table.write(path, [table.block([HEADER, entry(b"b", b""), entry(b"a", b"")])])

    refused(path, "out of order")


def test_messages_are_read_as_protocol_buffers_encode_them():
    # Their documentation: field 1 as 150 is 08 96 01; field 2 as "testing" 12 07 74 65 ...
    message = bytes.fromhex("089601120774657374696e670801")

    assert fields(message) == {1: [150, 1], 2: [b"testing"]}
    assert fields(bytes.fromhex("0d01000000")) == {1: [b"\1\0\0\0"]}


@pytest.mark.parametrize("message", ["08", "1205", "0b", "0dffff"])
def test_a_cut_message_is_a_value_error(message):
    with pytest.raises(ValueError, match=r"cut|ends after|kind"):
        fields(bytes.fromhex(message))


def test_a_genuine_checkpoint_of_tensorflow_1_is_read_and_is_no_resnet(real_data):
    prefix = real_data / "weights" / "tf1-checkpoint-glassy" / "t044_s09.ckpt"

    tensors = tensors_of(open_checkpoint(prefix).tree)

    assert len(tensors) == 72
    assert all(np.isfinite(tensor.read()).all() for tensor in tensors.values())
    with pytest.raises(BadCheckpoint, match="not those of a ResNet"):
        load_checkpoint(Path(f"{prefix}.index"))
