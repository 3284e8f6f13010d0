import hashlib
import json
import subprocess
import sys
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData, BadRecord
from relicheck.evaluations.journal import FIRST, JOURNAL, append, read_journal, writing
from relicheck.evaluations.per_image import read_arrays, write_arrays
from relicheck.evaluations.recompute import recompute
from relicheck.evaluations.record import (
    Record,
    hashes_of,
    read_beside,
    read_record,
    record_text,
    write_record,
)


@pytest.fixture
def record():
    """Build a record of four images: record(value=75.0)."""

    def build(**fields):
        plain = Record(
            metric="top1", value=50.0, unit="%", images=4, standard_error=25.0, condition="",
            subject="tiny", subject_kind="checkpoint", weights_sha256="a" * 64,
            source_sha256="b" * 64, method="random", architecture="ResNet-18 0.125x",
            dataset="digits", split="test", data_fingerprint="sha256:d1", data_images=4,
            source="images", evaluator="knn", protocol="knn/1", protocol_sha256="c" * 64,
            protocol_fields={"k": 3}, seed=0, code_sha256="d" * 64,
        )  # fmt: skip
        return replace(plain, **fields)

    return build


# What a record says, and that nobody changed it.


def test_a_record_is_read_as_it_was_written(record, tmp_path):
    written = record(notes=("a note",), environment={"torch": "2.13"}, request={"limit": None})
    assert read_record(write_record(tmp_path, written)) == written


def test_the_content_hash_is_over_every_field_and_the_id_over_the_inputs_alone(record):
    plain = record()
    for change in ({"value": 75.0}, {"notes": ("x",)}, {"environment": {"torch": "1"}}):
        assert record(**change).content_sha256 != plain.content_sha256
        assert record(**change).id == plain.id
    assert record(seed=1).id != plain.id


def test_the_padding_in_the_manifest_is_an_input_and_its_licence_is_not(record):
    same = record(manifest={"spec": {"padding": "same"}, "licence": "MIT"})
    assert same.id == record(manifest={"spec": {"padding": "same"}, "licence": "?"}).id
    assert same.id != record(manifest={"spec": {"padding": "symmetric"}, "licence": "MIT"}).id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": 75.0}, "it was edited"),
        ({"environment": {"torch": "other"}}, "it was edited"),
        ({"seed": 1}, "its inputs give"),
        ({"value": "50.0"}, "value is '50.0'"),
        ({"images": 4.5}, "images is 4.5"),
        ({"schema": 1}, "another version of relicheck.*relicheck evaluate tiny --data digits"),
        ({"schema": 99}, "another version of relicheck"),
        ({"surprise": 1}, "fields do not fit"),
    ],
)
def test_an_edited_record_is_refused_and_says_why(record, tmp_path, change, message):
    path = write_record(tmp_path, record())
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(BadRecord, match=message):
        read_record(path)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"schema": 2}', "\x00", "[" * 100_000])
def test_what_is_no_record_is_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(BadRecord):
        read_record(path)


def test_a_number_that_is_none_is_neither_written_nor_read(record, tmp_path):
    with pytest.raises(BadRecord, match="top1 is nan"):
        write_record(tmp_path, record(value=float("nan")))
    path = write_record(tmp_path, record())
    path.write_text(path.read_text().replace('"value": 50.0', '"value": NaN'))
    with pytest.raises(BadRecord, match="it holds NaN"):
        read_record(path)


# The journal.


def test_every_record_has_a_line_that_holds_the_hash_of_the_line_before(record, tmp_path):
    written = [record(seed=seed) for seed in range(3)]
    for each in written:
        write_record(tmp_path, each)
    lines = (tmp_path / JOURNAL).read_bytes().splitlines()
    # By hand: the chain is SHA-256 over the bytes of the line before, 64 zeros at first.
    before = [FIRST, *(hashlib.sha256(line).hexdigest() for line in lines)]
    assert [json.loads(line) for line in lines] == [
        {"id": each.id, "content": each.content_sha256, "previous": before[place]}
        for place, each in enumerate(written)
    ]
    assert read_journal(tmp_path).head == before[-1]
    assert read_journal(tmp_path).breaks == ()


def test_writing_an_equal_record_again_adds_no_line(record, tmp_path):
    for _ in range(2):
        write_record(tmp_path, record())
    assert len(read_journal(tmp_path).entries) == 1


def test_a_record_that_a_killed_process_did_not_enter_is_entered_by_the_next(record, tmp_path):
    write_record(tmp_path, record())
    (tmp_path / JOURNAL).write_text("")
    write_record(tmp_path, record())
    assert [entry.id for entry in read_journal(tmp_path).entries] == [record().id]


def test_a_line_cut_off_by_a_kill_is_replaced_and_the_chain_is_whole(record, tmp_path):
    write_record(tmp_path, record())
    with (tmp_path / JOURNAL).open("ab") as stream:
        stream.write(b'{"id": "half')
    assert read_journal(tmp_path).breaks == ("line 2 is cut off",)
    write_record(tmp_path, record(seed=1))
    journal = read_journal(tmp_path)
    assert (len(journal.entries), journal.breaks) == (2, ())


