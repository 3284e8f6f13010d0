"""The pickle machine: what pickle writes is read, and whatever else is refused in peace."""

import collections
import contextlib
import os
import pickle
import pickletools
import re
import resource
import struct
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.file_bytes import FileBytes
from relicheck.checkpoints.pickles.arrays import ARRAYS
from relicheck.checkpoints.pickles.inert import Inert
from relicheck.checkpoints.pickles.machine import Machine
from relicheck.checkpoints.pickles.plain import PLAIN
from relicheck.checkpoints.pickles.span import Span, latin1_bytes
from relicheck.checkpoints.stored import Stored

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


@pytest.fixture
def run(tmp_path):
    def run(pickled):
        path = tmp_path / "file.pkl"
        path.write_bytes(pickled)
        return Machine(FileBytes(path), path, {**PLAIN, **ARRAYS}).run()

    return run


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        0,
        -1,
        255,
        65536,
        2**40,
        -(2**70),
        1.5,
        float("inf"),
        "text",
        "\u00e9\n'\\",
        b"bytes\x00\xff",
        [],
        {},
        (),
        (1,),
        (1, 2),
        (1, 2, 3),
        (1, 2, 3, 4),
        [1, [2, {"a": (3, None)}]],
        {"a": 1, 2: "b", None: 3.0, b"c": 4},
        collections.OrderedDict(a=1, b=[2]),
    ],
    ids=repr,
)
def test_plain_values_come_out_as_pickle_itself_reads_them(run, value, protocol):
    # The oracle is CPython's own unpickler, run here on what this test wrote.
    assert run(pickle.dumps(value, protocol=protocol)) == value


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.text(max_size=5), inner, max_size=5)
        | st.tuples(inner, inner)
    ),
    max_leaves=20,
)


@settings(deadline=None, max_examples=60)
@given(value=plain, protocol=st.sampled_from(PROTOCOLS))
def test_any_nesting_comes_out_as_it_went_in(tmp_path_factory, value, protocol):
    path = tmp_path_factory.mktemp("p") / "f.pkl"
    path.write_bytes(pickle.dumps(value, protocol=protocol))

    assert Machine(FileBytes(path), path, PLAIN).run() == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", "<f2", "<i8", "|u1", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_known_by_shape_and_read_to_the_bit(run, protocol, dtype, order):
    rng = np.random.default_rng(0)
    array = np.asarray(rng.integers(0, 255, (5, 400)).astype(dtype), order=order)

    stored = run(pickle.dumps({"a": array}, protocol=protocol))["a"]

    assert isinstance(stored, Stored)
    assert stored.shape == (5, 400)
    np.testing.assert_array_equal(stored.load(), array)


def test_bfloat16_is_read_as_float32(run):
    import ml_dtypes

    array = np.asarray([1.5, -2.0, 3.140625], ml_dtypes.bfloat16)

    stored = run(pickle.dumps(array))

    assert stored.dtype == "bfloat16"
    np.testing.assert_array_equal(stored.read(), [1.5, -2.0, 3.140625])


def test_one_array_named_twice_is_one_tensor(run):
    array = np.arange(3.0)

    both = run(pickle.dumps([array, array]))

    assert both[0] is both[1]
    np.testing.assert_array_equal(both[1].load(), array)


def test_a_numpy_number_is_a_plain_number(run):
    assert run(pickle.dumps(np.float32(1.5))) == 1.5


@pytest.mark.parametrize("size", [0, 1, 2, 1000, (1 << 20) - 1, (1 << 20) + 7])
def test_protocol_2s_text_for_bytes_is_decoded_across_chunks(tmp_path, size):
    meant = np.random.default_rng(size).integers(0, 256, size).astype(np.uint8)
    encoded = meant.tobytes().decode("latin-1").encode("utf-8")
    path = tmp_path / "f"
    path.write_bytes(b"xyz" + encoded)

    read = Span(FileBytes(path), 3, len(encoded), "latin1").read(size)

    np.testing.assert_array_equal(read, meant)


@pytest.mark.parametrize("wrong", [b"\x80", b"\xc3", b"\xc3a", b"\xc4\x80", b"a\xc2\x80\x80"])
def test_text_that_stands_for_no_bytes_is_refused(wrong):
    with pytest.raises(ValueError, match="does not stand for bytes"):
        latin1_bytes(np.frombuffer(wrong, np.uint8))


