"""The common format: one .safetensors file, torchvision's names, manifest in the header.

Needs numpy and safetensors only, so that the JAX side can write it and anyone can
read it.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from .errors import BadCheckpoint, MissingData
from .files import atomic_path
from .manifest import HEADER_KEY, Manifest

Tensors = dict[str, np.ndarray]


def write_checkpoint(target: Path, tensors: Mapping[str, np.ndarray], manifest: Manifest) -> None:
    """Write `tensors` (canonical names, float32) and their manifest to `target`.

    The file is checked against the manifest first and appears whole or not at all.

    Raises:
        ParameterMismatch: the tensors are not those of the manifest's network.
        BadCheckpoint: a tensor holds a value that is not finite.
    """
    from safetensors.numpy import save_file

    manifest.check_tensors({name: array.shape for name, array in tensors.items()}, target)
    for name, array in tensors.items():
        if not np.isfinite(array).all():
            raise BadCheckpoint(target, f"{name} holds values that are not finite")
    plain = {name: np.ascontiguousarray(array, dtype=np.float32) for name, array in tensors.items()}
    with atomic_path(Path(target)) as temporary:
        save_file(plain, temporary, metadata={HEADER_KEY: manifest.to_json()})


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


def weights_hash(tensors: Mapping[str, np.ndarray]) -> str:
    """Return a SHA-256 over names, shapes and float32 values, whatever the file's layout."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name], dtype="<f4")
        digest.update(f"{name}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()


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
