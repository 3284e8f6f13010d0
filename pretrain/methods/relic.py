"""ReLIC (arXiv:2010.07922): instance discrimination that must not depend on the views."""

from jax import Array

from ..config import PretrainConfig
from ..losses import relic_loss
from ..method import Method, Outputs, Terms


def loss(outputs: Outputs, config: PretrainConfig, key: Array) -> tuple[Array, Terms]:
    """Return contrastive terms against the target network plus the invariance penalty."""
    assert outputs.target is not None
    loss = relic_loss(outputs.online, outputs.target, config.temperature, config.invariance_weight)
    return loss, {}


METHOD = Method(
    loss=loss,
    source="ReLIC (arXiv:2010.07922), Eq. 3, with a target network (App. E.3)",
    has_target=True,
    has_predictor=True,
    views=2,
)
