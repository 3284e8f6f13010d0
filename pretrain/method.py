"""The contract of a pretraining method: what it needs and its loss."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .config import PretrainConfig

if TYPE_CHECKING:
    from jax import Array


class Outputs(NamedTuple):
    """What the networks made of one batch. Nothing is normalised yet."""

    online: "Array"  # [views, batch, dim] floats; large views first, then small ones
    target: "Array | None"  # [large views, batch, dim] floats, without gradients
    labels: "Array"  # [batch] int32


# What a loss is made of: scalars by name, for the log. They are not differentiated.
Terms = dict[str, "Array"]


@dataclass(frozen=True, kw_only=True)
class Method:
    """One method. `loss` is a pure function of the outputs, the config and a random key."""

    loss: "Callable[[Outputs, PretrainConfig, Array], tuple[Array, Terms]]"
    source: str
    has_target: bool = False  # an EMA copy of backbone and projector sees the large views
    has_predictor: bool = False  # `online` holds predictions, otherwise projections
    has_classifier: bool = False  # `online` holds logits of the labels, and no projector is used
    has_masks: bool = False  # large views may lose their background
    joint_batch_norm: bool = False  # one BatchNorm batch over all views, otherwise one per view
    views: int | None = None  # how many large views the loss is defined for; None: two or more
