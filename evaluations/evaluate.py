"""Measure a model on a data set: protocols in, records out."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checkpoints.errors import UsageError
from ..checkpoints.files import write_text
from . import evaluator as contracts
from .arithmetic import check_precision
from .baselines import RawPixels
from .classifiers import training_subject
from .evaluator import Evaluator, Measurement, Protocol
from .image_source import ImageSource, masks_of, skipped_of
from .overrides import apply_overrides
from .provenance import code_sha256, environment
from .record import Record, read_record, write_record
from .segmentation.kept import hashes_of, write_arrays
from .segmentation.shown import write_shown
from .subject import Subject, open_model

if TYPE_CHECKING:
    from ..checkpoints.resnet import ResNet


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One evaluator with its protocol and seed, on one subject."""

    name: str
    evaluator: Evaluator
    protocol: Protocol
    seed: int


def evaluate(
    subject: "str | Path | ResNet | RawPixels",
    data: str | Path,
    evaluators: Sequence[str] | None = None,
    *,
    records: Path,
    data_root: Path | None = None,
    cache: Path | None = None,
    seeds: Sequence[int] = (0,),
    limit: int | None = None,
    overrides: Mapping[str, object] | None = None,
    cache_bytes: int | None = None,
    precision: str = "float32",
    workers: int | None = None,
    skip_corrupt: bool = False,
) -> list[Record]:
    """Return the records of every evaluator on one subject, measured now or found.

    A finished evaluator of the same inputs is read from `records`, not repeated; an
    interrupted call keeps what it had finished.

    Args:
        subject: a checkpoint's file, a published name, `raw_pixels`, or a network with
            its manifest.
        data: a registered data set or a folder with train/<class>/ and test/<class>/.
        evaluators: names; None: the checkpoint's own classifier where it has one for
            these classes, else linear and knn; segmentation_linear where images have masks.
        records: folder that records are kept in.
        data_root: where data sets lie; None: $RELICHECK_DATA, else ./data.
        cache: folder for features; None keeps them in memory only.
        seeds: of stochastic evaluators; the others run once.
        limit: score only so many images, spread over the split; the records say so.
        overrides: `evaluator.field` or `protocol.field` to value: another protocol.
        cache_bytes: what the cache may hold; None: as much as its disk.
        precision: of the features' arithmetic: `float32`, which a claim is judged in, or
            `tf32`, `bfloat16`, `float16` to explore: another protocol.
        workers: threads that decode images; None: as many as pay. No number depends on it.
        skip_corrupt: leave out images that cannot be decoded. For exploration: the records
            say how many, and no claim is judged by them.

    Raises:
        UnknownName, UsageError: a name or a value that cannot be.
        MissingData, BadData, BadCheckpoint: see the message.
    """
    names = list(evaluators) if evaluators is not None else None
    known = _load(names) if names is not None else {}
    _check_request(seeds, limit)
    check_precision(precision)
    whole = Subject(
        model=open_model(subject),
        data=data,
        data_root=data_root,
        cache=cache,
        cache_bytes=cache_bytes,
        precision=precision,
        workers=workers,
        limit=limit,
        skip_corrupt=skip_corrupt,
    )
    if names is None:
        known = _load(_default_evaluators(whole))
    protocols = apply_overrides({n: e.protocol for n, e in known.items()}, overrides or {})
    done: list[Record] = []
    for name, evaluator in known.items():
        for seed in seeds if evaluator.stochastic else (0,):
            run = _Run(name=name, evaluator=evaluator, protocol=protocols[name], seed=seed)
            done += _measure(whole, run, Path(records))
    return done


def _load(names: Iterable[str]) -> dict[str, Evaluator]:
    return {name: contracts.evaluators.load(name) for name in names}


