"""Conversion: read -> fill the template -> prove -> write."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from . import formats
from .common import Tensors, is_common, read_checkpoint, write_checkpoint
from .errors import BadCheckpoint, MissingData
from .files import sha256_of_file
from .format import Upstream
from .manifest import Manifest
from .resnet import ResNet
from .zoo import published_with


def detect_format(path: Path) -> str:
    """Return the name of the format whose files look like this one.

    Raises:
        MissingData: there is no such file.
        BadCheckpoint: none, or more than one.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingData(path, "there is no such file", "a checkpoint")
    matching = [name for name in formats.names() if formats.load(name).matches(path)]
    if len(matching) == 1:
        return matching[0]
    if not matching:
        _explain_unreadable(path)
        raise BadCheckpoint(
            path,
            "its tensors are not those of a ResNet in a known format",
            " or ".join(formats.names()),
            "relicheck list formats says what each looks like.",
        )
    raise BadCheckpoint(
        path, f"looks like {' and '.join(matching)}", "one format", "Name it with --format."
    )


def _explain_unreadable(path: Path) -> None:
    # No format took it. If that is because the bytes cannot be read at all, the reader's
    # own message says more than "no known format".
    from .torch_file import read_torch_file

    read_torch_file(path)


def read_any(
    path: Path, format_name: str | None = None, facts: Mapping[str, str] | None = None
) -> tuple[Tensors, Manifest]:
    """Return canonical tensors and manifest of a file in any known format.

    Args:
        facts: method, source and licence, where the caller knows better than the file.

    Raises:
        MissingData, BadCheckpoint, ParameterMismatch, UnknownName: with the reason.
    """
    path = Path(path)
    if format_name is None and path.is_file() and is_common(path):
        return read_checkpoint(path)
    name = format_name or detect_format(path)
    upstream = formats.load(name).read(path)
    manifest = _manifest(path, name, upstream, facts or {})
    manifest.check_tensors({n: t.shape for n, t in upstream.tensors.items()}, path)
    tensors = {n: np.asarray(t, dtype=np.float32) for n, t in upstream.tensors.items()}
    return tensors, manifest


def _manifest(path: Path, name: str, upstream: Upstream, facts: Mapping[str, str]) -> Manifest:
    sha256 = sha256_of_file(path)
    manifest = Manifest(
        spec=upstream.spec,
        preprocessing=upstream.preprocessing,
        method="unstated",
        source=path.name,
        licence="unstated: ask the authors",
        source_sha256=sha256,
        classes=upstream.classes,
        training={
            "format": name,
            "stored": dict(upstream.stored or {}),
            "dropped": list(upstream.dropped),
        },
    )
    # A file we know by its hash is what its authors say it is, whatever it is called here.
    published = published_with(sha256)
    manifest = published.complete(manifest) if published else manifest
    return replace(
        manifest,
        method=facts.get("method", manifest.method),
        source=facts.get("source", manifest.source),
        licence=facts.get("licence", manifest.licence),
    )


def convert(
    path: Path,
    output: Path,
    format_name: str | None = None,
    facts: Mapping[str, str] | None = None,
) -> Manifest:
    """Write the checkpoint in `path` to `output` in the common format; return its manifest.

    Raises:
        BadCheckpoint: what was written, read back, is not the function that was read.
    """
    tensors, manifest = read_any(path, format_name, facts)
    write_checkpoint(Path(output), tensors, manifest)
    try:
        _prove(tensors, manifest, Path(output))
    except BaseException:
        Path(output).unlink(missing_ok=True)
        raise
    return manifest


def _prove(tensors: Tensors, manifest: Manifest, written: Path) -> None:
    import torch

    again, _ = read_checkpoint(written)
    size = manifest.preprocessing.image_size
    images = torch.randn((2, 3, size, size), generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        before = build(tensors, manifest).stages(images)
        after = build(again, manifest).stages(images)
    for stage, (one, other) in enumerate(zip(before, after, strict=True)):
        if not torch.equal(one, other):
            raise BadCheckpoint(written, f"stage {stage} differs after writing and reading back")
    if not all(torch.isfinite(one).all() for one in before):
        raise BadCheckpoint(written, "the network's activations are not finite on a random image")


def build(tensors: Mapping[str, np.ndarray], manifest: Manifest) -> ResNet:
    """Return the network of `manifest` with these weights, in evaluation mode."""
    network = ResNet(manifest.spec, manifest.classes).fill(tensors).eval()
    network.manifest = manifest
    return network
