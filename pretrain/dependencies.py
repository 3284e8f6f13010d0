"""Whether pretraining's libraries are there."""

from importlib.util import find_spec

from ..checkpoints.errors import MissingDependency


def check_dependencies() -> None:
    """Return if JAX, Flax and Optax can be imported.

    Raises:
        MissingDependency: one is absent; the message names the extra that brings it.
    """
    for library in ("jax", "flax", "optax"):
        if find_spec(library) is None:
            raise MissingDependency(library, "pretrain", "pretraining")
