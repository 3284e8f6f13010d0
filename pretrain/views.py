"""Random views of a batch of images, on the device, with parameters of their own per image.

BYOL (arXiv:2006.07733), App. B and Table 6, and its released code. Where a port goes
wrong easily: brightness is additive, contrast turns about the mean of each channel,
values are clipped after every jitter, normalisation comes after everything.

Two differences from the released code. A crop whose sides would leave the image is
clipped to it instead of drawn again (at most a hundred times). The bicubic kernel
widens when it shrinks an image (as PIL's does, and as evaluation resizes), whereas
TensorFlow's default skips pixels.

Operations that the settings switch off are not traced: they cost nothing.
"""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import Array

from ..checkpoints.spec import Preprocessing
from .colour import adjust_hue_saturation, to_grayscale
from .config import ViewSettings

Operation = Callable[[Array, Array], Array]  # (key, images [batch, side, side, 3]) -> images


def render(key: Array, images: Array, settings: ViewSettings) -> Array:
    """Return one view of each image, [batch, side, side, 3] floats in [0, 1].

    Args:
        key: a JAX random key; equal keys give equal views.
        images: [batch, height, width, 3] floats in [0, 1].
    """
    crop, flip, jitter, gray, blur, solarise = jax.random.split(key, 6)
    x = random_resized_crop(crop, images, settings)
    if settings.flip_probability:
        x = jnp.where(_chosen(flip, x, settings.flip_probability), x[:, :, ::-1], x)
    if settings.jitter_probability:
        jittered = colour_jitter(jitter, x, settings)
        choice = jax.random.fold_in(jitter, 1)
        x = jnp.where(_chosen(choice, x, settings.jitter_probability), jittered, x)
    if settings.grayscale_probability:
        x = jnp.where(_chosen(gray, x, settings.grayscale_probability), to_grayscale(x), x)
    if settings.blur_probability:
        blurred = random_blur(blur, x, settings.blur_sigma)
        choice = jax.random.fold_in(blur, 1)
        x = jnp.where(_chosen(choice, x, settings.blur_probability), blurred, x)
    if settings.solarise_probability:
        inverted = jnp.where(x < settings.solarise_threshold, x, 1 - x)
        x = jnp.where(_chosen(solarise, x, settings.solarise_probability), inverted, x)
    return x


def normalise(images: Array, preprocessing: Preprocessing) -> Array:
    """Return (x - mean) / std per channel: the network's input."""
    return (images - jnp.array(preprocessing.mean)) / jnp.array(preprocessing.std)


def _chosen(key: Array, images: Array, probability: float) -> Array:
    """Return [batch, 1, 1, 1] booleans: which images an operation applies to."""
    return jax.random.bernoulli(key, probability, (len(images), 1, 1, 1))


def random_resized_crop(key: Array, images: Array, settings: ViewSettings) -> Array:
    """Return a crop of random area, aspect and place of each image, resized to `side`."""
    batch, height, width, _ = images.shape
    area_key, aspect_key, y_key, x_key = jax.random.split(key, 4)
    area = jax.random.uniform(area_key, (batch,), minval=settings.area[0], maxval=settings.area[1])
    low, high = jnp.log(jnp.array(settings.aspect))
    aspect = jnp.exp(jax.random.uniform(aspect_key, (batch,), minval=low, maxval=high))
    rows = jnp.minimum(jnp.sqrt(area * height * width / aspect), height)
    columns = jnp.minimum(jnp.sqrt(area * height * width * aspect), width)
    top = jax.random.uniform(y_key, (batch,)) * (height - rows)
    left = jax.random.uniform(x_key, (batch,)) * (width - columns)
    return crop_and_resize(images, top, left, rows, columns, settings.side)


def crop_and_resize(
    images: Array, top: Array, left: Array, rows: Array, columns: Array, side: int
) -> Array:
    """Return [batch, side, side, 3]: each image's own box, resampled bicubically, in [0, 1].

    Args:
        images: [batch, height, width, 3] floats.
        top, left, rows, columns: [batch] floats, pixels; the box may cut pixels in two.
    """
    vertical = _resampling(top, rows, images.shape[1], side)
    horizontal = _resampling(left, columns, images.shape[2], side)
    x = jnp.einsum("nih,nhwc->niwc", vertical, images)
    return jnp.clip(jnp.einsum("njw,niwc->nijc", horizontal, x), 0, 1)


