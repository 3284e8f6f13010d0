"""Which image a training position shows, and the seed of everything drawn for it.

A position counts images from the first iteration on: iteration i of batches of b shows the
positions i * b to i * b + b - 1. So a run that goes on, or one with more workers, sees what it
would have seen.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_ORDER, _VIEW = 0x5E60, 0x5E61  # so that no two draws share a stream


def image_at(position: int, images: int, seed: int) -> tuple[int, int]:
    """Return (epoch, image): whole epochs, each in a new order."""
    epoch, place = divmod(position, images)
    order = np.random.default_rng([seed, _ORDER, epoch]).permutation(images)
    return epoch, int(order[place])


@contextmanager
def drawn_for(seed: int, epoch: int, image: int) -> Iterator[None]:
    """Seed NumPy's and Python's global generators, which mmcv's transforms draw from.

    They are given back as they were: nothing else notices.
    """
    state, python_state = np.random.get_state(), random.getstate()
    words = np.random.SeedSequence([seed, _VIEW, epoch, image]).generate_state(4)
    np.random.seed(words)
    random.seed(words.tobytes())
    try:
        yield
    finally:
        np.random.set_state(state)
        random.setstate(python_state)


def held_out(images: int, fraction: float, seed: int) -> np.ndarray:
    """Return the sorted indices of the images that are held out: at least one, never all."""
    count = min(max(round(fraction * images), 1), images - 1)
    drawn = np.random.default_rng([seed, 0x7A11D]).permutation(images)[:count]
    return np.sort(drawn)
