"""Whether a record speaks about a claim, and what it says in the claim's unit."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadRecord
from ..evaluations.journal import read_journal
from ..evaluations.per_image import CORRECT, sha256_of_array
from ..evaluations.recompute import agrees, can_recompute, recompute
from ..evaluations.record import Record, read_beside
from .claim_rules import key
from .claims import Claim
from .metrics import METRICS

# ImageNet's reassessed labels: a metric of their own on the same images.
REAL = "imagenet_real"
# A count over images is a whole number; float64 arithmetic on percents leaves less than this.
_COUNT_TOLERANCE = 1e-6
# A percent of at most 1 that, taken as a fraction, lands this near the claim is a fraction.
_NEAR_POINTS = 10.0
_AGAIN = {
    "wanted": "an unedited record",
    "todo": "Delete the record and its .npz and .run, and measure again.",
}
_COUNTED = ("top1", "top5", "top1_error", "real_top1", "real_top5")


def speaks_of(record: Record, claim: Claim) -> bool:
    """Return whether `record` measured the claim's metric on its data by its evaluator."""
    name, _, split = claim.data.partition(":")
    prefix = "real_" if name == REAL else ""
    metric = METRICS[claim.metric]
    return (
        record.metric in {prefix + name for name in (metric.measured_as, metric.error_of) if name}
        # A module's name has no dot where a published set's has one: threshold0.7.
        and key(record.dataset) == key("imagenet" if name == REAL else name)
        and (not split or record.split == split)
        and record.condition == claim.condition
        and (record.evaluator in claim.evaluators or from_predictions(record))
    )


def from_predictions(record: Record) -> bool:
    """Return whether the record counts a file of predictions: its protocol is its maker's word."""
    return record.subject_kind == "predictions"


def number_of(record: Record, claim: Claim) -> float:
    """Return what `record` measured, in the claim's unit.

    Raises:
        BadRecord: the record is about something else, or its number is impossible.
    """
    if not speaks_of(record, claim):
        raise BadRecord(
            f"record {record.id}",
            f"{record.metric} of {record.dataset} {record.condition} by {record.evaluator}",
            f"{METRICS[claim.metric].measured_as} of {claim.data} {claim.condition} "
            f"by {' or '.join(claim.evaluators)}, for claim {claim.id}",
        )
    check_number(record, claim)
    # The complement: an error claimed, an accuracy measured.
    complement = METRICS[claim.metric].error_of
    return 100 - record.value if complement and record.metric.endswith(complement) else record.value


def check_number(record: Record, claim: Claim) -> None:
    """Return if the record's number is possible for its metric, unit and images.

    Raises:
        BadRecord: not finite, another unit (a fraction for a percent), out of range, more
            images than there are, or a share that no count of images gives.
    """
    where, value = f"record {record.id}", record.value
    if not math.isfinite(value):
        raise BadRecord(where, f"{record.metric} is {value}", "a finite number")
    unit = "%" if claim.unit == "points" else claim.unit
    if record.unit != unit:
        raise BadRecord(
            where, f"{record.metric} in {record.unit!r}", f"{unit!r}, the unit of {claim.id}"
        )
    metric = METRICS[claim.metric]
    if not metric.low <= value <= metric.high:
        raise BadRecord(where, f"{record.metric} of {value:g}", f"{metric.low:g}..{metric.high:g}")
    if record.images < 1 or (record.data_images is not None and record.images > record.data_images):
        raise BadRecord(
            where, f"{record.images} images of {record.data_images}", "some, and no more than all"
        )
    if unit == "%" and 0 < value <= 1 and abs(100 * value - claim.number) < _NEAR_POINTS:
        raise BadRecord(
            where,
            f"{record.metric} {value:g} %, where {100 * value:g} % would be near {claim.value}",
            "a percent: a fraction was not turned into a percent",
        )
    if record.metric in _COUNTED:
        _check_count(record, where)


