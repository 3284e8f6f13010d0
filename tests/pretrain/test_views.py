import colorsys
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relicheck.pretrain import views as module
from relicheck.pretrain.colour import adjust_hue_saturation, to_grayscale
from relicheck.pretrain.config import ViewSettings
from relicheck.pretrain.configs.imagenet import VIEWS
from relicheck.pretrain.views import colour_jitter, crop_and_resize, random_blur

# Compiled as in training; eagerly, every operation would be a program of its own.
render = jax.jit(module.render, static_argnames="settings")

IDENTITY = ViewSettings(
    side=16,
    area=(1.0, 1.0),
    aspect=(1.0, 1.0),
    flip_probability=0.0,
    jitter_probability=0.0,
    grayscale_probability=0.0,
    blur_probability=0.0,
)


@pytest.fixture
def images():
    """Four random images [4, 16, 16, 3] in [0, 1]."""
    return jnp.asarray(np.random.default_rng(0).random((4, 16, 16, 3), dtype=np.float32))


@pytest.fixture
def same_image(images):
    """One image six times: what differs afterwards is the randomness."""
    return jnp.broadcast_to(images[:1], (6, 16, 16, 3))


def distinct(views):
    """Return how many different images there are."""
    return len({np.asarray(view).tobytes() for view in views})


def test_settings_that_switch_everything_off_return_the_image(images):
    assert render(jax.random.key(0), images, settings=IDENTITY) == pytest.approx(
        np.asarray(images), abs=1e-6
    )


@pytest.mark.parametrize(
    "change",
    [
        {"area": (0.3, 0.9)},
        {"jitter_probability": 1.0},
        {"blur_probability": 1.0},
    ],
    ids=["crop", "jitter", "blur"],
)
def test_every_image_of_a_batch_draws_its_own_parameters(same_image, change):
    views = render(jax.random.key(0), same_image, settings=replace(IDENTITY, **change))

    assert distinct(views) == 6


def test_two_keys_give_two_views_and_one_key_one(images):
    settings = ViewSettings(side=16)
    first, again = (render(jax.random.key(1), images, settings=settings) for _ in range(2))
    other = render(jax.random.key(2), images, settings=settings)

    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("side", [7, 24])
def test_views_have_the_side_asked_for_and_lie_in_0_to_1(images, side):
    views = render(
        jax.random.key(0), images, settings=ViewSettings(side=side, solarise_probability=0.5)
    )

    assert views.shape == (4, side, side, 3)
    assert views.min() >= 0
    assert views.max() <= 1


def test_a_crop_is_the_named_box():
    # Columns hold their own number; columns 4 to 11 at the same scale.
    image = jnp.broadcast_to(jnp.arange(16.0)[:, None] / 16, (1, 16, 16, 3))
    box = (jnp.array([2.0]), jnp.array([4.0]), jnp.array([8.0]), jnp.array([8.0]))

    view = crop_and_resize(image, *box, 8)

    assert view[0, 0, :, 0] == pytest.approx(np.arange(4, 12) / 16, abs=1e-5)


@pytest.mark.parametrize("side", [8, 24])
def test_resizing_agrees_with_pil_bicubic(images, side):
    image_module = pytest.importorskip("PIL.Image")
    plane = np.asarray(images[0, :, :, 0])
    wanted = np.asarray(
        image_module.fromarray(plane).resize((side, side), image_module.Resampling.BICUBIC)
    )

    whole = (jnp.zeros(1), jnp.zeros(1), jnp.full(1, 16.0), jnp.full(1, 16.0))
    found = crop_and_resize(images[:1], *whole, side)[0, :, :, 0]

    assert found == pytest.approx(np.clip(wanted, 0, 1), abs=1e-5)


def test_a_flip_mirrors_left_and_right_for_about_half_of_the_images(images):
    many = jnp.broadcast_to(images[:1], (400, 16, 16, 3))
    views = render(jax.random.key(0), many, settings=replace(IDENTITY, flip_probability=0.5))

    flipped = np.array([np.allclose(view, images[0, :, ::-1], atol=1e-6) for view in views])
    kept = np.array([np.allclose(view, images[0], atol=1e-6) for view in views])
    assert (flipped | kept).all()
    # Five standard deviations of a fair coin over 400 images: 50.
    assert abs(flipped.sum() - 200) < 50


