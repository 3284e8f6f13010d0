"""From floats to bytes, as the original generator does it."""

import numpy as np


def to_bytes(image: np.ndarray) -> np.ndarray:
    """Return floats clipped to [0, 1] as uint8, truncated and not rounded."""
    return np.asarray(np.clip(image, 0, 1) * 255).astype(np.uint8)
