"""Published checkpoints: what each is, and where its file is looked for."""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from .cache import all_received, weight_folders
from .drive import name_in
from .errors import BadCheckpoint, ManifestMismatch, MissingData, UnknownName
from .manifest import Manifest, rebuild
from .spec import Preprocessing, ResNetSpec
from .verification import check_whole

_UNITS = {"kB": 1e3, "MB": 1e6, "GB": 1e9, "MiB": 2**20}


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published checkpoint, as its TOML file states it. What is not known is absent."""

    name: str
    title: str
    file: str  # what is opened: the file as published, or the folder its parts lie in
    address: str  # where the authors offer it
    format: str
    method: str
    source: str  # who published it, and which page says so
    licence: str  # SPDX identifier, with a remark where the page says more
    preprocessing: Preprocessing
    spec: ResNetSpec | None = None  # None only for what `refused` speaks of
    refused: str = ""  # why relicheck does not open it
    downloads: tuple[str, ...] = ()  # addresses of its parts or its archive; empty: `address`
    sha256: str | None = None
    sha256_prefix: str | None = None  # as PyTorch writes it into a file's name
    md5_prefix: str | None = None  # as MoCo's README states it
    size: str = ""  # as the authors state it: "570 MB"
    accuracy: Mapping[str, str] = field(default_factory=dict)  # as stated; `source` says where
    claims: tuple[str, ...] = ()  # ids it can settle; * stands for anything
    note: str = ""  # what a user should know before relying on it

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses to download, in order."""
        return self.downloads or (self.address,)

    @property
    def stated_bytes(self) -> float | None:
        """The size the authors state, in bytes; None where they state none."""
        number, _, unit = self.size.partition(" ")
        return float(number) * _UNITS[unit] if self.size else None

    @property
    def non_commercial(self) -> bool:
        """Whether the licence forbids commercial use."""
        return "-NC" in self.licence

    @property
    def check(self) -> str:
        """What the file can be held against, in words."""
        if self.sha256 is not None:
            return "the SHA-256 that the authors publish"
        if self.sha256_prefix is not None:
            return f"the first digits of its SHA-256, in its name: {self.sha256_prefix}"
        if self.md5_prefix is not None:
            return f"the first digits of its MD5, which the authors publish: {self.md5_prefix}"
        return "no hash is published: the first one received is kept"

    def answers(self, claim_id: str) -> bool:
        """Return whether an evaluation of this checkpoint can settle the claim."""
        return any(fnmatchcase(claim_id, pattern) for pattern in self.claims)

    def is_known_as(self, sha256: str) -> bool:
        """Return whether the authors' own hash, or the part they state, says it is this file."""
        if self.sha256 is not None:
            return sha256 == self.sha256
        return self.sha256_prefix is not None and sha256.startswith(self.sha256_prefix)

    def check_spec(self, spec: ResNetSpec, where: object) -> None:
        """Return if a file said to be this checkpoint holds its network.

        Raises:
            ManifestMismatch: it holds another.
            BadCheckpoint: relicheck does not open this checkpoint.
        """
        if self.refused:
            raise BadCheckpoint(where, f"it is {self.name}: {self.refused}")
        if spec != self.spec:
            raise ManifestMismatch(
                where,
                f"holds {_described(spec)}",
                f"{_described(self.spec)}, which {self.name} is" if self.spec else "",
                f"The authors offer theirs at {self.address}",
            )

    def complete(self, manifest: Manifest) -> Manifest:
        """Return `manifest` with what the authors state and the file does not.

        Raises:
            ManifestMismatch, BadCheckpoint: as `check_spec`.
        """
        self.check_spec(manifest.spec, manifest.source)
        return replace(
            manifest,
            preprocessing=self.preprocessing,
            method=self.method,
            source=self.address,
            licence=self.licence,
            warnings=(*manifest.warnings, *self._doubts(manifest.source_sha256)),
        )

    def _doubts(self, sha256: str | None) -> Iterator[str]:
        if sha256 is None or not self.is_known_as(sha256):
            yield (
                f"The authors publish no SHA-256 of {self.file}: that it is {self.name} is known "
                "by where it came from and by its architecture, not by a hash."
            )
        if self.note:
            yield self.note


