"""One training step: views, both networks, loss, gradient, target average."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax
from jax import Array

from .config import PretrainConfig
from .heads import Network
from .initial import target_part
from .losses import unit
from .method import Method, Outputs
from .schedules import target_decay
from .state import TrainState, Tree
from .views import normalise, render

# (state, images, masks, labels, step number) -> (state, [loss, spread of the outputs])
Step = Callable[[TrainState, Array, Array, Array, Array], tuple[TrainState, Array]]


def draw_views(
    key: Array, images: Array, masks: Array, config: PretrainConfig, method: Method
) -> list[Array]:
    """Return every view, large ones first: a list of [batch, side, side, 3], normalised.

    ReLICv2 (arXiv:2201.05119), pseudo-code: each large crop comes from the image without
    its background with probability p_m. With `carry_mask` the removal stays for the later
    crops, as the listing's reused variable has it.

    Args:
        images: [batch, height, width, 3] uint8. masks: [batch, height, width] booleans.
    """
    source = images.astype(jnp.float32) / 255
    views = []
    for index, settings in enumerate((*config.views, *config.small_views)):
        view_key, mask_key = jax.random.split(jax.random.fold_in(key, index))
        picked = source
        if method.has_masks and config.mask_probability and index < len(config.views):
            removed = jax.random.bernoulli(mask_key, config.mask_probability, (len(images), 1, 1))
            keep = (masks | ~removed)[..., None]
            picked = jnp.where(keep, source, config.background)
            source = picked if config.carry_mask else source
        views.append(normalise(render(view_key, picked, settings), config.preprocessing))
    return views


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


def make_step(network: Network, optimizer: optax.GradientTransformation, total_steps: int) -> Step:
    """Return the compiled training step of a run of `total_steps`."""
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

    def step(
        state: TrainState, images: Array, masks: Array, labels: Array, number: Array
    ) -> tuple[TrainState, Array]:
        key = jax.random.fold_in(jax.random.key(config.seed), number)
        view_key, loss_key = jax.random.split(key)
        views = draw_views(view_key, images, masks, config, method)
        targets = target(state, views)

        def objective(params: Tree) -> tuple[Array, tuple[Array, Tree]]:
            outputs, batch_stats = online(params, state.batch_stats, views)
            loss = method.loss(Outputs(outputs, targets, labels), config, loss_key)
            return loss, (jnp.stack([loss, spread(outputs[0])]), batch_stats)

        gradients, (facts, batch_stats) = jax.grad(objective, has_aux=True)(state.params)
        updates, opt_state = optimizer.update(gradients, state.optimizer, state.params)
        params = optax.apply_updates(state.params, updates)
        tau = target_decay(number, total_steps, config.target_decay)
        average = state.target
        if method.has_target:
            average = moving_average(state.target, target_part(params), tau)
        return TrainState(params, batch_stats, average, opt_state), facts

    return jax.jit(step)


def moving_average(target: Tree, online: Tree, tau: Array) -> Tree:
    """Return tau * target + (1 - tau) * online, leaf by leaf. BYOL (arXiv:2006.07733), Eq. 1."""
    return jax.tree.map(lambda t, o: tau * t + (1 - tau) * o, target, online)


def spread(vectors: Array) -> Array:
    """Return how far the directions of [batch, dim] vectors lie apart: 0 for one, at most 1.

    The root of the summed variance of the vectors scaled to length 1: 0 is a collapse.
    """
    return jnp.sqrt(unit(vectors).var(axis=0).sum())
