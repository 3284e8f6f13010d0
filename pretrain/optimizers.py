"""Optimisers, with biases and BatchNorm left out of decay and adaptation."""

from functools import partial
from typing import Any

import jax
import optax

from .config import PretrainConfig
from .schedules import warmup_cosine


def decayed(params: Any) -> Any:
    """Return True for the leaves that weight decay and LARS adaptation touch: the kernels.

    SimCLR (arXiv:2002.05709), Sec. 2.3, and BYOL (arXiv:2006.07733), Sec. 3.3 leave out
    biases and the parameters of BatchNorm.
    """
    return jax.tree_util.tree_map_with_path(lambda path, _: path[-1].key == "kernel", params)


def make_optimizer(
    config: PretrainConfig, total_steps: int, steps_per_epoch: float
) -> optax.GradientTransformation:
    """Return the optimiser of `config` with its warm-up and cosine.

    `lars` is You et al. (arXiv:1708.03888) with BYOL's constants: for batches of
    thousands. `adamw` (Loshchilov and Hutter, arXiv:1711.05101) is our choice for small
    batches and a few hundred steps; the two were not compared there.
    """
    warmup = round(config.warmup_epochs * steps_per_epoch)
    rate = partial(warmup_cosine, total=total_steps, warmup=warmup, peak=config.learning_rate)
    if config.optimizer == "lars":
        return optax.lars(
            rate,
            config.weight_decay,
            weight_decay_mask=decayed,
            trust_coefficient=config.trust_coefficient,
            trust_ratio_mask=decayed,
            momentum=config.momentum,
        )
    if config.optimizer == "sgd":
        return optax.chain(
            optax.add_decayed_weights(config.weight_decay, mask=decayed),
            optax.sgd(rate, momentum=config.momentum, nesterov=True),
        )
    return optax.adamw(rate, b1=config.momentum, weight_decay=config.weight_decay, mask=decayed)
