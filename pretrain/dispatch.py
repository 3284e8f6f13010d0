"""Steps on the device: compiled once, several in one call, the old state's memory used again."""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from .feed import Feed
from .state import TrainState, Tree
from .step import Step

# (state, number of the first step, one batch a step) -> (state, facts: [steps] arrays by name)
Dispatch = Callable[[TrainState, int, Sequence[Tree]], tuple[TrainState, dict[str, np.ndarray]]]


def make_dispatch(step: Step, feed: Feed) -> Dispatch:
    """Return what takes one or more steps in one compiled call."""
    kept = feed.on_device()
    compiled = jax.jit(step, donate_argnums=0)

    def dispatch(
        state: TrainState, first: int, batches: Sequence[Tree]
    ) -> tuple[TrainState, dict[str, np.ndarray]]:
        collected = []
        for number, batch in enumerate(batches, start=first):
            state, facts = compiled(
                state, kept, jax.tree.map(jnp.asarray, batch), jnp.asarray(number, jnp.int32)
            )
            collected.append(facts)
        return state, {
            name: np.array([facts[name] for facts in collected], dtype=np.float32)
            for name in collected[0]
        }

    return dispatch
