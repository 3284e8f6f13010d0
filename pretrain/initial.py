"""The weights a run starts from, drawn in NumPy.

Flax's own initialisers would compile a program of their own, ten seconds for a small
ResNet on two cores; and NumPy's generator gives the same start under every version of
JAX and on every device.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from .heads import Network
from .state import TrainState, Tree

# Standard deviation of a unit normal cut at two: dividing restores a deviation of 1.
_TRUNCATED_STD = 0.87962566103423978


def initial_state(network: Network, optimizer: optax.GradientTransformation) -> TrainState:
    """Return the state before the first step; `config.seed` decides every value."""
    variables = initial_variables(network)
    params = variables["params"]
    # A copy: the step gives the memory of both away.
    target = jax.tree.map(jnp.array, target_part(params)) if network.method.has_target else {}
    return TrainState(params, variables["batch_stats"], target, optimizer.init(params))


def target_part(variables: Tree) -> Tree:
    """Return what the target network copies: backbone and projector, no predictor."""
    return {name: variables[name] for name in ("backbone", "projector")}


def initial_variables(network: Network) -> dict[str, Tree]:
    """Return Flax's {"params", "batch_stats"} of `network`.

    Kernels: truncated normal of variance 1 / fan-in, the default of Haiku, with which
    BYOL's and ReLICv2's networks were made. BatchNorm: 1 and 0; biases: 0. With
    `zero_init_last_gamma` the last BatchNorm of every block starts at 0 (Goyal et al.,
    arXiv:1706.02677, Sec. 5.1).
    """
    config = network.config
    side = config.views[0].side
    shapes = jax.eval_shape(
        lambda key: network.init(key, jnp.zeros((2, side, side, 3)), train=True), jax.random.key(0)
    )
    random = np.random.default_rng(config.seed)
    last = f"bn{3 if config.spec.bottleneck else 2}" if config.zero_init_last_gamma else None

    def leaf(path: tuple[Any, ...], shape: jax.ShapeDtypeStruct) -> jax.Array:
        *_, module, name = (entry.key for entry in path)
        if name == "kernel":
            return jnp.asarray(_truncated_normal(random, shape.shape))
        in_block = any(entry.key.startswith("layer") for entry in path)
        zero = name == "scale" and module == last and in_block
        value = 1.0 if name in ("scale", "var") and not zero else 0.0
        # jnp.full would make a weakly typed array, and each of those costs a compilation.
        return jnp.asarray(np.full(shape.shape, value, dtype=np.float32))

    return dict(jax.tree_util.tree_map_with_path(leaf, shapes))


def _truncated_normal(random: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Return normals cut at two deviations, of variance 1 / fan-in, the last axis being output."""
    values = random.standard_normal(shape)
    while (outside := np.abs(values) > 2).any():
        values[outside] = random.standard_normal(int(outside.sum()))
    fan_in = int(np.prod(shape[:-1]))
    return np.asarray(values / _TRUNCATED_STD / np.sqrt(fan_in), dtype=np.float32)
