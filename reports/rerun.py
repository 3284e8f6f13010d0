"""A record run again from itself: the same number, or what differs.

The record names the checkpoint, the data, the protocol with its fields, seed and view, and
their hashes; it is measured into a folder of its own, so that the old number is not found.
"""

import json
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..checkpoints.errors import BadRecord, MissingData, UnknownName, UsageError
from ..evaluations.per_image import CORRECT
from ..evaluations.record import Record, read_beside
from .scored import read_one


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One thing that is not as it was."""

    what: str  # "weights", "data", "protocol", "code", "torch", "device", ...
    then: str
    now: str
    input: bool  # whether it makes another measurement, and not the same one elsewhere


@dataclass(frozen=True, kw_only=True)
class Rerun:
    """A record beside what measuring it again gave."""

    record: Record
    again: Record | None  # None: not measured, since an input differs that forbids to compare
    differences: tuple[Difference, ...]
    answers_changed: int | None  # images answered otherwise; None: not known

    @property
    def same_number(self) -> bool:
        """Whether the number came out again, to the last bit."""
        return self.again is not None and (self.again.value, self.again.images) == (
            self.record.value,
            self.record.images,
        )

    @property
    def repeated(self) -> bool:
        """Whether the same number came out of the same inputs."""
        return self.same_number and not any(item.input for item in self.differences)


def rerun(
    path: Path,
    *,
    checkpoint: str | None = None,
    predictions: Path | None = None,
    data: str | None = None,
    data_root: Path | None = None,
    cache: Path | None = None,
) -> Rerun:
    """Return the record in `path` beside the same measurement made now.

    Args:
        path: the record's file; what is kept beside it is checked too.
        checkpoint: where its weights are now; None: where they were.
        predictions: likewise, of a record of predictions.
        data: a data set's name or a folder; None: as it was.
        data_root: where data sets lie; None: as it was.
        cache: of features. None: none, so that images are decoded again.

    Raises:
        BadRecord: it was edited, or does not say how to repeat it.
        MissingData, UsageError: something that it needs is not there.
    """
    item = read_one(path)
    record = item.record
    request = dict(record.request)
    if not request:
        raise BadRecord(path, "does not say what it was asked for", "a record with its request")
    if data_root is None and request.get("data_root"):
        data_root = Path(request["data_root"])
    data = data if data is not None else request["data"]
    with tempfile.TemporaryDirectory(prefix="relicheck-") as scratch:
        folder = Path(scratch) / "records"
        if record.subject_kind == "predictions":
            made = _counted(record, request, predictions, data, data_root, folder)
        else:
            where = checkpoint if checkpoint is not None else request.get("checkpoint")
            other = _other_weights(record, where)
            if other:
                return Rerun(record=record, again=None, differences=other, answers_changed=None)
            made = _measured(record, request, str(where), data, data_root, cache, folder)
        again = next((one for one in made if _key(one) == _key(record)), None)
        if again is None:
            gone = Difference(
                what="protocol",
                then=f"{record.metric} {record.condition}".strip() + f" by {record.protocol}",
                now=", ".join(sorted({f"{one.metric} by {one.protocol}" for one in made})),
                input=True,
            )
            return Rerun(record=record, again=None, differences=(gone,), answers_changed=None)
        new = read_beside(folder / f"{again.id}.json").get(CORRECT)
    return Rerun(
        record=record,
        again=again,
        differences=tuple(_differences(record, again)),
        answers_changed=_changed(item.correct, new),
    )


def _key(record: Record) -> tuple[str, str, str]:
    return record.metric, record.condition, record.protocol


def _other_weights(record: Record, where: str | None) -> tuple[Difference, ...]:
    """Return what tells the checkpoint from the record's: known before hours of measuring."""
    from ..evaluations.subject import open_model

    if where is None:
        raise UsageError(
            f"record {record.id}",
            "was made from a network in memory",
            "the file of its weights",
            "Name it with --checkpoint FILE.",
        )
    try:
        model = open_model(where)
    except (MissingData, UnknownName) as error:
        raise MissingData(
            where,
            "the record's checkpoint is not there (any more)",
            f"the weights {str(record.weights_sha256)[:16]}",
            "Name where they are now: --checkpoint FILE.",
        ) from error
    manifest = {} if model.manifest is None else json.loads(model.manifest.to_json())
    spec, now = (record.manifest or {}).get("spec"), manifest.get("spec")
    pairs = (
        ("weights", record.weights_sha256, model.weights_sha256),
        ("network", spec, now),
    )
    return tuple(_difference(what, a, b, input=True) for what, a, b in pairs if a != b)


