"""BYOL (arXiv:2006.07733): predict the target network's projection of the other view."""

from jax import Array

from ..config import PretrainConfig
from ..losses import regression_loss
from ..method import Method, Outputs, Terms


def loss(outputs: Outputs, config: PretrainConfig, key: Array) -> tuple[Array, Terms]:
    """Return the regression loss, summed over the two directions, averaged over images."""
    assert outputs.target is not None
    forward = regression_loss(outputs.online[0], outputs.target[1])
    backward = regression_loss(outputs.online[1], outputs.target[0])
    return (forward + backward).mean(), {}


METHOD = Method(
    loss=loss,
    source="BYOL (arXiv:2006.07733), Sec. 3",
    has_target=True,
    has_predictor=True,
    views=2,
)
