"""Colour arithmetic on [..., 3] floats in [0, 1]: luma, and hue and saturation through HSV."""

import jax.numpy as jnp
from jax import Array

# ITU-R BT.601, as tf.image.rgb_to_grayscale has them.
LUMA = (0.2989, 0.5870, 0.1140)


def to_grayscale(images: Array) -> Array:
    """Return the luma in all three channels."""
    luma = jnp.sum(images * jnp.array(LUMA), axis=-1, keepdims=True)
    return jnp.broadcast_to(luma, images.shape)


def adjust_hue_saturation(images: Array, turns: Array, factor: Array) -> Array:
    """Return `images` with the hue turned and the saturation multiplied, in [0, 1].

    Args:
        images: [..., 3] floats in [0, 1]. turns: of the colour circle; factor: of S.
            Both broadcast against `images[..., 0]`.
    """
    hue, saturation, value = _rgb_to_hsv(images)
    return _hsv_to_rgb((hue + turns) % 1.0, jnp.clip(saturation * factor, 0, 1), value)


def _rgb_to_hsv(images: Array) -> tuple[Array, Array, Array]:
    red, green, blue = images[..., 0], images[..., 1], images[..., 2]
    value = jnp.max(images, axis=-1)
    spread = value - jnp.min(images, axis=-1)
    safe = jnp.where(spread > 0, spread, 1.0)
    hue = jnp.where(
        value == red,
        (green - blue) / safe,
        jnp.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    saturation = jnp.where(value > 0, spread / jnp.where(value > 0, value, 1.0), 0.0)
    return jnp.where(spread > 0, (hue / 6) % 1.0, 0.0), saturation, value


def _hsv_to_rgb(hue: Array, saturation: Array, value: Array) -> Array:
    # Travis' closed form: channel n is v - v s max(0, min(k, 4 - k, 1)), k = (n + 6h) mod 6.
    def channel(n: int) -> Array:
        k = (n + 6 * hue) % 6
        return value - value * saturation * jnp.clip(jnp.minimum(k, 4 - k), 0, 1)

    return jnp.stack([channel(5), channel(3), channel(1)], axis=-1)