class _Evil:
    def __init__(self, victim):
        self.victim = str(victim)

    def __reduce__(self):
        return os.mkdir, (self.victim,)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_call_is_kept_as_a_name_and_never_made(run, tmp_path, protocol):
    victim = tmp_path / "victim"

    found = run(pickle.dumps([_Evil(victim), 1], protocol=protocol))

    assert isinstance(found[0], Inert)
    assert found[0].name == "posix.mkdir"
    assert found[1] == 1
    assert not victim.exists()


def test_every_instruction_of_pickle_is_known_or_refused_by_name():
    from relicheck.checkpoints.pickles import machine

    tables = (machine._TEXTS, machine._PUT, machine._GET, machine._NUMBERS, machine._NEW)
    more = (machine._TUPLES, machine._CONSTANTS, machine._SKIPPED, machine._RARE)
    known = {code for table in (*tables, *more) for code in table} | {ord(".")}

    assert known == {ord(opcode.code) for opcode in pickletools.opcodes}


def nested(opening, closing, depth):
    return b"\x80\x04" + opening * depth + b"N" + closing * depth + b"."


@pytest.mark.parametrize(
    ("bomb", "why"),
    [
        (b"\x80\x02\x8e" + struct.pack("<Q", 1 << 60) + b"x.", "are declared and"),
        (b"\x80\x02\x8b" + struct.pack("<i", 1 << 30) + b".", "integer is too long"),
        (b"\x80\x02X" + struct.pack("<I", 0xFFFFFFFF) + b".", "are declared and"),
        (b"I" + b"9" * 100_000 + b"\n.", "integer is too long"),
        (b"I" + b"9" * 100_000, "a line has no end"),
        (b"\x80\x02j\xff\xff\xff\xff.", "unknown instruction or reference"),
        (b"\x80\x05\x97.", "outside the file"),
        (b"\x80\x02\x82\x01.", "outside the file"),
        (b"\x80\x02Q.", "cut or damaged"),
        (b"\x80\x02(((((.", "cut or damaged"),
        (b"\x80\x02NNR.", "cut or damaged"),
        (b"\x80\x02", "cut or damaged"),
    ],
)
def test_bombs_and_nonsense_are_refused(run, bomb, why):
    with pytest.raises(BadCheckpoint, match=why):
        run(bomb)


def test_a_hundred_thousand_levels_do_not_overflow_the_stack(run):
    # Lists in lists, tuples in tuples, and a key that would be hashed level by level.
    run(b"\x80\x04" + b"]" * 100_000 + b"a" * 99_999 + b".")
    run(nested(b"", b"\x85", 100_000))
    run(b"\x80\x04}N" + b"\x85" * 100_000 + b"Ns.")


def test_laughing_tuples_take_no_memory(run):
    # Each tuple holds the one before twice: 2**200 leaves in 800 bytes.
    run(b"\x80\x04N" + b"2\x86" * 200 + b".")


def test_more_instructions_than_any_checkpoint_has_end_in_a_message(run):
    started = time.monotonic()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with pytest.raises(BadCheckpoint, match="more than 5000000 instructions"):
        run(b"\x80\x04" + b"]" * 6_000_000)

    assert time.monotonic() - started < 60
    # 5 million empty lists of 56 bytes, and a stack of 40 MB.
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 800_000


def sample():
    tree = {"a": np.arange(2000.0), "b": [1, "x" * 2000, {"c": np.float32(1)}], "d": (1, 2.5)}
    return pickle.dumps(tree, protocol=2)


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_cut_or_flipped_bytes_never_end_in_another_error(tmp_path_factory, data):
    pickled = bytearray(sample())
    if data.draw(st.booleans()):
        del pickled[data.draw(st.integers(0, len(pickled) - 1)) :]
    for _ in range(data.draw(st.integers(0, 8))):
        if pickled:
            pickled[data.draw(st.integers(0, len(pickled) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("p") / "f.pkl"
    path.write_bytes(bytes(pickled))

    with contextlib.suppress(BadCheckpoint):
        Machine(FileBytes(path), path, {**PLAIN, **ARRAYS}).run()


def bytes_read():
    """What this process has asked of the system's read calls, in bytes."""
    return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())[1])


def test_the_machine_passes_over_what_it_does_not_read(tmp_path):
    path = tmp_path / "large.pkl"
    array = np.zeros(50_000_000, np.float32)
    with path.open("wb") as stream:
        pickle.dump({"large": array}, stream, protocol=4)
    del array
    before = bytes_read()

    tree = Machine(FileBytes(path), path, {**PLAIN, **ARRAYS}).run()

    assert tree["large"].nbytes == 200_000_000
    assert bytes_read() - before < 500_000