def _check_count(record: Record, where: str) -> None:
    right = record.value * record.images / 100
    if abs(right - round(right)) > _COUNT_TOLERANCE * max(1, record.images):
        raise BadRecord(
            where,
            f"{record.metric} {record.value:g} % of {record.images} images is {right:.3f} images",
            "a whole number of images; a fraction was not turned into a percent, or it was edited",
            "Delete it and measure again.",
        )


def check_kept(folder: Path, record: Record) -> None:
    """Return if what is kept in `folder` beside `record` belongs to it and gives its number.

    A record has a hash of its own content, so what remains to be held against it is its
    line in the folder's journal, where there is one, and the answers per image.

    Raises:
        BadRecord: the journal knows another content, or the answers are gone, were changed,
            or give another number.
    """
    path = folder / f"{record.id}.json"
    entered = read_journal(folder).contents.get(record.id)
    if entered and record.content_sha256 not in entered:
        raise BadRecord(
            path, f"is not the record that {folder}'s journal says was written", **_AGAIN
        )
    if record.correct_sha256 is None and not record.arrays_sha256:
        return
    check_arrays(path, record, read_beside(path))


def check_arrays(path: Path, record: Record, arrays: Mapping[str, np.ndarray]) -> None:
    """Return if `arrays` are those kept beside `record`, and give its number.

    Raises:
        BadRecord: they are gone, were changed, or give another number.
    """
    wanted = {*record.arrays_sha256, *((CORRECT,) if record.correct_sha256 is not None else ())}
    if wanted and not arrays:
        raise BadRecord(path, "the answers per image beside it are gone", **_AGAIN)
    if set(arrays) != wanted:
        raise BadRecord(
            path, f"beside it lie {', '.join(sorted(arrays))}, not {', '.join(sorted(wanted))}: "
            "the answers per image beside it were changed", **_AGAIN
        )  # fmt: skip
    for name, array in arrays.items():
        if not _is_the_one_kept(record, name, array):
            raise BadRecord(path, "the answers per image beside it were changed", **_AGAIN)
    if not can_recompute(record):
        return
    value = recompute(record, arrays)
    if not agrees(record, value):
        unit = record.unit
        raise BadRecord(
            path, f"says {record.value:g} {unit}, its answers per image give {value:g} {unit}",
            **_AGAIN,
        )  # fmt: skip


def _is_the_one_kept(record: Record, name: str, array: np.ndarray) -> bool:
    if name == CORRECT:
        return hashlib.sha256(array.tobytes()).hexdigest() == record.correct_sha256
    return sha256_of_array(array) == record.arrays_sha256[name]


def flaw(record: Record, claim: Claim, images: int | None) -> str:
    """Return why `record` must not be compared with the claim; "" if it may.

    Args:
        images: size of the complete published split, where it is known.
    """
    if record.skipped_images:
        return (
            f"corrupt images were skipped ({record.skipped_images}): a claim is measured on all "
            "images or not at all"
        )
    if record.subject_kind == "checkpoint" and not record.weights_sha256:
        return "the hash of the weights is unknown"
    if record.subject_kind != "checkpoint" and not record.source_sha256:
        return "the hash of the file of predictions is unknown"
    precision = record.protocol_fields.get("precision", "float32")
    if precision != "float32":
        return f"its features were computed in {precision}, and a claim is judged in float32"
    known = claim.protocols and not from_predictions(record)
    if known and record.protocol not in claim.protocols:
        return f"protocol {record.protocol} is not admissible: {', '.join(claim.protocols)}"
    # A reading may say of how many images it is: ObjectNet's right answers over all 313 classes.
    counted = record.protocol_fields.get("counted_images", images)
    if images is not None and record.data_images not in (None, images, counted):
        return (
            f"its split has {record.data_images} images, the published one {images}: "
            "another data set under the same name"
        )
    return ""
