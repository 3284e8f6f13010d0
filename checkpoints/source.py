"""A checkpoint ready to be converted: opened, recognised, checked against its network.

Needs NumPy only: values are read, and torch is imported, when somebody asks for them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from . import formats
from .common import Tensors, is_common, read_manifest
from .container import Opened, open_checkpoint, tensors_of
from .errors import BadCheckpoint, UsageError
from .files import HashBeside, sha256_of_files
from .format import Upstream
from .manifest import Manifest
from .parameters import check_parameters, parameter_shapes
from .pickles.inert import is_inert
from .spec import Preprocessing, ResNetSpec
from .stored import Stored, shapes_of
from .zoo import published_with

if TYPE_CHECKING:
    from .resnet import ResNet
    from .zoo import Published


@dataclass(frozen=True, kw_only=True)
class Source:
    """A checkpoint ready to be converted: canonical tensors, not read yet, and manifest."""

    tensors: Mapping[str, Stored]
    spec: ResNetSpec
    preprocessing: Preprocessing  # the format's; a published file's manifest may know better
    describe: Callable[[], Manifest]

    @cached_property
    def manifest(self) -> Manifest:
        """The manifest. It has the file's hash, and waits for it the first time."""
        return self.describe()

    def read(self) -> Tensors:
        """Return the values of the tensors: float32, OIHW."""
        return {name: tensor.read() for name, tensor in self.tensors.items()}

    def network(self) -> "ResNet":
        """Return the network with these weights, in evaluation mode."""
        from .resnet import build

        return build(self.read(), self.manifest)


def detect_format(opened: Opened) -> str:
    """Return the name of the format whose files look like this one.

    Raises:
        BadCheckpoint: none, or more than one.
    """
    matching = [name for name in formats.names() if formats.load(name).matches(opened)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise BadCheckpoint(
            opened.path,
            f"looks like {' and '.join(matching)}",
            "one format",
            "Name it with --format.",
        )
    raise _no_format(opened)


def _no_format(opened: Opened) -> BadCheckpoint:
    found = tensors_of(opened.tree)
    # What a file wants to call in place of its tensors explains why none were found.
    calls = [f"{name} is {value!r}" for name, value in opened.tree.items() if is_inert(value)]
    names = list(found) or [str(name) for name in opened.tree]
    shown = "; ".join(calls[:3]) or ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
    return BadCheckpoint(
        opened.path,
        f"its {len(found)} tensors are not those of a ResNet in a known format ({shown})",
        " or ".join(formats.names()),
        "relicheck list formats says what each looks like.",
    )


def read_upstream(
    opened: Opened, format_name: str | None = None, network: str | None = None
) -> tuple[str, Upstream]:
    """Return the format's name and what it found; every tensor is known to fit.

    Raises:
        BadCheckpoint, ParameterMismatch: with the reason.
        UnknownName: no format of that name.
        UsageError: the file holds no network called `network`.
    """
    name = format_name or detect_format(opened)
    form = formats.load(name)
    if network is not None and network not in form.networks:
        raise UsageError(
            f"--network {network}",
            f"files of the format {name} hold no network of that name",
            " or ".join(form.networks) or "no --network: they hold one network",
        )
    upstream = form.read(opened, network)
    return name, upstream


def read_source(
    path: Path,
    format_name: str | None = None,
    facts: Mapping[str, str] | None = None,
    network: str | None = None,
    published: "Published | None" = None,
) -> Source:
    """Return the checkpoint in a file of any known format, its tensors not read yet.

    Args:
        facts: method, source and licence, where the caller knows better than the file.
        network: which of the file's networks: online, target, ema; None: the format's first.
        published: the entry that the file is known to be of; None: found by its hash.

    Raises:
        MissingData, BadCheckpoint, ParameterMismatch, UnknownName: with the reason.
    """
    path = Path(path)
    if format_name is None and path.is_file() and is_common(path):
        manifest = read_manifest(path)
        return Source(
            tensors=_common_tensors(path),
            spec=manifest.spec,
            preprocessing=manifest.preprocessing,
            describe=lambda: manifest,
        )
    # The hash takes as long as the rest; it is computed beside it from the first, on another
    # thread, which also brings the file from the disk in order.
    digest = HashBeside(path) if path.is_file() else None
    try:
        opened = open_checkpoint(path)
        name, upstream = read_upstream(opened, format_name, network)
        wanted = parameter_shapes(upstream.spec, upstream.classes)
        check_parameters(path, shapes_of(upstream.tensors), wanted)
    except BaseException:
        if digest is not None:
            digest.give_up()
        raise

    def sha256() -> str:
        alone = digest is not None and list(opened.files) == [path]
        return digest.result() if digest and alone else sha256_of_files(opened.files)

    return Source(
        tensors=upstream.tensors,
        spec=upstream.spec,
        preprocessing=upstream.preprocessing,
        describe=lambda: describe(opened, name, upstream, sha256(), facts or {}, published),
    )


def _common_tensors(path: Path) -> dict[str, Stored]:
    return tensors_of(open_checkpoint(path).tree)


def describe(
    opened: Opened,
    name: str,
    upstream: Upstream,
    sha256: str,
    facts: Mapping[str, str],
    published: "Published | None" = None,
) -> Manifest:
    """Return the manifest of what a format read: the file's facts, the authors', the caller's."""
    manifest = Manifest(
        spec=upstream.spec,
        preprocessing=upstream.preprocessing,
        method=upstream.method or "unstated",
        source=opened.path.name,
        licence="unstated: ask the authors",
        source_sha256=sha256,
        classes=upstream.classes,
        training={
            "format": name,
            "network": upstream.network,
            "stored": dict(upstream.stored or {}),
            "dropped": list(upstream.dropped),
        },
    )
    # A file we know by its hash is what its authors say it is, whatever it is called here.
    published = published or published_with(sha256)
    manifest = published.complete(manifest) if published else manifest
    return replace(
        manifest,
        method=facts.get("method", manifest.method),
        source=facts.get("source", manifest.source),
        licence=facts.get("licence", manifest.licence),
    )
