"""The state of a run, and its file: plain arrays, written whole or not at all."""

from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from ..checkpoints.errors import BadCheckpoint, UsageError
from ..checkpoints.files import atomic_path
from ..checkpoints.manifest import Manifest

Tree = Any  # nested dictionaries of arrays, as Flax keeps parameters


class TrainState(NamedTuple):
    """All that a step reads and writes."""

    params: Tree  # of the online network
    batch_stats: Tree  # its running means and variances
    target: Tree  # the EMA's parameters; empty for methods without a target network
    optimizer: Tree


def state_path(output: Path) -> Path:
    """Return where an unfinished run for `output` keeps its state."""
    return output.with_name(f"{output.name}.state")


def save_state(
    path: Path, state: TrainState, step: int, loss: float, run: str, manifest: Manifest
) -> None:
    """Write `state` after `step` steps, the last of loss `loss`, of the run of digest `run`.

    Arrays are called by their place (`params/backbone/conv1/kernel`), and the manifest of what
    the run will be is beside them: so the file can be converted (formats/flax_resnet.py).
    """
    from safetensors.numpy import save_file

    leaves, _ = jax.tree.flatten(state)
    arrays = {n: np.asarray(leaf) for n, leaf in zip(_names(state), leaves, strict=True)}
    facts = {"run": run, "step": str(step), "loss": loss.hex(), "manifest": manifest.to_json()}
    with atomic_path(path) as temporary:
        save_file(arrays, temporary, metadata=facts)


def _names(state: TrainState) -> list[str]:
    paths, _ = jax.tree_util.tree_flatten_with_path(state)
    return [jax.tree_util.keystr(path, simple=True, separator="/") for path, _ in paths]


def load_state(path: Path, template: TrainState, run: str) -> tuple[TrainState, int, float]:
    """Return the state in `path`, the number of steps it has taken, and the last loss.

    Args:
        path: where `save_state` wrote. template: a state of the same run; gives structure,
            shapes and dtypes. run: the digest it must have.

    Raises:
        BadCheckpoint: not a state file, or not of this network.
        UsageError: of another run.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            facts = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise BadCheckpoint(
            path, f"cannot be read ({error})", "the state of a run", "Delete it to start again."
        ) from error
    if facts.get("run") != run:
        raise UsageError(
            path,
            "an unfinished run with another config, seed or images",
            "the run that was asked for",
            "Name another --output, repeat the earlier command, or delete the file.",
        )
    leaves, structure = jax.tree.flatten(template)
    loaded = [arrays.get(name) for name in _names(template)]
    if len(arrays) != len(leaves) or any(
        a is None or a.shape != leaf.shape or a.dtype != leaf.dtype
        for a, leaf in zip(loaded, leaves, strict=True)
    ):
        raise BadCheckpoint(
            path, "its arrays do not fit the network", todo="Delete it to start again."
        )
    state = jax.tree.unflatten(structure, [jnp.asarray(a) for a in loaded])
    return state, int(facts["step"]), float.fromhex(facts["loss"])
