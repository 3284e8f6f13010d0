from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

from relicheck.pretrain.optimizers import decayed, make_optimizer


@pytest.fixture
def params():
    return {
        "conv1": {"kernel": jnp.array([[3.0, 4.0]])},
        "bn1": {"scale": jnp.array([2.0]), "bias": jnp.array([1.0])},
    }


def updates_of(config, params, gradients, steps):
    """Run the optimiser at a constant place and return the last update."""
    optimizer = make_optimizer(config, total_steps=1000, steps_per_epoch=1.0)
    state = optimizer.init(params)
    for _ in range(steps):
        updates, state = optimizer.update(gradients, state, params)
    return updates


def test_only_kernels_are_decayed_and_adapted(params):
    assert decayed(params) == {"conv1": {"kernel": True}, "bn1": {"scale": False, "bias": False}}


def test_lars_follows_you_et_al_by_hand(tiny_config, params):
    config = replace(
        tiny_config,
        optimizer="lars",
        batch_size=256,
        base_learning_rate=0.5,
        warmup_epochs=0,
        weight_decay=0.1,
        trust_coefficient=0.01,
    )
    gradients = {
        "conv1": {"kernel": jnp.array([[1.0, 0.0]])},
        "bn1": {"scale": jnp.array([1.0]), "bias": jnp.array([1.0])},
    }

    updates = updates_of(config, params, gradients, steps=1)

    # Kernel: g + 0.1 w = (1.3, 0.4), of length 1.3601; |w| = 5; trust 0.01 * 5 / 1.3601.
    expected = -0.5 * 0.01 * 5 / np.hypot(1.3, 0.4) * np.array([[1.3, 0.4]])
    assert updates["conv1"]["kernel"] == pytest.approx(expected, rel=1e-5)
    # BatchNorm: plain momentum SGD, neither decayed nor adapted.
    assert updates["bn1"]["scale"] == pytest.approx([-0.5])
    assert updates["bn1"]["bias"] == pytest.approx([-0.5])


@pytest.mark.parametrize("optimizer", ["lars", "sgd", "adamw"])
def test_no_optimizer_decays_biases_or_batch_norm(tiny_config, params, optimizer):
    config = replace(
        tiny_config, optimizer=optimizer, batch_size=256, warmup_epochs=0, weight_decay=0.1
    )
    nothing = {
        "conv1": {"kernel": jnp.zeros((1, 2))},
        "bn1": {"scale": jnp.zeros(1), "bias": jnp.zeros(1)},
    }

    updates = updates_of(config, params, nothing, steps=1)

    assert np.abs(updates["conv1"]["kernel"]).min() > 0
    assert updates["bn1"]["scale"] == 0
    assert updates["bn1"]["bias"] == 0


def test_the_learning_rate_scales_with_the_batch(tiny_config):
    # SimCLR, Sec. 2.3: 0.3 * 4096 / 256 = 4.8.
    config = replace(tiny_config, optimizer="lars", base_learning_rate=0.3, batch_size=4096)

    assert config.learning_rate == pytest.approx(4.8)
