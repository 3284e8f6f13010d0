"""What a claim needs, whether it is there, and measuring it once for all claims that share it."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..checkpoints.errors import MissingData, RelicheckError, UsageError
from ..evaluations.record import Record
from .claim_routes import architecture_of
from .claim_rules import TEST_IMAGES, key
from .claims import Claim
from .records import REAL, check_kept, speaks_of
from .where import data_address, weights_needed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..checkpoints.manifest import Manifest
    from ..evaluations.evaluator import Evaluator

_PUBLISHED, _PREDICTIONS = "published:", "predictions:"
_UNSTATED = "unstated"  # a manifest's method where neither the file nor the user named one


@dataclass(kw_only=True)
class Measuring:
    """The material at hand and what was measured with it. Arguments as `verify`'s."""

    checkpoints: dict[str, str | Path] = field(default_factory=dict)
    predictions: Path | None = None
    data_root: Path | None = None
    records: Path = Path("runs/records")
    cache: Path | None = None
    seeds: tuple[int, ...] = (0,)
    named: bool = False  # whether the claims were chosen one by one, by id
    _measured: dict[tuple[str, str, str], list[Record] | RelicheckError] = field(
        default_factory=dict
    )
    _absent: dict[tuple[str, str], str] = field(default_factory=dict)

    def check_usable(self, claims: "Sequence[Claim]") -> None:
        """Return if every file named is about one of the claims at least.

        Raises:
            UsageError: one is not; the message says what it is and what was claimed.
            MissingData, BadCheckpoint: it cannot be opened.
        """
        sets = sorted({claim.data for claim in claims})
        if self.predictions is not None and len(sets) != 1:
            raise UsageError(
                self.predictions,
                f"predictions, for claims on {len(sets)} data sets ({', '.join(sets[:5])})",
                "claims on the one data set that was predicted",
                "Name them: --claim ID",
            )
        for name, path in self.checkpoints.items():
            if any(self._is_about(name, claim) for claim in claims):
                continue
            manifest = self._manifests[name]
            wanted = sorted({f"{c.method}, {c.architecture}" for c in claims if not c.recalled})
            raise UsageError(
                path,
                f"it is {manifest.method}, {manifest.spec.name}",
                "a network that one of the claims is about: " + "; ".join(wanted[:5]),
                "Say what it is if its manifest does not: --checkpoint METHOD=FILE.",
            )

    def missing(self, claim: Claim) -> tuple[str, ...]:
        """Return each thing that is missing to measure `claim`, and where to get it."""
        found = (
            self._missing_evaluator(claim),
            self._missing_weights(claim),
            self._missing_data(claim),
        )
        return tuple(thing for thing in found if thing)

    def records_for(self, claim: Claim) -> list[Record]:
        """Return the records that speak of `claim`, measured now or found.

        Raises:
            RelicheckError: what was measured for it failed so, or was edited since.
        """
        data = "imagenet" if claim.data == REAL else claim.data
        subject = self._subject(claim)
        made = [
            record
            for evaluator in self._evaluators(claim)
            for record in self._measure(subject, data, evaluator)
        ]
        speaking = [record for record in made if speaks_of(record, claim)]
        # One pass may yield many readings, of which the source can have meant a few.
        meant = [record for record in speaking if record.protocol in claim.protocols]
        speaking = meant or speaking
        for record in speaking:
            check_kept(self.records, record)
        return speaking

    def _evaluators(self, claim: Claim) -> tuple[str, ...]:
        from ..evaluations.evaluator import evaluators

        if self._subject(claim).startswith(_PREDICTIONS):
            return ("predictions",)
        known = tuple(name for name in claim.evaluators if name in evaluators.names())
        trained = tuple(name for name in known if _trains(evaluators.load(name)))
        if len(trained) in (0, len(known)) or not self._subject(claim):
            return known
        # Either the classifier that the checkpoint brings, or one trained here: not both.
        own = tuple(name for name in known if name not in trained)
        return own if self._brings_classifier(claim) else trained

    def _measure(self, subject: str, data: str, evaluator: str) -> list[Record]:
        where = (subject, data, evaluator)
        if where not in self._measured:
            try:
                self._measured[where] = self._evaluate(subject, data, evaluator)
            except RelicheckError as error:
                # The next claim on this subject and data would fail alike, and as slowly.
                self._measured[where] = error
        found = self._measured[where]
        if isinstance(found, RelicheckError):
            raise found
        return found

    def _evaluate(self, subject: str, data: str, evaluator: str) -> list[Record]:
        if self.predictions is not None:
            return self._count(self.predictions, data)
        if subject.startswith(_PREDICTIONS):
            from ..evaluations.published_predictions import evaluate_published

            model = subject.split(":")[2]
            return evaluate_published(
                model, _published_set(data), records=self.records, root=self.data_root
            )
        from ..evaluations.evaluate import evaluate

        published = subject.startswith(_PUBLISHED)
        return evaluate(
            self._published_file(subject.removeprefix(_PUBLISHED)) if published else subject,
            data,
            [evaluator],
            records=self.records,
            data_root=self.data_root,
            cache=self.cache,
            seeds=self.seeds,
            overrides=self._overrides(subject, data, evaluator),
        )

    def _overrides(self, subject: str, data: str, evaluator: str) -> dict[str, object]:
        """Return what must be set for a checkpoint without a classifier on a shifted set.

        One is trained on the clean images, as the self-supervised papers do.
        """
        from ..evaluations.dataset import datasets
        from ..evaluations.evaluator import evaluators

        name = data.partition(":")[0]
        if name not in datasets.names() or not datasets.load(name).clean:
            return {}
        bare = any(
            str(path) == subject and self._manifests[name].classes is None
            for name, path in self.checkpoints.items()
        )
        reads_one = getattr(evaluators.load(evaluator).protocol, "head_from", "") == "checkpoint"
        return {f"{evaluator}.head_from": "linear"} if bare and reads_one else {}

    def _brings_classifier(self, claim: Claim) -> bool:
        """Return whether the claim's checkpoint has a classifier of its data set's classes."""
        from ..evaluations.dataset import datasets

        given = [name for name in self.checkpoints if self._is_about(name, claim)]
        if not given:
            return True  # published, or predictions: their claims name one evaluator
        name = claim.data.partition(":")[0]
        classes = datasets.load(name).classes if name in datasets.names() else None
        return self._manifests[given[0]].classes == classes

    def _count(self, path: Path, data: str) -> list[Record]:
        from ..evaluations.prediction_files import read_predictions
        from ..evaluations.predictions import evaluate_predictions

        labels, predictions = read_predictions(path)
        return evaluate_predictions(
            path,
            path.stem,
            data,
            labels=labels,
            predictions=predictions,
            records=self.records,
            expected=TEST_IMAGES.get(data),
        )

    @cached_property
    def _manifests(self) -> "dict[str, Manifest]":
        from ..checkpoints.source import read_source

        return {name: read_source(Path(path)).manifest for name, path in self.checkpoints.items()}

    def _is_about(self, name: str, claim: Claim) -> bool:
        """Return whether the checkpoint given as `name` is the network of `claim`."""
        manifest = self._manifests[name]
        if claim.subject:
            return _published_hash(claim) == manifest.source_sha256
        if key(architecture_of(claim.architecture)) != key(manifest.spec.name):
            return False
        stated, claimed = key(manifest.method), key(claim.method)
        if stated == _UNSTATED:
            return self.named or key(name) == claimed or name == claim.id
        # "supervised" is what the file of any supervised claim says: the user has to choose.
        chosen = self.named or name == claim.id
        return stated == claimed or (chosen and claimed.startswith(stated))

    def _subject(self, claim: Claim) -> str:
        """Return what is measured: as `Claim.subject`, or a file; "" where there is nothing."""
        if self.predictions is not None:
            return f"{_PREDICTIONS}{self.predictions}"
        for name, path in self.checkpoints.items():
            if self._is_about(name, claim):
                return str(path)
        return claim.subject

    def _missing_evaluator(self, claim: Claim) -> str:
        if claim.unmeasurable or self._evaluators(claim):
            return claim.unmeasurable
        return f"no evaluator {' or '.join(claim.evaluators)} exists yet"

    def _missing_weights(self, claim: Claim) -> str:
        subject = self._subject(claim)
        if not subject:
            return weights_needed(claim)
        if not subject.startswith(_PUBLISHED):
            return ""
        try:
            self._published_file(subject.removeprefix(_PUBLISHED))
        except MissingData as error:
            return str(error)
        return ""

    def _published_file(self, name: str) -> str | Path:
        """Return the published name, or its file where the data root named holds it."""
        from ..checkpoints.zoo import find_published, read_published

        entry = read_published(name)
        if self.data_root is not None:
            file = self.data_root / "weights" / entry.file
            if file.is_file():
                return file
        find_published(entry)
        return name

    def _missing_data(self, claim: Claim) -> str:
        """Return what is missing of the claim's images, or of the answers about them."""
        if self.predictions is not None:
            return ""
        answers = claim.subject.startswith(_PREDICTIONS)
        where = (claim.data, str(answers))
        if where not in self._absent:
            self._absent[where] = self._no_answers(claim) if answers else self._look_for(claim)
        return self._absent[where]

    def _no_answers(self, claim: Claim) -> str:
        from ..evaluations.published_predictions import published_models

        try:
            published_models(_published_set(claim.data), self.data_root)
        except MissingData as error:
            return str(error)
        return ""

    def _look_for(self, claim: Claim) -> str:
        from ..evaluations.dataset import data_roots, datasets, locate

        name = claim.data.partition(":")[0]
        folder, address = name, f"{data_address(name)}; nothing reads it yet"
        if name in datasets.names():
            known = datasets.load(name)
            try:
                # Cached features stand in for images; the evaluation says if they do not.
                if known.folders and self.cache is None:
                    locate(name, self.data_root)
            except MissingData:
                folder, address = known.folders[0], known.obtain.removesuffix(".")
            else:
                return ""
        roots = [self.data_root] if self.data_root else data_roots()
        looked = " or ".join(str(root / folder) for root in roots)
        return (
            f"needs {_title(claim)} under $RELICHECK_DATA/{folder} (looked for {looked}): {address}"
        )


def _trains(evaluator: "Evaluator") -> bool:
    """Return whether it trains a classifier rather than read the checkpoint's."""
    head_from = getattr(evaluator.protocol, "head_from", "")
    return "train" in evaluator.splits or head_from == "linear"


def _published_set(data: str) -> str:
    """Return the name under which predictions on `data` are published."""
    from ..evaluations.published_predictions import PUBLISHED_SETS

    name = "imagenet" if data == REAL else data
    return next(known for known in PUBLISHED_SETS if key(known) == key(name))


def _published_hash(claim: Claim) -> str | None:
    from ..checkpoints.zoo import read_published

    kind, _, name = claim.subject.partition(":")
    return read_published(name).sha256 if kind == "published" else None


def _title(claim: Claim) -> str:
    # One condition of ImageNet-C needs the whole of it.
    return claim.dataset.partition(" ")[0] if claim.condition else claim.dataset