def _check_request(seeds: Sequence[int], limit: int | None) -> None:
    if not seeds or min(seeds) < 0:
        raise UsageError("seeds", f"{list(seeds)}", "one or more, none below 0")
    if limit is not None and limit < 1:
        raise UsageError("limit", f"{limit} images", "at least 1")


def _default_evaluators(subject: Subject) -> list[str]:
    """Return the checkpoint's own classifier where it fits the classes, else probes."""
    head, dataset = subject.head, subject.dataset
    if masks_of(subject.images("test")) is not None:
        return ["segmentation_linear"]
    if dataset is not None and dataset.cells and subject.images("test").split == "test":
        return ["corruption_errors"]
    if head is not None and len(head[1]) == len(subject.images("test").class_names):
        return ["classifier"]
    if dataset is not None and dataset.imagenet_indices and head is not None:
        if subject.dataset_name == "objectnet":
            return ["objectnet"]
        return ["classifier_mapped", "classifier_masked"]
    if dataset is not None and dataset.training is None:
        raise UsageError(
            subject.dataset_name,
            "it has no images to train on, and the checkpoint no classifier of its classes",
            "a checkpoint with one",
        )
    return ["linear", "knn"]


def _measure(subject: Subject, run: _Run, records: Path) -> list[Record]:
    _check_labels(subject, run)
    base = _inputs(subject, run)
    finished = _finished(records, base)
    if finished is not None:
        return finished
    measured = list(run.evaluator.run(subject, run.protocol, run.seed))
    assert measured, f"{run.name} yielded no measurement"
    source = "features" if subject.used_cache() else "images"
    notes, skipped = _notes(subject, run), _skipped(subject, run)
    made = []
    for measurement in measured:
        own = {**base, "source": source}
        if measurement.protocol is not None:
            own |= _how(subject, measurement.protocol)
        if measurement.data_images is not None:
            own["data_images"] = measurement.data_images
        record = _record(own, measurement, notes, skipped)
        made.append(keep(records, record, measurement))
    write_text(_finished_path(records, base), "".join(f"{record.id}\n" for record in made))
    return made


def _check_labels(subject: Subject, run: _Run) -> None:
    """Return if the evaluator can score the images' kind of labels.

    Raises:
        UsageError: the images show several classes each, and it knows of one; or every pixel
            has a class and it scores images, or the other way about.
    """
    masks = masks_of(subject.images("test")) is not None
    if masks != run.evaluator.masks:
        able = [n for n in contracts.evaluators.names()
                if contracts.evaluators.load(n).masks == masks]  # fmt: skip
        raise UsageError(
            f"{run.name} on {subject.dataset_name}",
            "every pixel has a class, and this evaluator scores images"
            if masks
            else "its images have no masks, and this evaluator scores pixels",
            " or ".join(able) if masks else "a data set with masks, such as camvid",
        )
    dataset = subject.dataset
    if dataset is not None and dataset.multi_label and not run.evaluator.multi_label:
        able = [n for n in contracts.evaluators.names() if contracts.evaluators.load(n).multi_label]
        raise UsageError(
            f"{run.name} on {subject.dataset_name}",
            "an image may show several classes, and this evaluator knows of one",
            " or ".join(able) or "an evaluator of several labels; there is none yet",
        )


def _inputs(subject: Subject, run: _Run) -> dict[str, Any]:
    model, scored = subject.model, subject.images("test")
    return {
        "subject": model.name,
        "subject_kind": model.kind,
        "weights_sha256": model.weights_sha256,
        "source_sha256": model.source_sha256,
        "method": model.method,
        "architecture": model.architecture,
        "dataset": subject.dataset_name,
        "split": scored.split,
        "data_fingerprint": _fingerprint(subject, run),
        "data_images": scored.expected if scored.expected is not None else len(scored),
        "evaluator": run.name,
        **_how(subject, run.protocol),
        "seed": run.seed,
        "code_sha256": code_sha256(),
    }


