"""Conversion: read -> fill the template -> write -> prove."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from .common import Tensors, write_checkpoint
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
    from .canary import examine, photographs
    from .resnet import build
    from .untrained import reference

    images = photographs(source.preprocessing)
    # Where it has to be drawn, the untrained network comes first and goes: the two together
    # need twice the memory.
    untrained = reference(source.spec, source.preprocessing, images)
    tensors = source.read()
    network_read = build(tensors, source.manifest)
    manifest = examine(network_read, source.manifest, images, untrained, Path(path))
    del network_read
    write_checkpoint(output, tensors, manifest)
    try:
        _check_written(output, tensors)
    except BaseException:
        output.unlink(missing_ok=True)
        raise
    return manifest


def _check_written(path: Path, tensors: Tensors) -> None:
    """Return if the file holds these tensors, bit for bit.

    Raises:
        BadCheckpoint: it does not.
    """
    written = tensors_of(open_checkpoint(path).tree)
    different = sorted(written.keys() ^ tensors.keys()) or [
        name
        for name, tensor in tensors.items()
        # As whole numbers: 0 and -0 are equal floats.
        if not np.array_equal(written[name].read().view(np.int32), tensor.view(np.int32))
    ]
    if different:
        raise BadCheckpoint(path, f"{different[0]} differs after writing and reading back")
