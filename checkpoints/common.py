"""The common format: one .safetensors file, torchvision's names, manifest in the header.

Needs numpy and safetensors only, so that the JAX side can write it and anyone can
read it.
"""

import hashlib
import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .errors import BadCheckpoint, MissingData
from .files import atomic_path
from .manifest import HEADER_KEY, Manifest
from .stored import Stored, shapes_of

Tensors = dict[str, np.ndarray]


def write_checkpoint(
    target: Path, tensors: Mapping[str, np.ndarray | Stored], manifest: Manifest
) -> str:
    """Write `tensors` (canonical names) as float32 to `target`; return their `weights_hash`.

    The file is checked against the manifest first and appears whole or not at all. One
    tensor at a time is read and written, so that memory does not grow with the network.

    Raises:
        ParameterMismatch: the tensors are not those of the manifest's network.
        BadCheckpoint: a tensor holds a value that is not finite.
    """
    stored = {n: t if isinstance(t, Stored) else Stored.of(t) for n, t in sorted(tensors.items())}
    shapes = shapes_of(stored)
    manifest.check_tensors(shapes, target)
    digest = hashlib.sha256()
    with atomic_path(Path(target)) as temporary, temporary.open("wb") as stream:
        stream.write(_header(shapes, {HEADER_KEY: manifest.to_json()}))
        for name, tensor in stored.items():
            array = tensor.read()
            if not np.isfinite(array).all():
                raise BadCheckpoint(target, f"{name} holds values that are not finite")
            _digest(digest, name, array)
            stream.write(array.data)
    return digest.hexdigest()


def _header(shapes: Mapping[str, tuple[int, ...]], metadata: Mapping[str, str]) -> bytes:
    # Not safetensors' own save_file, which wants every tensor in memory at once. The layout
    # is its README's: a length, JSON padded to eight bytes, then the tensors in order.
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    offset = 0
    for name, shape in shapes.items():
        end = offset + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text


def is_common(path: Path) -> bool:
    """Return whether `path` is a file of the common format, judged by its header."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return HEADER_KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def read_manifest(path: Path) -> Manifest:
    """Return the manifest of a common-format file, checked against its tensors' shapes.

    Raises:
        MissingData: there is no such file.
        BadCheckpoint: it is not a file of the common format.
        ManifestMismatch, ParameterMismatch: manifest and tensors disagree.
    """
    manifest, shapes = _read_header(Path(path))
    manifest.check_tensors(shapes, path)
    return manifest


def read_checkpoint(path: Path) -> tuple[Tensors, Manifest]:
    """Return the tensors by canonical name and the manifest. Raises: as `read_manifest`."""
    from safetensors.numpy import load_file

    manifest = read_manifest(path)
    return load_file(path), manifest


def weights_hash(tensors: Mapping[str, np.ndarray | Stored]) -> str:
    """Return a SHA-256 over names, shapes and float32 values, whatever the file's layout."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name]
        array = tensor.read() if isinstance(tensor, Stored) else tensor
        _digest(digest, name, np.ascontiguousarray(array, dtype="<f4"))
    return digest.hexdigest()


def _digest(digest: "hashlib._Hash", name: str, array: np.ndarray) -> None:
    digest.update(f"{name}{array.shape}".encode())
    digest.update(array.data)


def _read_header(path: Path) -> tuple[Manifest, dict[str, tuple[int, ...]]]:
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise MissingData(path, "there is no such file", "a checkpoint")
    try:
        with safe_open(path, framework="numpy") as file:
            header = (file.metadata() or {}).get(HEADER_KEY)
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118 - not a dict
    except (SafetensorError, OSError) as error:
        raise BadCheckpoint(
            path, f"not a whole .safetensors file ({error})", "a file relicheck convert wrote"
        ) from error
    if header is None:
        raise BadCheckpoint(
            path,
            "a .safetensors file without relicheck's manifest",
            "the common format",
            f"Convert it: relicheck convert {path} --output OUT.safetensors",
        )
    return Manifest.from_json(header, path), shapes
