"""Learning rate and target decay as functions of the step."""

import jax.numpy as jnp
from jax import Array
from jax.typing import ArrayLike


def warmup_cosine(step: ArrayLike, total: int, warmup: int, peak: float) -> Array:
    """Return the learning rate: linear from 0 to `peak`, then half a cosine down to 0.

    SimCLR (arXiv:2002.05709), Sec. 2.3; BYOL (arXiv:2006.07733), Sec. 3.3 and its code.

    Args:
        step: number of steps already taken. total: steps of the run.
        warmup: steps of the linear part. peak: rate after the warm-up.
    """
    step = jnp.asarray(step, jnp.float32)
    rising = peak * step / max(warmup, 1)
    progress = jnp.clip((step - warmup) / max(total - warmup, 1), 0, 1)
    falling = peak * 0.5 * (1 + jnp.cos(jnp.pi * progress))
    return jnp.where(step < warmup, rising, falling)


def target_decay(step: ArrayLike, total: int, base: float) -> Array:
    """Return tau, the share of the old target that survives step `step`.

    BYOL (arXiv:2006.07733), Sec. 3.3: 1 - (1 - base) (cos(pi k / K) + 1) / 2. The constant
    called base target ema in its App. J is 4e-3, that is 1 - 0.996; `base` here is 0.996.
    """
    step = jnp.asarray(step, jnp.float32)
    return 1 - (1 - base) * (jnp.cos(jnp.pi * step / total) + 1) / 2
