"""Published checkpoints: what each is, and where its file is looked for."""

import os
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from .errors import BadCheckpoint, MissingData, UnknownName
from .files import sha256_of_file
from .manifest import Manifest, rebuild
from .spec import Preprocessing


@dataclass(frozen=True, kw_only=True)
class Published:
    """One published checkpoint, as its TOML file states it."""

    name: str
    title: str
    file: str  # file name as published
    address: str  # where the authors offer it
    sha256: str
    format: str
    method: str
    source: str  # who published it, and which page says so
    licence: str
    preprocessing: Preprocessing

    def complete(self, manifest: Manifest) -> Manifest:
        """Return `manifest` with what the authors state and the file does not."""
        return replace(
            manifest,
            preprocessing=self.preprocessing,
            method=self.method,
            source=self.address,
            licence=self.licence,
        )


def published_names() -> list[str]:
    """Return the names of all published checkpoints, sorted."""
    folder = files(__package__).joinpath("published")
    entries = (file.name for file in folder.iterdir() if file.name.endswith(".toml"))
    return sorted(name.removesuffix(".toml") for name in entries)


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
    return Published(name=name, preprocessing=preprocessing, **raw)


def published_with(sha256: str) -> Published | None:
    """Return the published checkpoint whose file has this hash, if there is one."""
    entries = (read_published(name) for name in published_names())
    return next((entry for entry in entries if entry.sha256 == sha256), None)


def weight_folders() -> list[Path]:
    """Return the folders in which published files are looked for."""
    roots = [Path(os.environ.get("RELICHECK_DATA", "data"))]
    return [folder for root in roots for folder in (root / "weights", root)]


def find_published(entry: Published) -> Path:
    """Return the file of `entry`, its hash verified.

    Raises:
        MissingData: it is in none of the folders; the message names them and the address.
        BadCheckpoint: a file of that name has other contents.
    """
    for folder in weight_folders():
        path = folder / entry.file
        if path.is_file():
            found = sha256_of_file(path)
            if found != entry.sha256:
                raise BadCheckpoint(
                    path,
                    f"sha256 {found[:16]}...",
                    f"{entry.sha256[:16]}..., the published file's",
                    f"Download it again from {entry.address}",
                )
            return path
    looked = " and ".join(str(folder) for folder in weight_folders())
    raise MissingData(
        entry.name,
        f"{entry.file} is not in {looked}",
        f"the published file ({entry.licence})",
        f"Get it from {entry.address}, or set RELICHECK_DATA to the folder that has it.",
    )