def _how(subject: Subject, protocol: Protocol) -> dict[str, Any]:
    """Return what a record says of a protocol."""
    shown = subject.default_view("test").preprocessing
    # Preprocessing belongs to the checkpoint, and still changes what is measured.
    fields = {
        **protocol.fields(),
        "preprocessing": None if shown is None else asdict(shown),
        "precision": subject.precision,
    }
    return {
        "protocol": protocol.id,
        "protocol_sha256": _digest(protocol, subject.precision),
        "protocol_fields": json.loads(json.dumps(fields)),
    }


def _digest(protocol: Protocol, precision: str) -> str:
    """Return the protocol's hash; another one if its features are not IEEE float32."""
    if precision == "float32":
        return protocol.digest
    return hashlib.sha256(f"{protocol.digest} {precision}".encode()).hexdigest()


def _sources(subject: Subject, run: _Run) -> dict[str, ImageSource]:
    """Return what an evaluator reads, by role: a head's training images may be another set's."""
    found = {role: subject.images(role) for role in run.evaluator.splits}
    trained = training_subject(subject, run.protocol)
    if trained is not None:
        found["train"] = trained.images("train")
    return found


def _fingerprint(subject: Subject, run: _Run) -> str:
    read = _sources(subject, run)
    # In one order, training images first: evaluators of the same images share a fingerprint.
    prints = [read[role].fingerprint for role in sorted(read, reverse=True)]
    if len(prints) == 1:
        return prints[0]
    kind = "stat" if any(p.startswith("stat:") for p in prints) else "sha256"
    return f"{kind}:{hashlib.sha256(' '.join(prints).encode()).hexdigest()}"


def _notes(subject: Subject, run: _Run) -> tuple[str, ...]:
    """Return what is wrong with the images, if anything."""
    said = []
    for role, source in _sources(subject, run).items():
        if names := skipped_of(source):
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            said.append(
                f"corrupt images of {source.split} skipped: {len(names)}, "
                f"{', '.join(names[:3])}{more}"
            )
        elif role == "train" and source.expected not in (None, len(source)):
            said.append(f"trained on {len(source)} of the split's {source.expected} images")
    return tuple(said)


def _skipped(subject: Subject, run: _Run) -> int:
    return sum(len(skipped_of(source)) for source in _sources(subject, run).values())


def _record(
    base: Mapping[str, Any], measurement: Measurement, notes: tuple[str, ...], skipped: int
) -> Record:
    correct = measurement.correct
    return Record(
        **base,
        metric=measurement.metric,
        value=measurement.value,
        unit=measurement.unit,
        images=measurement.images,
        standard_error=measurement.standard_error,
        condition=measurement.condition,
        notes=measurement.notes + notes,
        skipped_images=skipped,
        environment=environment(),
        correct_sha256=None if correct is None else hashlib.sha256(correct.tobytes()).hexdigest(),
        arrays_sha256=hashes_of(measurement.arrays),
    )


def keep(records: Path, record: Record, measurement: Measurement) -> Record:
    """Write a record with what is kept per image; return it, or the equal one found there."""
    if measurement.arrays:
        write_arrays(records / f"{record.id}.json", measurement.arrays)
    if measurement.predicted_masks is not None:
        write_shown(records / f"{record.id}.json", measurement.predicted_masks)
    return read_record(write_record(records, record, measurement.correct))


def _finished_path(records: Path, base: Mapping[str, Any]) -> Path:
    inputs = {name: value for name, value in base.items() if name != "source"}
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:16]
    return records / f"{key}.run"


def _finished(records: Path, base: Mapping[str, Any]) -> list[Record] | None:
    """Return the records of an evaluator that was finished with these inputs, if there are."""
    path = _finished_path(records, base)
    if not path.is_file():
        return None
    files = [records / f"{name}.json" for name in path.read_text(encoding="utf-8").split()]
    if not files or not all(file.is_file() for file in files):
        return None
    return [read_record(file) for file in files]