def test_brightness_is_additive_and_not_a_factor():
    black = jnp.zeros((64, 4, 4, 3))
    settings = replace(IDENTITY, brightness=0.4, contrast=0.0, saturation=0.0, hue=0.0)

    jittered = colour_jitter(jax.random.key(0), black, settings)

    # A factor would leave black black.
    assert 0.3 < jittered.max() <= 0.4


def test_contrast_turns_about_the_mean_of_each_channel():
    image = jnp.stack([jnp.full((4, 4), 0.4), jnp.full((4, 4), 0.5), jnp.full((4, 4), 0.6)], -1)
    settings = replace(IDENTITY, brightness=0.0, contrast=0.4, saturation=0.0, hue=0.0)

    # Constant channels are their own means; about the mean grey of all three they would move.
    assert colour_jitter(jax.random.key(0), image[None], settings)[0] == pytest.approx(
        np.asarray(image)
    )


def test_jitters_come_in_both_orders():
    # Of contrast and brightness on (0, 1) pixels, clipping makes the order visible.
    image = jnp.tile(jnp.array([0.0, 1.0])[:, None], (256, 4, 2, 3))
    settings = replace(IDENTITY, brightness=0.4, contrast=0.4, saturation=0.0, hue=0.0)

    jittered = np.asarray(colour_jitter(jax.random.key(0), image, settings))

    low, high = jittered.min(axis=(1, 2, 3)), jittered.max(axis=(1, 2, 3))
    brightness_last = (low > 0.01) & (high < 0.99)
    assert 0 < brightness_last.sum() < 256


def test_hue_and_saturation_agree_with_the_standard_library(images):
    turned = np.asarray(adjust_hue_saturation(images, jnp.array(0.07), jnp.array(0.8)))

    for place in [(0, 0, 0), (1, 5, 7), (3, 15, 15)]:
        h, s, v = colorsys.rgb_to_hsv(*map(float, images[place]))
        assert turned[place] == pytest.approx(
            colorsys.hsv_to_rgb((h + 0.07) % 1, s * 0.8, v), abs=1e-5
        )


def test_grayscale_weights_are_those_of_bt_601():
    red = jnp.array([[[[1.0, 0.0, 0.0]]]])

    assert to_grayscale(red)[0, 0, 0] == pytest.approx([0.2989] * 3)


def test_solarisation_inverts_only_what_is_above_the_threshold():
    image = jnp.broadcast_to(jnp.array([0.2, 0.5, 0.9]), (1, 16, 16, 3))

    view = render(jax.random.key(0), image, settings=replace(IDENTITY, solarise_probability=1.0))

    assert view[0, 0, 0] == pytest.approx([0.2, 0.5, 0.1], abs=1e-6)


def test_blur_spreads_one_pixel_by_a_gaussian():
    image = jnp.zeros((1, 9, 9, 3)).at[0, 4, 4].set(1.0)

    blurred = random_blur(jax.random.key(0), image, (1.0, 1.0))[0, :, :, 0]

    # Three taps of a Gaussian of one pixel: 1 and exp(-1/2) on either side.
    side = np.exp(-0.5)
    middle = 1 / (1 + 2 * side)
    assert blurred[4, 4] == pytest.approx(middle**2, rel=1e-5)
    assert blurred[4, 5] == pytest.approx(middle**2 * side, rel=1e-5)
    assert blurred.sum() == pytest.approx(1, rel=1e-5)


def test_defaults_are_table_6_of_byol():
    one, two = VIEWS

    assert (one.area, one.aspect) == ((0.08, 1.0), (3 / 4, 4 / 3))
    assert (one.brightness, one.contrast, one.saturation, one.hue) == (0.4, 0.4, 0.2, 0.1)
    assert (one.flip_probability, one.jitter_probability) == (0.5, 0.8)
    assert (one.grayscale_probability, one.blur_sigma) == (0.2, (0.1, 2.0))
    assert (one.blur_probability, two.blur_probability) == (1.0, 0.1)
    assert (one.solarise_probability, two.solarise_probability) == (0.0, 0.2)
