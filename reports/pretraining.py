"""From a recipe's name and a data set's name to a checkpoint: where pretraining meets data."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..checkpoints.common import read_manifest
from ..checkpoints.manifest import Manifest
from ..checkpoints.progress import track
from ..checkpoints.spec import Preprocessing

if TYPE_CHECKING:
    from ..evaluations.image_source import ImageSource
    from ..pretrain.config import PretrainConfig, Recipe

_RANDOM = "random"
_CHUNK = 256  # images


def run_recipe(
    recipe: str,
    method: str | None,
    output: Path,
    *,
    data: str | None = None,
    data_root: Path | None = None,
    assignments: Sequence[str] = (),
    seed: int | None = None,
) -> Manifest:
    """Return the manifest of the checkpoint that `recipe` makes, written to `output`.

    Args:
        recipe: a name of pretrain/configs. method: one of the recipe's, or `random` for
            the untrained network. data: a data set's name or a folder; None: the
            recipe's own. assignments: key=value for the config. seed: None: the config's.

    Raises:
        UnknownName: no such recipe, method, key or data set.
        ModuleNotFoundError: JAX is not installed.
    """
    from ..evaluations.dataset import open_split
    from ..pretrain import recipes

    chosen = recipes.load(recipe)
    config = _config(chosen, method, assignments, seed)
    source = open_split(data or chosen.data, "train", data_root)
    images = load_images(source, config.preprocessing)
    command = _command(recipe, method, data, assignments, config.seed)
    if method == _RANDOM:
        from ..pretrain.baseline import random_backbone

        return read_manifest(random_backbone(config, images, output, command))
    from ..pretrain.train import pretrain

    return read_manifest(pretrain(config, images, source.labels, output, source=command))


def load_images(source: "ImageSource", preprocessing: Preprocessing) -> np.ndarray:
    """Return all images of `source` as evaluation crops them, [images, side, side, 3] uint8."""
    from ..evaluations.preprocess import crops

    starts = track(range(0, len(source), _CHUNK), f"reading {source.name}")
    parts = [
        crops(source, range(start, min(start + _CHUNK, len(source))), preprocessing)
        for start in starts
    ]
    return np.concatenate(parts)


def _config(
    recipe: "Recipe", method: str | None, assignments: Sequence[str], seed: int | None
) -> "PretrainConfig":
    from ..pretrain.override import override

    # The untrained network is the same under every method of a recipe.
    config = recipe.config(next(iter(recipe.configs)) if method == _RANDOM else method)
    config = override(config, assignments)
    return config if seed is None else replace(config, seed=seed)


def _command(
    recipe: str, method: str | None, data: str | None, assignments: Sequence[str], seed: int
) -> str:
    words = ["relicheck", "pretrain", recipe]
    words += ["--method", method] if method else []
    words += ["--data", data] if data else []
    words += [word for assignment in assignments for word in ("--set", assignment)]
    return shlex.join([*words, "--seed", str(seed)])