def _described(spec: ResNetSpec) -> str:
    return (
        f"{spec.name} (stem {spec.stem}, shortcut {spec.shortcut}, padding {spec.padding}, "
        f"epsilon {spec.bn_epsilon:g})"
    )


def published_names() -> list[str]:
    """Return the names of all published checkpoints, sorted."""
    return list(_names())


@cache  # asked for once for every entry that is read
def _names() -> tuple[str, ...]:
    folder = files(__package__).joinpath("published")
    entries = (file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return tuple(sorted(name.removesuffix(".toml") for name in entries))


@cache
def read_published(name: str) -> Published:
    """Return the entry called `name`.

    Raises:
        UnknownName: there is none; the message gives the nearest.
    """
    if name not in published_names():
        raise UnknownName("published checkpoint", name, published_names())
    text = files(__package__).joinpath("published", f"{name}.toml").read_text(encoding="utf-8")
    raw: dict[str, Any] = tomllib.loads(text)
    preprocessing = rebuild(Preprocessing, raw.pop("preprocessing"))
    spec = rebuild(ResNetSpec, raw.pop("spec")) if "spec" in raw else None
    for key in ("note", "refused"):  # folded in the file, one line everywhere else
        raw[key] = " ".join(raw.get(key, "").split())
    for key in ("downloads", "claims"):
        raw[key] = tuple(raw.get(key, ()))
    return Published(**raw, name=name, preprocessing=preprocessing, spec=spec)


def published_with(sha256: str) -> Published | None:
    """Return the published checkpoint whose file has this hash, if there is one.

    Known are the hashes that authors publish, whole or in part, and those of the files
    that `relicheck fetch` received on this machine.
    """
    entries = (read_published(name) for name in published_names())
    known = next((entry for entry in entries if entry.is_known_as(sha256)), None)
    return known or next(
        (
            read_published(received.name)
            for _, received in all_received()
            if received.sha256 == sha256 and received.name in published_names()
        ),
        None,
    )


@cache
def _shared_names() -> frozenset[str]:
    # Several authors call their file resnet50.pth; only its folder tells whose it is.
    named = [read_published(name).file for name in published_names()]
    return frozenset(file for file in named if named.count(file) > 1)


def places(entry: Published, root: Path) -> list[Path]:
    """Return where under `root` the file of `entry` may lie."""
    own = [root / entry.name / entry.file]
    return own if entry.file in _shared_names() else [*own, root / entry.file]


def locate_published(entry: Published, roots: list[Path] | None = None) -> Path | None:
    """Return the file of `entry` in the first folder that has it, unchecked; None if none has."""
    folders = weight_folders() if roots is None else roots
    found = (path for root in folders for path in places(entry, root) if _is_there(entry, path))
    return next(found, None)


def _is_there(entry: Published, path: Path) -> bool:
    # Of a checkpoint in several files, one alone is not it.
    names = [name_in(address) for address in entry.downloads] if len(entry.downloads) > 1 else []
    return path.exists() and all((path / name).is_file() for name in names)


def find_published(entry: Published) -> Path:
    """Return the file of `entry`, its hash verified where one is known.

    Raises:
        MissingData: it is in none of the folders; the message names them and the address.
        BadCheckpoint: a file of that name has other contents.
    """
    path = locate_published(entry)
    if path is not None:
        check_whole(entry, path)
        return path
    looked = ", ".join(str(folder) for folder in weight_folders())
    raise MissingData(
        entry.name,
        f"{entry.file} is not in {looked}",
        f"the published file ({entry.licence})",
        f"relicheck fetch {entry.name} downloads it. Or get it from {entry.address} and put it "
        f"at {weight_folders()[0] / entry.name / entry.file}",
    )
