"""BatchNorm statistics of a network that was never trained."""

from collections.abc import Iterator, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from .config import PretrainConfig
from .inputs import Images
from .resnet import ResNet
from .views import crop_and_resize, normalise

_BATCH = 256


def evaluation_batches(config: PretrainConfig, images: Images, limit: int) -> Iterator[Array]:
    """Yield up to `limit` images as the network gets them at evaluation, without views."""
    side = config.preprocessing.image_size
    for start in range(0, min(limit, len(images)), _BATCH):
        batch = jnp.asarray(images[start : start + _BATCH], jnp.float32) / 255
        zeros = jnp.zeros(len(batch))
        rows, columns = zeros + images.shape[1], zeros + images.shape[2]
        resized = crop_and_resize(batch, zeros, zeros, rows, columns, side)
        yield normalise(resized, config.preprocessing)


def estimate_batch_stats(
    config: PretrainConfig, variables: Mapping[str, Any], images: Images, limit: int = 4096
) -> Mapping[str, Any]:
    """Return running means and variances of `images` under the given parameters.

    Averages over whole batches of the statistics that training would use, so that an
    untrained network normalises as a trained one does.

    Args:
        variables: {"params", "batch_stats"} of a `ResNet`.
    """
    network = ResNet(config.spec, momentum=0.0)

    @jax.jit
    def statistics(given: dict[str, Any], batch: Array) -> Any:
        return network.apply(given, batch, train=True, mutable=["batch_stats"])[1]

    # The last batch may be a single image, whose statistics say nothing.
    batches = [b for b in evaluation_batches(config, images, limit) if len(b) > _BATCH // 2]
    batches = batches or list(evaluation_batches(config, images, limit))
    collected = [statistics(dict(variables), batch)["batch_stats"] for batch in batches]
    return dict(jax.tree.map(lambda *leaves: sum(leaves) / len(leaves), *collected))
