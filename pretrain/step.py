"""One training step: both networks, loss, gradient, target average."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax import Array

from .feed import Feed
from .heads import Network
from .initial import target_part
from .losses import unit
from .method import Outputs
from .schedules import target_decay
from .state import TrainState, Tree

Facts = dict[str, Array]  # scalars of one step by name: loss, spread, the loss's terms, ...
# (state, what lies on the device, batch, number of the step) -> (state, facts)
Step = Callable[[TrainState, Tree, Tree, Array], tuple[TrainState, Facts]]


def apply_views(
    apply: Callable[[Array], tuple[Array, Tree]], views: list[Array], joint: bool
) -> tuple[Array, Tree]:
    """Return outputs [views, batch, dim] and the batch statistics averaged over views.

    Views of one side go through the network in one trace. `joint`: one BatchNorm batch
    over all of them (SimCLR); otherwise one per view (BYOL).
    """
    groups: dict[int, list[Array]] = {}
    for view in views:
        groups.setdefault(view.shape[1], []).append(view)
    outputs, statistics = [], []
    for group in groups.values():
        stacked = jnp.stack(group)
        if joint:
            out, stats = apply(stacked.reshape(-1, *stacked.shape[2:]))
            out = out.reshape(len(group), -1, out.shape[-1])
            stats = jax.tree.map(lambda leaf: leaf[None], stats)
        else:
            out, stats = jax.vmap(apply)(stacked)
        outputs.append(out)
        statistics.append(stats)
    averaged = jax.tree.map(lambda *leaves: jnp.concatenate(leaves).mean(axis=0), *statistics)
    return jnp.concatenate(outputs), averaged


def make_step(
    network: Network, optimizer: optax.GradientTransformation, feed: Feed, total_steps: int
) -> Step:
    """Return the training step of a run of `total_steps`, a pure function to be compiled."""
    config, method = network.config, network.method

    def online(params: Tree, batch_stats: Tree, views: list[Array]) -> tuple[Array, Tree]:
        def apply(images: Array) -> tuple[Array, Tree]:
            variables = {"params": params, "batch_stats": batch_stats}
            out, new = network.apply(variables, images, train=True, mutable=["batch_stats"])
            return out, new["batch_stats"]

        return apply_views(apply, views, method.joint_batch_norm)

    def target(state: TrainState, views: list[Array]) -> Array | None:
        def apply(images: Array) -> tuple[Array, Tree]:
            # In training mode, as in BYOL's code: the running statistics are not read.
            variables = {"params": state.target, "batch_stats": target_part(state.batch_stats)}
            out, _ = network.apply(
                variables, images, train=True, mutable=["batch_stats"], method="project"
            )
            return out, {}

        if not method.has_target:
            return None
        return apply_views(apply, views[: len(config.views)], method.joint_batch_norm)[0]

    def step(state: TrainState, kept: Tree, batch: Tree, number: Array) -> tuple[TrainState, Facts]:
        key = jax.random.fold_in(jax.random.key(config.seed), number)
        view_key, loss_key = jax.random.split(key)
        views, labels = feed.views(view_key, kept, batch, config, method)
        targets = target(state, views)

        def objective(params: Tree) -> tuple[Array, tuple[Facts, Tree]]:
            outputs, batch_stats = online(params, state.batch_stats, views)
            loss, terms = method.loss(Outputs(outputs, targets, labels), config, loss_key)
            return loss, ({"loss": loss, "spread": spread(outputs[0]), **terms}, batch_stats)

        gradients, (facts, batch_stats) = jax.grad(objective, has_aux=True)(state.params)
        updates, opt_state = optimizer.update(gradients, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        tau = target_decay(number, total_steps, config.target_decay)
        facts["target_decay"] = tau
        average = state.target
        if method.has_target:
            average = moving_average(state.target, target_part(params), tau)
        return TrainState(params, batch_stats, average, opt_state), facts

    return step


def moving_average(target: Tree, online: Tree, tau: Array) -> Tree:
    """Return tau * target + (1 - tau) * online, leaf by leaf. BYOL (arXiv:2006.07733), Eq. 1."""
    return jax.tree.map(lambda t, o: tau * t + (1 - tau) * o, target, online)


def spread(vectors: Array) -> Array:
    """Return how far the directions of [batch, dim] vectors lie apart: 0 for one, at most 1.

    The root of the summed variance of the vectors scaled to length 1: 0 is a collapse.
    """
    return jnp.sqrt(unit(vectors).var(axis=0).sum())
