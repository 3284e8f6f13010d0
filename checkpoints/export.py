"""Export: the common format -> another library's, proven by reading it back."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .common import read_manifest
from .container import open_checkpoint, tensors_of
from .errors import BadCheckpoint, BadData, UsageError
from .export_format import exports
from .exported import is_same_function
from .files import atomic_path, sha256_of_file
from .manifest import Manifest
from .parameters import parameter_shapes
from .source import read_upstream
from .stored import Stored


@dataclass(frozen=True, kw_only=True)
class Exported:
    """What an export wrote."""

    output: str
    target: str
    network: str  # as the field names it
    classes: int | None
    tensors: int  # compared with the source, bit for bit
    bytes: int  # of the file, or of the folder's files together
    source_sha256: str  # of the file in the common format
    loads_with: str  # a line of Python


def export_checkpoint(checkpoint: Path, target: str, output: Path) -> Exported:
    """Return what was written to `output` for the library `target`.

    The result is read back before it takes its place, and every tensor compared bit for
    bit with `checkpoint`.

    Args:
        checkpoint: a .safetensors file of the common format.
        target: a name of `exports`. output: a file, or where the library wants a folder,
            one that does not exist or is empty.

    Raises:
        MissingData, BadCheckpoint: `checkpoint` is not there, or not of the common format.
        UnknownName: no such target.
        UsageError: the target's network would compute another function, or `output` is
            not free.
        MissingDependency: the target's library is needed and absent.
    """
    checkpoint, output = Path(checkpoint), Path(output)
    export = exports.load(target)
    manifest = read_manifest(checkpoint)
    export.limits.check(target, manifest.spec)
    tensors = _in_order(tensors_of(open_checkpoint(checkpoint).tree), manifest)
    with _new_folder(output) if export.is_folder else _new_file(output) as temporary:
        export.write(tensors, manifest, temporary)
        _prove(tensors, manifest, temporary)
    return Exported(
        output=str(output),
        target=target,
        network=manifest.spec.name,
        classes=manifest.classes,
        tensors=len(tensors),
        bytes=_size(output),
        source_sha256=sha256_of_file(checkpoint),
        loads_with=export.loads_with(manifest, str(output)),
    )


def _in_order(tensors: Mapping[str, Stored], manifest: Manifest) -> dict[str, Stored]:
    # The order of the forward pass, in which people look for a name.
    return {name: tensors[name] for name in parameter_shapes(manifest.spec, manifest.classes)}


def _prove(tensors: Mapping[str, Stored], manifest: Manifest, written: Path) -> None:
    # By detection, as `relicheck convert` would read it.
    _, again = read_upstream(open_checkpoint(written))
    if set(again.tensors) != set(tensors):
        wrong = sorted(set(again.tensors) ^ set(tensors))
        raise BadCheckpoint(written, f"{', '.join(wrong[:4])} differ after reading it back")
    if not is_same_function(again.spec, manifest.spec):
        raise BadCheckpoint(written, f"reads back as {again.spec}", f"{manifest.spec}")
    for name, tensor in tensors.items():
        # As bits: a NaN equals itself, and 0 is not -0.
        if not np.array_equal(tensor.read().view("u4"), again.tensors[name].read().view("u4")):
            raise BadCheckpoint(written, f"{name} differs after writing and reading back")


def _new_file(output: Path) -> AbstractContextManager[Path]:
    if output.is_dir():
        raise UsageError(output, "is a folder", "a file", "Name another --output.")
    return atomic_path(output)


@contextmanager
def _new_folder(output: Path) -> Iterator[Path]:
    """Yield an empty folder beside `output`; move it there if the block succeeds."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise UsageError(output, "exists", "a new folder", "Name another --output.")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as error:
        raise BadData(
            output, f"cannot be written ({error.strerror})", todo="Name another --output."
        ) from error
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o777 & ~umask)
        temporary.replace(output)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _size(output: Path) -> int:
    files = output.rglob("*") if output.is_dir() else [output]
    return sum(file.stat().st_size for file in files if file.is_file())
