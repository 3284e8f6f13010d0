"""Folders as model hubs keep them: config.json beside one file of weights."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..container import Container, open_checkpoint
from ..errors import BadCheckpoint

WEIGHTS = ("model.safetensors", "pytorch_model.bin")  # in the order in which they are looked for
_TEXTS = ("config", "preprocessor_config")  # .json
_LARGEST_TEXT = 16_000_000  # bytes


def is_hub_folder(path: Path, head: bytes) -> bool:
    """Return whether `path` is a folder with a config.json and weights."""
    if not (path.is_dir() and (path / "config.json").is_file()):
        return False
    return any((path / f"{name}{end}").is_file() for name in WEIGHTS for end in ("", ".index.json"))


def read_hub_folder(path: Path) -> Mapping[str, Any]:
    """Return the tree of the weights, with `config` and `preprocessor_config` beside it.

    Raises:
        BadCheckpoint: the weights are in several files, or a file cannot be read.
    """
    weights = next((path / name for name in WEIGHTS if (path / name).is_file()), None)
    if weights is None:
        raise BadCheckpoint(path, "its weights are in several files", f"one {' or '.join(WEIGHTS)}")
    texts = {name: read_json(path / f"{name}.json") for name in _TEXTS}
    return {**open_checkpoint(weights).tree, **{n: t for n, t in texts.items() if t}}


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file, {} where there is no such file.

    Raises:
        BadCheckpoint: it is not a JSON object of reasonable size.
    """
    if not path.is_file():
        return {}
    try:
        if path.stat().st_size > _LARGEST_TEXT:
            raise ValueError(f"{path.stat().st_size} bytes")
        content = json.loads(path.read_text(encoding="utf-8"))
    # RecursionError: JSON nested without end.
    except (OSError, ValueError, RecursionError) as error:
        raise BadCheckpoint(path, f"cannot be read ({error})", "a JSON object") from error
    if not isinstance(content, dict):
        raise BadCheckpoint(path, f"holds a {type(content).__name__}", "a JSON object")
    return content


CONTAINER = Container(
    matches=is_hub_folder,
    open=read_hub_folder,
    description="a model hub's folder (config.json and model.safetensors)",
    source="huggingface/huggingface_hub: src/huggingface_hub/constants.py",
)
