"""What identifies a run, and the file that a finished one leaves."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..checkpoints.common import is_common, read_manifest, write_checkpoint
from ..checkpoints.errors import UsageError
from ..checkpoints.manifest import Manifest
from .config import PretrainConfig
from .export import to_canonical

LICENCE = "Apache-2.0"  # of weights made here; the images' terms are theirs


def training_facts(config: PretrainConfig, data_sha256: str, images: int) -> dict[str, Any]:
    """Return what identifies a run, for the manifest: config, images, and a digest of both."""
    facts = {
        "config": asdict(config),
        "config_sha256": config.digest,
        "data_sha256": data_sha256,
        "images": images,
        "seed": config.seed,
        "epochs": config.epochs,
    }
    return {**facts, "run_sha256": f"{config.digest[:32]}{data_sha256[:32]}"}


def is_finished(output: Path, facts: Mapping[str, Any]) -> bool:
    """Return whether `output` already holds this run.

    Raises:
        UsageError: it holds something else.
    """
    if not output.exists():
        return False
    training = (read_manifest(output).training or {}) if is_common(output) else {}
    if training.get("run_sha256") != facts["run_sha256"]:
        raise UsageError(
            output,
            "exists and is not this run: another config, seed or images",
            "a new file, or the finished run itself",
            "Name another --output or delete the file.",
        )
    return True


def write(
    output: Path,
    config: PretrainConfig,
    backbone: Mapping[str, Any],
    facts: Mapping[str, Any],
    method: str,
    source: str,
) -> None:
    """Write the backbone's variables to `output` in the common format."""
    manifest = manifest_of(config, method, facts, source)
    write_checkpoint(output, to_canonical(backbone, config.spec), manifest)


def manifest_of(
    config: PretrainConfig, method: str, facts: Mapping[str, Any], source: str = ""
) -> Manifest:
    """Return the manifest of a backbone that `method` trained as `config` says."""
    return Manifest(
        spec=config.spec,
        preprocessing=config.preprocessing,
        method=method,
        source=source or f"relicheck pretrain, method {method}, seed {config.seed}",
        licence=LICENCE,
        training=facts,
    )