def _measured(
    record: Record,
    request: Mapping[str, Any],
    checkpoint: str,
    data: str,
    data_root: Path | None,
    cache: Path | None,
    folder: Path,
) -> list[Record]:
    from ..evaluations.evaluate import evaluate
    from ..evaluations.evaluator import evaluators

    usual = evaluators.load(record.evaluator).protocol.fields()
    changed = {
        f"{record.evaluator}.{name}": value
        for name, value in request["protocol_fields"].items()
        if name not in usual or usual[name] != value
    }
    return evaluate(
        checkpoint,
        data,
        [record.evaluator],
        records=folder,
        data_root=data_root,
        cache=cache,
        seeds=(record.seed,),
        limit=request["limit"],
        overrides=changed,
        precision=request["precision"],
        skip_corrupt=request["skip_corrupt"],
    )


def _counted(
    record: Record,
    request: Mapping[str, Any],
    predictions: Path | None,
    data: str,
    data_root: Path | None,
    folder: Path,
) -> list[Record]:
    if request["published"]:
        from ..evaluations.published_predictions import evaluate_published

        return evaluate_published(record.subject, data, records=folder, root=data_root)
    from ..evaluations.prediction_files import read_predictions
    from ..evaluations.predictions import evaluate_predictions

    path = predictions if predictions is not None else Path(request["predictions"])
    labels, answers = read_predictions(path)
    return evaluate_predictions(
        path,
        record.subject,
        data,
        labels=labels,
        predictions=answers,
        records=folder,
        expected=request["expected"],
        classes=request["classes"],
        split=record.split,
        method=record.method,
        architecture=record.architecture,
    )


def _differences(then: Record, now: Record) -> Iterator[Difference]:
    inputs = (
        ("weights", "weights_sha256"),
        ("file", "source_sha256"),
        ("data", "data_fingerprint"),
        ("split", "split"),
        ("images", "images"),
        ("protocol", "protocol_sha256"),
        ("view", "view"),
    )
    for what, name in inputs:
        before, after = getattr(then, name), getattr(now, name)
        # The same weights may come from another container.
        if before != after and not (name == "source_sha256" and then.weights_sha256):
            yield _difference(what, before, after, input=True)
    if then.code_sha256 != now.code_sha256:
        yield _difference("code", then.code_sha256, now.code_sha256, input=False)
    for name in sorted({*then.environment, *now.environment}):
        before, after = then.environment.get(name), now.environment.get(name)
        if before != after:
            yield _difference(name, before, after, input=False)


_SHOWN = 60


def _difference(what: str, then: object, now: object, *, input: bool) -> Difference:
    shown = [text if len(text) <= _SHOWN else text[:16] for text in (_text(then), _text(now))]
    if shown[0] == shown[1]:
        shown = [_text(then), _text(now)]
    return Difference(what=what, then=shown[0], now=shown[1], input=input)


def _text(value: object) -> str:
    if isinstance(value, Mapping):
        return json.dumps(dict(value), sort_keys=True)
    return "nothing" if value is None else str(value)


def _changed(then: np.ndarray | None, now: np.ndarray | None) -> int | None:
    if then is None or now is None or then.shape != now.shape:
        return None
    return int(np.count_nonzero(then != now))
