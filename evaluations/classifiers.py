"""The classifier that is put on frozen features: the checkpoint's, or one trained here.

ReLIC (arXiv:2010.07922, App. E.5) trains a linear classifier on ImageNet and reads it on
every shifted set; released classifiers bring their own.
"""

from dataclasses import dataclass

import numpy as np

from ..checkpoints.errors import UnknownName, UsageError
from .evaluators.linear import LinearProtocol, fit, notes
from .probes import Standardisation, standardisation
from .subject import Subject

SOURCES = ("checkpoint", "linear")


@dataclass(frozen=True, kw_only=True)
class HeadProtocol(LinearProtocol):
    """Where the classifier comes from; the probe's fields are those of `linear`."""

    head_from: str = "checkpoint"  # or "linear": a probe trained on clean features
    train_data: str = ""  # data set the probe is trained on; "": the one that was shifted

    @property
    def id(self) -> str:
        """Name and version; a probe's number is another protocol's than a released head's."""
        probe = ".linear" if self.head_from == "linear" else ""
        return f"{self.name}{probe}/{self.version}"


@dataclass(frozen=True, kw_only=True)
class Head:
    """A linear classifier on raw features."""

    weight: np.ndarray  # [classes, D] float32
    bias: np.ndarray  # [classes] float32
    standardise: Standardisation
    notes: tuple[str, ...] = ()

    def logits(self, features: np.ndarray) -> np.ndarray:
        """Return [N, classes] float32 of features [N, D] float32."""
        return np.asarray(self.standardise(features) @ self.weight.T + self.bias)


def head_of(subject: Subject, protocol: HeadProtocol, classes: int) -> Head:
    """Return the classifier of `classes` classes that `protocol` names.

    Raises:
        UsageError: the checkpoint has none, or one of another number of classes.
        UnknownName: `head_from` is neither.
        MissingData: the images that a probe would be trained on are not there.
    """
    trained = training_subject(subject, protocol)
    if trained is None:
        own = own_head(subject, classes, "Train one instead: --set EVALUATOR.head_from=linear.")
        return Head(weight=own[0], bias=own[1], standardise=standardisation(own[0], False))
    chosen = fit(trained, protocol)
    if len(chosen.probe.bias) != classes:
        raise UsageError(
            str(trained.data),
            f"it has {len(chosen.probe.bias)} classes",
            f"the {classes} that {subject.dataset_name} is scored on",
            "Name another: --set EVALUATOR.train_data=NAME.",
        )
    said = f"classifier trained on {trained.dataset_name}, {trained.images('train').split}"
    return Head(
        weight=chosen.probe.weight,
        bias=chosen.probe.bias,
        standardise=chosen.standardise,
        notes=(said, *notes(chosen)),
    )


def own_head(subject: Subject, classes: int, todo: str) -> tuple[np.ndarray, np.ndarray]:
    """Return weight [classes, D] and bias [classes] of the checkpoint's own classifier.

    Raises:
        UsageError: it has none, or one of another number of classes; `todo` says what to do.
    """
    own = subject.head
    if own is None or len(own[1]) != classes:
        found = "no classifier" if own is None else f"a classifier of {len(own[1])} classes"
        raise UsageError(
            subject.model.name,
            f"the checkpoint has {found}",
            f"one of the {classes} classes that {subject.dataset_name} is scored by",
            todo,
        )
    return own


def training_subject(subject: Subject, protocol: object) -> Subject | None:
    """Return the model on the data set that its probe is trained on; None: its own head."""
    if not isinstance(protocol, HeadProtocol) or protocol.head_from == "checkpoint":
        return None
    if protocol.head_from not in SOURCES:
        raise UnknownName("source of a classifier", protocol.head_from, SOURCES)
    data = protocol.train_data or (subject.dataset.clean if subject.dataset is not None else "")
    return subject.trained_on(data) if data else subject
