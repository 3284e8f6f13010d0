"""Two subjects on the same images: the difference, its interval, and a verdict in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..checkpoints.errors import BadRecord
from ..evaluations.paired_tests import Agreement, agreement, holm, mcnemar, paired_bootstrap
from ..evaluations.record import Record
from .paired import image_scores, paired_difference
from .scored import Scored

LEVEL = 0.05  # of the test; intervals cover 1 - LEVEL
# Metrics that are the share of images answered rightly. mean_per_class weighs images by
# their class, so the counts of right images are not its difference.
_COUNTED = ("top1", "top5", "real_top1", "real_top5")


@dataclass(frozen=True, kw_only=True)
class Pairwise:
    """Second minus first, on the same images by the same protocol. Accuracies in percent."""

    first: Record
    second: Record
    counts: Agreement
    difference: float  # second minus first, percentage points
    standard_error: float  # of the difference, over images, points
    interval: tuple[float, float]  # 95 %, paired bootstrap over images, points
    p_exact: float  # McNemar, two-sided
    p_mid: float
    p_adjusted: float  # p_exact after Holm over everything compared at once
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Return `better`, `worse` or `undecided`: of the second against the first."""
        if self.p_adjusted > LEVEL:
            return "undecided"
        return "better" if self.difference > 0 else "worse"

    @property
    def sentence(self) -> str:
        """Return the verdict as a reader may quote it."""
        names = f"{self.second.subject} against {self.first.subject}"
        low, high = self.interval
        which = "McNemar" if self.p_adjusted == self.p_exact else "McNemar, Holm-adjusted"
        size = (
            f"{self.difference:+.2f} points (95 % interval {low:+.2f} to {high:+.2f}, "
            f"{which} p = {p_text(self.p_adjusted)})"
        )
        if self.verdict == "undecided":
            return (
                f"Undecided: {names}, {size}. These {self.counts.images:,} images "
                "do not show which is better."
            )
        return f"{self.verdict.capitalize()}: {names}, {size}."

    def as_dict(self) -> dict[str, Any]:
        """Return everything as JSON can hold it."""
        return {
            "first": _facts(self.first),
            "second": _facts(self.second),
            "dataset": self.first.dataset,
            "split": self.first.split,
            "data_fingerprint": self.first.data_fingerprint,
            "images": self.counts.images,
            "evaluator": self.first.evaluator,
            "protocol": self.first.protocol,
            "metric": self.first.metric,
            "condition": self.first.condition,
            "both_right": self.counts.both,
            "only_first_right": self.counts.first_only,
            "only_second_right": self.counts.second_only,
            "neither_right": self.counts.neither,
            "difference_points": self.difference,
            "standard_error_points": self.standard_error,
            "interval_points": list(self.interval),
            "p_mcnemar_exact": self.p_exact,
            "p_mcnemar_mid": self.p_mid,
            "p_adjusted_holm": self.p_adjusted,
            "verdict": self.verdict,
            "sentence": self.sentence,
            "notes": list(self.notes),
        }


def compare_pair(first: Scored, second: Scored, *, resamples: int = 10_000) -> Pairwise:
    """Return the paired comparison of two records; the second is held against the first.

    Raises:
        BadRecord: they are not about the same images by the same protocol and metric, or
            one has no answers per image.
    """
    one, two = first.record, second.record
    _check_same(one, two)
    for item in (first, second):
        if item.correct is None:
            raise BadRecord(
                f"record {item.record.id}",
                "no answers per image lie beside it",
                "a record with its .npz",
                "Measure again.",
            )
    assert first.correct is not None
    assert second.correct is not None
    counts = agreement(first.correct, second.correct)
    estimate = paired_difference(image_scores([second.correct]), image_scores([first.correct]))
    assert estimate.standard_error is not None
    test = mcnemar(counts)
    return Pairwise(
        first=one,
        second=two,
        counts=counts,
        difference=estimate.value,
        standard_error=estimate.standard_error,
        interval=paired_bootstrap(counts, level=1 - LEVEL, resamples=resamples),
        p_exact=test.exact,
        p_mid=test.mid,
        p_adjusted=test.exact,
        notes=_notes(one, two),
    )


def compare_all(first: Sequence[Scored], second: Sequence[Scored]) -> list[Pairwise]:
    """Return the comparisons of every measurement that both have, p values adjusted by Holm.

    Raises:
        BadRecord: as `compare_pair`, or the two have no measurement in common.
    """
    theirs = {_measurement(item.record): item for item in second}
    pairs = [
        compare_pair(item, theirs[key])
        for item in first
        if (key := _measurement(item.record)) in theirs and item.record.metric in _COUNTED
    ]
    if not pairs:
        raise BadRecord(
            "compare",
            "the two have no measurement in common whose answers per image are counted",
            f"both with one of {', '.join(_COUNTED)}",
        )
    adjusted = holm([pair.p_exact for pair in pairs])
    return [replace(pair, p_adjusted=p) for pair, p in zip(pairs, adjusted, strict=True)]


def p_text(p: float) -> str:
    """Return a p value as it is printed: two digits, and no 0 where it is only small."""
    return f"{p:.2g}" if p >= 1e-99 else "below 1e-99"


def _measurement(record: Record) -> tuple[str, str, str, int]:
    return record.evaluator, record.metric, record.condition, record.seed


def _check_same(one: Record, two: Record) -> None:
    if one.id == two.id:
        raise BadRecord(f"record {one.id}", "named twice", "two records")
    for record in (one, two):
        if record.metric not in _COUNTED:
            raise BadRecord(
                f"record {record.id}",
                f"its metric {record.metric} is not a share of images",
                f"one of {', '.join(_COUNTED)}",
                "Compare the top1 records of the same evaluation.",
            )
    for what, mine, other in (
        ("data set", f"{one.dataset}, {one.split}", f"{two.dataset}, {two.split}"),
        ("number of images", one.images, two.images),
        ("data fingerprint", one.data_fingerprint, two.data_fingerprint),
        ("evaluator", one.evaluator, two.evaluator),
        ("protocol", one.protocol, two.protocol),
        ("protocol's fields", one.protocol_sha256[:16], two.protocol_sha256[:16]),
        ("metric", one.metric, two.metric),
        ("condition", one.condition or "none", two.condition or "none"),
    ):
        if mine != other:
            raise BadRecord(
                f"records {one.id} and {two.id}",
                f"their {what} differs: {mine} and {other}",
                "two subjects measured on the same images by the same protocol",
                "Measure both alike: relicheck compare A B --data DATA --evaluators NAME",
            )


def _notes(one: Record, two: Record) -> tuple[str, ...]:
    said = []
    if not one.complete:
        said.append(f"a part of the split: {one.images:,} of {one.data_images or '?'} images")
    if one.code_sha256 != two.code_sha256:
        said.append("measured by different versions of the code")
    if one.protocol_fields.get("preprocessing") != two.protocol_fields.get("preprocessing"):
        said.append("each checkpoint with its own preprocessing")
    if one.seed != two.seed:
        said.append(f"seeds {one.seed} and {two.seed}")
    said.append("the interval is over images: other training runs of either are not in it")
    return tuple(said)


def _facts(record: Record) -> dict[str, Any]:
    return {
        "record": record.id,
        "subject": record.subject,
        "method": record.method,
        "architecture": record.architecture,
        "weights_sha256": record.weights_sha256,
        "value": record.value,
        "standard_error": record.standard_error,
        "seed": record.seed,
    }