@pytest.mark.parametrize("meddle", ["remove", "edit", "insert"])
def test_meddling_with_a_line_is_named_at_the_line_after_it(record, tmp_path, meddle):
    for seed in range(3):
        write_record(tmp_path, record(seed=seed))
    path = tmp_path / JOURNAL
    lines = path.read_bytes().splitlines(keepends=True)
    if meddle == "remove":
        del lines[1]
    elif meddle == "edit":
        lines[1] = lines[1].replace(b'"content": "', b'"content": "0')
    else:
        lines.insert(1, lines[0])
    path.write_bytes(b"".join(lines))
    [*_, said] = read_journal(tmp_path).breaks
    assert "does not follow the line before it" in said


WRITER = """
import sys
from dataclasses import replace
from pathlib import Path
from relicheck.evaluations.record import parse_record, write_record

record, first = parse_record(sys.argv[1], "record"), int(sys.argv[3])
for seed in range(first, first + 20):
    write_record(Path(sys.argv[2]), replace(record, seed=seed))
"""


def test_processes_that_write_at_the_same_time_make_one_chain(record, tmp_path):
    # Seeds 0..19, 10..29 and 20..39: some records are written by two of them.
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, record_text(record()), tmp_path, str(first)]
        )
        for first in (0, 10, 20)
    ]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    journal = read_journal(tmp_path)
    assert (len(journal.entries), journal.breaks) == (40, ())
    assert len(journal.contents) == 40


def test_a_long_line_before_does_not_break_the_chain(tmp_path):
    with writing(tmp_path):
        for number in range(200):  # longer in all than what is read of the end
            append(tmp_path, f"{number:016x}", "0" * 64)
    assert read_journal(tmp_path).breaks == ()


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_measured(
    tmp_path, monkeypatch
):
    from relicheck import evaluate
    from relicheck.evaluations import evaluate as module

    (tmp_path / "file").write_text("")
    monkeypatch.setattr(module, "keep", None)  # reaching it would fail otherwise
    with pytest.raises(BadData, match=r"cannot be written .* Name another --records"):
        evaluate("raw_pixels", "digits", ["knn"], records=tmp_path / "file" / "r", limit=5)


# What is kept beside it.


def test_arrays_come_back_as_they_were_and_equal_ones_give_equal_bytes(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "correct": rng.random(13) < 0.5,
        "cells": rng.random((5, 13)) < 0.5,
        "scores": rng.normal(size=(13, 3)).astype(np.float32),
        "labels": np.asfortranarray(rng.integers(0, 9, (4, 2)).astype(np.int32)),
        "nothing": np.zeros((0, 2), bool),
    }
    write_arrays(tmp_path / "a.npz", arrays)
    write_arrays(tmp_path / "b.npz", dict(reversed(arrays.items())))
    found = read_arrays(tmp_path / "a.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert set(found) == set(arrays)
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert hashes_of(found) == hashes_of(arrays)


def test_an_array_that_declares_more_than_it_holds_is_refused_before_it_is_made(tmp_path):
    path = tmp_path / "a.npz"
    header = np.lib.format.header_data_from_array_1_0(np.zeros(1))
    header["shape"] = (10**13,)
    with zipfile.ZipFile(path, "w") as archive, archive.open("scores.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
    with pytest.raises(BadRecord, match="declares float64"):
        read_arrays(path)


def test_a_pickle_in_the_arrays_is_never_opened(tmp_path):
    np.savez(tmp_path / "a.npz", scores=np.array([{"a": 1}], dtype=object))
    with pytest.raises(BadRecord, match="declares object"):
        read_arrays(tmp_path / "a.npz")


def test_a_cut_file_of_arrays_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    write_arrays(path, {"correct": np.ones(9, bool)})
    for length in range(0, path.stat().st_size, 7):
        path.write_bytes(path.read_bytes()[:length])
        with pytest.raises(BadRecord, match="cannot be read"):
            read_arrays(path)


# Numbers computed again.


def test_accuracy_is_computed_again_from_the_answers(record):
    assert recompute(record(), {"correct": np.array([1, 0, 1, 0], bool)}) == 50


def test_mean_per_class_is_computed_again_with_the_labels(record):
    # Class 0: 1 of 3 right; class 1: 1 of 1.
    value = recompute(
        record(metric="mean_per_class"),
        {"correct": np.array([1, 0, 0, 1], bool), "labels": np.array([0, 0, 0, 1])},
    )
    assert value == pytest.approx(100 * (1 / 3 + 1) / 2)


def test_answers_of_another_number_of_images_are_refused(record):
    with pytest.raises(BadRecord, match=r"correct of 3 images\. Wanted: 4 images"):
        recompute(record(), {"correct": np.ones(3, bool)})


def test_a_metric_that_keeps_too_little_says_so(record):
    with pytest.raises(BadRecord, match="effective_rank is not computed again"):
        recompute(record(metric="effective_rank"), {})
    with pytest.raises(BadRecord, match="mean_per_class cannot be computed from correct"):
        recompute(record(metric="mean_per_class"), {"correct": np.ones(4, bool)})


def test_what_is_kept_beside_a_record_is_found_there(record, tmp_path):
    answers, labels = np.array([1, 0, 1, 0], bool), np.arange(4, dtype=np.int32)
    path = write_record(
        tmp_path, record(arrays_sha256=hashes_of({"labels": labels})), answers, {"labels": labels}
    )
    assert set(read_beside(path)) == {"correct", "labels"}
