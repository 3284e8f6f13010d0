"""Conversion: read -> fill the template -> write -> prove."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from .common import weights_hash, write_checkpoint
from .container import open_checkpoint, tensors_of
from .errors import BadCheckpoint, MissingDependency
from .files import check_writable
from .manifest import Manifest
from .source import read_source


def convert(
    path: Path,
    output: Path,
    format_name: str | None = None,
    facts: Mapping[str, str] | None = None,
    network: str | None = None,
) -> Manifest:
    """Write the checkpoint in `path` to `output` in the common format; return its manifest.

    What was written is read back and compared value by value, and the network is tried on
    real photographs beside an untrained one of the same architecture (`canary`).

    Raises:
        BadCheckpoint: what was written is not what was read, or its activations are not
            finite.
        MissingDependency: torch is not installed.
    """
    output = Path(output)
    # Found, not imported: what is missing is said before the file is read.
    if find_spec("torch") is None:
        raise MissingDependency("torch", "evaluate")
    check_writable(output)
    source = read_source(path, format_name, facts, network)
    # Imported here: torch takes longer to import than the file takes to be hashed meanwhile.
    from .canary import examine, photographs, untrained_spread
    from .resnet import build

    images = photographs(source.preprocessing)
    # The untrained network comes first and goes: the two together need twice the memory.
    untrained = untrained_spread(source.spec, images)
    tensors = source.read()
    network_read = build(tensors, source.manifest)
    manifest = examine(network_read, source.manifest, images, untrained, Path(path))
    del network_read
    digest = write_checkpoint(output, tensors, manifest)
    del tensors
    try:
        if weights_hash(tensors_of(open_checkpoint(output).tree)) != digest:
            raise BadCheckpoint(output, "differs after writing and reading back")
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    return manifest
