"""What the weights cannot say, written beside them in the header of the file."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

from .errors import ManifestMismatch
from .parameters import check_parameters, parameter_shapes
from .spec import Preprocessing, ResNetSpec

T = TypeVar("T")

SCHEMA = 1
HEADER_KEY = "relicheck_manifest"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """One checkpoint's identity card.

    Raises:
        ManifestMismatch: a field is missing, unknown or of the wrong kind.
    """

    spec: ResNetSpec
    preprocessing: Preprocessing
    method: str  # simclr, byol, relic, relicv2, supervised, random, or as the source names it
    source: str  # where the weights come from: an address, or the command that made them
    licence: str  # SPDX identifier or the terms in words
    source_sha256: str | None = None  # of the file converted; None for our own pretraining
    classes: int | None = None  # rows of fc.weight; None without a head
    training: Mapping[str, Any] | None = None  # epochs, seed, data: whatever the producer records
    warnings: tuple[str, ...] = ()  # what a reader should know before trusting the weights

    def to_json(self) -> str:
        """Return the manifest as JSON with sorted keys: equal manifests, equal bytes."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, where: object) -> "Manifest":
        """Return the manifest that `to_json` wrote; `where` names the file in messages."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise ManifestMismatch(where, f"its manifest is not JSON ({error})") from error
        if not isinstance(raw, dict) or raw.pop("schema", None) != SCHEMA:
            raise ManifestMismatch(
                where, "its manifest has another schema", f"schema {SCHEMA}", "Convert it again."
            )
        try:
            return cls(
                **{
                    **raw,
                    "spec": rebuild(ResNetSpec, raw["spec"]),
                    "preprocessing": rebuild(Preprocessing, raw["preprocessing"]),
                    "warnings": tuple(raw.get("warnings", ())),
                }
            )
        except (TypeError, KeyError) as error:
            raise ManifestMismatch(
                where,
                f"its manifest cannot be read ({error})",
                f"the fields {', '.join(f.name for f in fields(cls))}",
                "Convert it again.",
            ) from error

    def check_tensors(self, shapes: Mapping[str, tuple[int, ...]], where: object) -> None:
        """Return if `shapes` are exactly those of this manifest's network.

        Raises:
            ParameterMismatch: they are not; the message names them.
        """
        check_parameters(where, shapes, parameter_shapes(self.spec, self.classes))


def rebuild(kind: type[T], raw: Mapping[str, Any]) -> T:
    """Return a spec or a preprocessing from the plain values that JSON and TOML hold."""
    # JSON has no tuples; every sequence in the two specs is one.
    return kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in raw.items()})
