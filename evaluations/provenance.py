"""Where a number came from: code, packages, machine."""

import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent.parent
# What a measurement passes through; pretraining and reports cannot change it.
_CODE = ("checkpoints", "evaluations")
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "torch", "pillow", "pandas", "safetensors")
_CPU_INFO = Path("/proc/cpuinfo")


@cache
def code_sha256() -> str:
    """Return a SHA-256 over the modules that measure, by relative name and content."""
    files = [file for folder in _CODE for file in (_PACKAGE / folder).rglob("*")]
    files = [file for file in files if file.suffix in (".py", ".csv", ".toml")]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0")
        digest.update(file.read_bytes() + b"\0")
    return digest.hexdigest()


@cache
def environment() -> dict[str, Any]:
    """Return versions, platform, device, threads, and the commit with its dirty flag."""
    import torch

    from .. import __version__

    return {
        "relicheck": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": platform.machine(),
        "cpu": _cpu(),
        "device": device_name(),
        "cuda": torch.version.cuda if device() == "cuda" else None,
        "cudnn": _cudnn() if device() == "cuda" else None,
        "threads": torch.get_num_threads(),
        "libjpeg": _jpeg(),
        **{library: _version(library) for library in _LIBRARIES},
        **_commit(),
    }


def device() -> str:
    """Return the torch device evaluations run on: cuda where there is one, else cpu."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def device_name() -> str:
    """Return the device as people call it."""
    import torch

    return torch.cuda.get_device_name() if device() == "cuda" else "cpu"


def _cudnn() -> int | None:
    import torch

    version: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return version


def _cpu() -> str | None:
    """Return the processor as its maker calls it: vector units round differently."""
    try:
        lines = _CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or None
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else None


def _jpeg() -> str | None:
    """Return the version of the JPEG decoder: two of them differ in single pixels."""
    try:
        from PIL import features
    except ModuleNotFoundError:
        return None
    found = features.version("jpg")
    return None if found is None else str(found)


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> dict[str, Any]:
    # Installed from a wheel there is no checkout, and a parent's is not ours.
    if not (_PACKAGE / ".git").exists():
        return {"commit": None, "dirty": None}
    head = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain")
    return {"commit": head or None, "dirty": None if changes is None else bool(changes)}


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(_PACKAGE), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
