"""Targets, masks, BatchNorm batches and the order of images."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relicheck.pretrain import methods
from relicheck.pretrain.heads import Network
from relicheck.pretrain.initial import initial_state, initial_variables
from relicheck.pretrain.inputs import batch_indices, total_steps
from relicheck.pretrain.optimizers import make_optimizer
from relicheck.pretrain.resident import Resident, draw_views
from relicheck.pretrain.step import apply_views, make_step, moving_average, spread


def test_the_moving_average_by_hand():
    average = moving_average({"w": jnp.array([1.0])}, {"w": jnp.array([3.0])}, jnp.array(0.75))

    # 0.75 * 1 + 0.25 * 3
    assert average["w"] == pytest.approx([1.5])


def test_a_step_moves_the_target_by_the_schedule_towards_the_new_online_weights(
    tiny_config, tiny_images
):
    network = Network(tiny_config, methods.load("byol"), 3)
    optimizer = make_optimizer(tiny_config, 6, 3.0)
    before = initial_state(network, optimizer)
    feed = Resident(*tiny_images, tiny_config)
    step = jax.jit(make_step(network, optimizer, feed, total_steps=6))

    after, _ = step(before, feed.on_device(), next(feed.batches(3, 4)), jnp.asarray(3))

    # Step 3 of 6: cos(pi / 2) = 0, so tau = 1 - 0.5 * 1/2 = 0.75.
    old = before.target["backbone"]["conv1"]["kernel"]
    new = after.params["backbone"]["conv1"]["kernel"]
    assert np.abs(new - old).max() > 1e-5
    assert after.target["backbone"]["conv1"]["kernel"] == pytest.approx(
        np.asarray(0.75 * old + 0.25 * new), abs=1e-7
    )
    assert "predictor" not in after.target


def test_a_target_starts_as_a_copy_and_simclr_has_none(tiny_config):
    states = {}
    for name in ("byol", "simclr"):
        config = replace(tiny_config, method=name)
        network = Network(config, methods.load(name), 3)
        states[name] = initial_state(network, make_optimizer(config, 6, 3.0))

    byol = states["byol"]
    assert states["simclr"].target == {}
    assert set(byol.target) == {"backbone", "projector"}
    same = jax.tree.map(np.array_equal, byol.target, {k: byol.params[k] for k in byol.target})
    assert all(jax.tree.leaves(same))


def test_kernels_start_with_variance_one_over_fan_in(tiny_config):
    wide = replace(tiny_config, spec=replace(tiny_config.spec, width_multiplier=0.5))
    params = initial_variables(Network(wide, methods.load("byol"), 3))["params"]

    kernel = np.asarray(params["backbone"]["layer4_1"]["conv2"]["kernel"])

    # 3 * 3 * 256 inputs; half a million values estimate the variance to 0.3 %.
    assert kernel.var() * 3 * 3 * 256 == pytest.approx(1, rel=0.01)
    assert np.abs(kernel).max() * np.sqrt(3 * 3 * 256) < 2 / 0.879


@pytest.mark.parametrize("zero", [False, True])
def test_zero_init_touches_the_last_gamma_of_every_block_and_no_other(tiny_config, zero):
    config = replace(tiny_config, zero_init_last_gamma=zero)
    backbone = initial_variables(Network(config, methods.load("byol"), 3))["params"]["backbone"]

    assert backbone["layer3_1"]["bn2"]["scale"].max() == (0 if zero else 1)
    assert backbone["layer3_1"]["bn1"]["scale"].min() == 1
    assert backbone["bn1"]["scale"].min() == 1


@pytest.fixture
def masked(tiny_config):
    """Two equal large views and one small one, each the whole image, backgrounds removed."""
    whole = replace(
        tiny_config.views[0],
        area=(1.0, 1.0),
        aspect=(1.0, 1.0),
        flip_probability=0.0,
        jitter_probability=0.0,
        blur_probability=0.0,
    )
    return replace(
        tiny_config,
        method="relicv2",
        views=(whole, whole),
        small_views=(whole,),
        mask_probability=1.0,
        background=0.5,
        preprocessing=replace(tiny_config.preprocessing, mean=(0.0,) * 3, std=(1.0,) * 3),
    )


@pytest.mark.parametrize("carry", [False, True])
def test_backgrounds_are_removed_from_large_crops_and_carried_on_only_if_asked(masked, carry):
    images = jnp.full((4, 8, 8, 3), 255, dtype=jnp.uint8)
    masks = jnp.zeros((4, 8, 8), dtype=bool).at[:, 2:6, 2:6].set(True)
    config = replace(masked, carry_mask=carry)

    first, second, small = draw_views(
        jax.random.key(0), images, masks, config, methods.load("relicv2")
    )

    for large in (first, second):
        assert large[0, 0, 0] == pytest.approx([0.5] * 3)
        assert large[0, 3, 3] == pytest.approx([1.0] * 3)
    assert small[0, 0, 0] == pytest.approx([0.5 if carry else 1.0] * 3)


def test_other_methods_never_lose_their_background(masked):
    images = jnp.full((4, 8, 8, 3), 255, dtype=jnp.uint8)
    config = replace(masked, small_views=(), method="byol")

    views = draw_views(
        jax.random.key(0), images, jnp.zeros((4, 8, 8), bool), config, methods.load("byol")
    )

    assert all(view.min() == 1 for view in views)


@pytest.mark.parametrize("joint", [True, False])
def test_views_share_a_batch_norm_batch_only_when_joint(joint):
    views = [jnp.zeros((2, 4, 4, 3)), jnp.ones((2, 4, 4, 3))]

    def centred(images):
        return images.mean(axis=(1, 2)) - images.mean(), {"mean": images.mean()}

    outputs, statistics = apply_views(centred, views, joint)

    # Together the batch's mean is 1/2; apart each view is its own mean.
    assert outputs[0] == pytest.approx(np.full((2, 3), -0.5 if joint else 0.0))
    assert statistics["mean"] == pytest.approx(0.5)


def test_views_keep_their_order_when_sides_differ():
    views = [jnp.full((2, side, side, 3), float(n)) for n, side in enumerate((4, 4, 2))]

    outputs, _ = apply_views(lambda x: (x.mean(axis=(1, 2)), {}), views, joint=False)

    assert outputs[:, 0, 0].tolist() == [0, 1, 2]


def test_every_image_comes_once_per_epoch_whatever_the_batch(tiny_config):
    config = replace(tiny_config, batch_size=5, epochs=5)
    steps = total_steps(12, config)

    seen = np.concatenate([batch_indices(step, 12, config) for step in range(steps)])

    assert steps == 12
    for epoch in range(5):
        assert sorted(seen[12 * epoch : 12 * (epoch + 1)]) == list(range(12))


def test_epochs_and_seeds_have_orders_of_their_own(tiny_config):
    first, second = (batch_indices(step, 4, tiny_config).tolist() for step in (0, 1))
    orders = {
        tuple(batch_indices(0, 100, replace(tiny_config, batch_size=100, seed=s))) for s in range(5)
    }

    assert sorted(first) == sorted(second) == [0, 1, 2, 3]
    assert len(orders) == 5


def test_spread_is_zero_at_one_point_and_one_at_opposite_poles():
    assert spread(jnp.ones((5, 3))) == pytest.approx(0, abs=1e-3)
    assert spread(jnp.array([[1.0, 0.0], [-7.0, 0.0]])) == pytest.approx(1)
