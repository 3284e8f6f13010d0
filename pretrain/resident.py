"""Images that fit beside the network: they lie on the device as bytes, views are made there."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from . import methods
from .config import PretrainConfig
from .inputs import Images, Labels, batch_indices, fingerprint
from .method import Method
from .saliency import foreground_masks
from .state import Tree
from .views import normalise, render


@dataclass(frozen=True, eq=False)
class Resident:
    """A `Feed` over arrays."""

    pixels: Images  # [images, height, width, 3] uint8
    labels: Labels  # [images]
    config: PretrainConfig
    masks: NDArray[np.bool_] | None = None  # [images, height, width], True: foreground

    @property
    def images(self) -> int:
        """Images of an epoch."""
        return len(self.pixels)

    @property
    def classes(self) -> int:
        """One more than the largest label."""
        return int(self.labels.max()) + 1

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over shapes and values."""
        return fingerprint(self.pixels, self.labels)

    def on_device(self) -> Tree:
        """Return {"images", "labels"} and, where there are masks, "masks"."""
        kept = {
            "images": jnp.asarray(self.pixels),
            "labels": jnp.asarray(self.labels.astype(np.int32)),
        }
        wanted = methods.load(self.config.method).has_masks and self.config.mask_probability > 0
        if wanted:
            masks = foreground_masks(self.pixels) if self.masks is None else self.masks
            kept["masks"] = jnp.asarray(masks)
        return kept

    def batches(self, first: int, stop: int) -> Iterator[Tree]:
        """Yield {"index": [batch] int32} of every step."""
        for step in range(first, stop):
            yield {"index": batch_indices(step, self.images, self.config).astype(np.int32)}

    def views(
        self, key: Array, kept: Tree, batch: Tree, config: PretrainConfig, method: Method
    ) -> tuple[list[Array], Array]:
        """Return the views of the images at `batch["index"]`, and their labels."""
        images = kept["images"][batch["index"]]
        masks = kept["masks"][batch["index"]] if "masks" in kept else None
        return draw_views(key, images, masks, config, method), kept["labels"][batch["index"]]


def draw_views(
    key: Array, images: Array, masks: Array | None, config: PretrainConfig, method: Method
) -> list[Array]:
    """Return every view, large ones first: a list of [batch, side, side, 3], normalised.

    ReLICv2 (arXiv:2201.05119), pseudo-code: each large crop comes from the image without
    its background with probability p_m. With `carry_mask` the removal stays for the later
    crops, as the listing's reused variable has it.

    Args:
        images: [batch, height, width, 3] uint8. masks: [batch, height, width] booleans;
            None: every pixel is foreground.
    """
    source = images.astype(jnp.float32) / 255
    views = []
    for index, settings in enumerate((*config.views, *config.small_views)):
        view_key, mask_key = jax.random.split(jax.random.fold_in(key, index))
        picked = source
        removable = method.has_masks and config.mask_probability and index < len(config.views)
        if removable and masks is not None:
            removed = jax.random.bernoulli(mask_key, config.mask_probability, (len(images), 1, 1))
            keep = (masks | ~removed)[..., None]
            picked = jnp.where(keep, source, config.background)
            source = picked if config.carry_mask else source
        views.append(normalise(render(view_key, picked, settings), config.preprocessing))
    return views
