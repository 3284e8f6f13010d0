"""What lies beside a segmentation record gives its number again, or the record is refused."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData, BadRecord
from relicheck.evaluations.evaluate import keep
from relicheck.evaluations.evaluator import Measurement
from relicheck.evaluations.record import Record
from relicheck.evaluations.segmentation.kept import (
    CONFUSIONS,
    arrays_path,
    hashes_of,
    read_confusions,
    write_arrays,
)
from relicheck.evaluations.segmentation.measurements import measurements
from relicheck.evaluations.segmentation.scores import mean_iou
from relicheck.reports.scored import read_one

CLASSES = ("sky", "road", "car")


@pytest.fixture
def confusions():
    return np.random.default_rng(0).integers(1, 90, size=(5, 3, 3))


@pytest.fixture
def kept(tmp_path, confusions):
    """A record of mIoU with its matrices: (path of the record, record)."""
    measured = next(measurements(confusions, CLASSES))
    record = record_of(measured, confusions)
    return tmp_path / f"{keep(tmp_path, record, measured).id}.json", record


def record_of(measured: Measurement, confusions) -> Record:
    return Record(
        metric=measured.metric, value=measured.value, unit="%", images=measured.images,
        standard_error=measured.standard_error, condition="", subject="a",
        subject_kind="checkpoint",
        weights_sha256="0", source_sha256=None, method="a", architecture="ResNet-18 1x",
        dataset="camvid", split="test", data_fingerprint="sha256:0", data_images=5, source="images",
        evaluator="segmentation_linear", protocol="p/1",
        protocol_sha256=hashlib.sha256(b"p").hexdigest(), protocol_fields={}, seed=0,
        code_sha256="c", arrays_sha256=hashes_of({CONFUSIONS: confusions}),
    )  # fmt: skip


def test_the_matrices_beside_a_record_give_its_number(kept, confusions):
    path, record = kept

    found = read_confusions(path)

    assert np.array_equal(found, confusions)
    assert found.dtype == np.int64
    assert 100 * mean_iou(found.sum(axis=0)) == pytest.approx(record.value)
    assert read_one(path).record.value == record.value


def test_their_hash_is_no_part_of_the_record_s_identity(kept):
    _, record = kept

    assert replace(record, arrays_sha256={}).id == record.id


def test_matrices_that_were_changed_are_refused(kept, confusions):
    path, _ = kept
    write_arrays(path, {CONFUSIONS: confusions + 1})

    with pytest.raises(BadRecord, match="the confusion matrices beside it were changed"):
        read_one(path)


def test_matrices_that_are_gone_are_refused(kept):
    path, _ = kept
    arrays_path(path).unlink()

    with pytest.raises(BadRecord, match="the confusion matrices beside it are gone"):
        read_one(path)


def test_matrices_that_are_no_archive_are_refused(kept):
    path, _ = kept
    arrays_path(path).write_bytes(b"PK\x03\x04 cut off")

    with pytest.raises(BadRecord, match="cannot be read"):
        read_one(path)


def test_an_edited_number_is_refused(kept):
    path, record = kept
    path.write_text(path.read_text().replace(f"{record.value}", "77.9"))

    with pytest.raises(BadRecord, match=r"says 77.9 %, its matrices give"):
        read_one(path)


def test_miou_comes_with_its_interval_and_every_class(confusions):
    miou, accuracy, per_class = measurements(confusions, CLASSES)

    assert [m.metric for m in (miou, accuracy, per_class)] == [
        "miou", "pixel_accuracy", "mean_class_accuracy"
    ]  # fmt: skip
    assert miou.notes[0].startswith("95 % interval ")
    assert miou.notes[1].startswith("IoU: sky ")
    assert miou.standard_error > 0
    assert {m.unit for m in (miou, accuracy, per_class)} == {"%"}


def test_a_class_that_occurs_nowhere_is_named():
    confusions = np.zeros((2, 3, 3), dtype=np.int64)
    confusions[:, 0, 0] = 7

    miou = next(measurements(confusions, CLASSES))

    assert miou.value == 100
    assert "classes that occur neither in truth nor in prediction: road, car" in miou.notes


def test_no_scored_pixel_is_an_error_and_no_number():
    with pytest.raises(BadData, match="no pixel of 2 images has a class"):
        next(measurements(np.zeros((2, 3, 3), dtype=np.int64), CLASSES))