def _resampling(start: Array, length: Array, source: int, side: int) -> Array:
    """Return [batch, side, source] weights: row i makes pixel i from the source's pixels."""
    step = length / side
    centre = start[:, None] + (jnp.arange(side) + 0.5) * step[:, None] - 0.5
    width = jnp.maximum(step, 1)[:, None, None]
    weight = _cubic((jnp.arange(source) - centre[:, :, None]) / width)
    return weight / weight.sum(axis=-1, keepdims=True)


def _cubic(x: Array) -> Array:
    """Keys' cubic convolution kernel with a = -0.5, as TensorFlow and PIL use."""
    x = jnp.abs(x)
    near = ((1.5 * x - 2.5) * x) * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return jnp.where(x < 1, near, jnp.where(x < 2, far, 0.0))


def colour_jitter(key: Array, images: Array, settings: ViewSettings) -> Array:
    """Return the images after brightness, contrast, saturation and hue in a random order.

    The order is drawn per image; each operation clips to [0, 1].
    """
    operations = _jitters(settings)
    if not operations:
        return images
    order_key, *keys = jax.random.split(key, 1 + len(operations))
    # [batch, operations]: a random permutation per image, which operation comes when.
    draws = jax.random.uniform(order_key, (len(images), len(operations)))
    order = jnp.argsort(draws, axis=1)[:, :, None, None, None]
    x = images
    for turn in range(len(operations)):
        candidates = [apply(keys[index], x) for index, apply in enumerate(operations)]
        x = sum(
            (jnp.where(order[:, turn] == index, y, 0.0) for index, y in enumerate(candidates)),
            jnp.zeros_like(x),
        )
    return x


def _jitters(settings: ViewSettings) -> list[Operation]:
    operations: list[Operation] = []
    if settings.brightness:
        operations.append(lambda key, x: _brightness(key, x, settings.brightness))
    if settings.contrast:
        operations.append(lambda key, x: _contrast(key, x, settings.contrast))
    if settings.saturation:
        operations.append(
            lambda key, x: adjust_hue_saturation(
                x, jnp.zeros(()), 1 + _uniform(key, x, settings.saturation)[..., 0]
            )
        )
    if settings.hue:
        operations.append(
            lambda key, x: adjust_hue_saturation(
                x, _uniform(key, x, settings.hue)[..., 0], jnp.ones(())
            )
        )
    return operations


def _uniform(key: Array, images: Array, strength: float) -> Array:
    shape = (len(images), 1, 1, 1)
    return jax.random.uniform(key, shape, minval=-strength, maxval=strength)


def _brightness(key: Array, images: Array, strength: float) -> Array:
    return jnp.clip(images + _uniform(key, images, strength), 0, 1)


def _contrast(key: Array, images: Array, strength: float) -> Array:
    mean = images.mean(axis=(1, 2), keepdims=True)
    return jnp.clip((images - mean) * (1 + _uniform(key, images, strength)) + mean, 0, 1)


def random_blur(key: Array, images: Array, sigma: tuple[float, float]) -> Array:
    """Return each image under a Gaussian of its own width.

    Kernel of 2 * int(side / 10 / 2) + 1 pixels (23 at 224), zeros outside the image, as
    BYOL's code. Below a side of 20 that is one pixel, hence at least three here.
    """
    side = images.shape[1]
    radius = max(side // 20, 1)
    sigmas = jax.random.uniform(key, (len(images), 1, 1), minval=sigma[0], maxval=sigma[1])
    distance = jnp.abs(jnp.arange(side)[:, None] - jnp.arange(side)[None, :])
    taps = jnp.arange(-radius, radius + 1)
    total = jnp.exp(-(taps**2) / (2 * sigmas**2)).sum(axis=-1, keepdims=True)
    weight = jnp.exp(-(distance**2) / (2 * sigmas**2)) / total
    weight = jnp.where(distance <= radius, weight, 0.0)
    x = jnp.einsum("nih,nhwc->niwc", weight, images)
    return jnp.einsum("njw,niwc->nijc", weight, x)
