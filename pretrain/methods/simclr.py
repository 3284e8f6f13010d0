"""SimCLR (arXiv:2002.05709): two views of an image attract, all other views repel."""

from jax import Array

from ..config import PretrainConfig
from ..losses import nt_xent
from ..method import Method, Outputs, Terms


def loss(outputs: Outputs, config: PretrainConfig, key: Array) -> tuple[Array, Terms]:
    """Return NT-Xent of the two views' projections."""
    return nt_xent(outputs.online[0], outputs.online[1], config.temperature), {}


# The released code normalises the concatenation of both views as one batch.
METHOD = Method(
    loss=loss, source="SimCLR (arXiv:2002.05709), Sec. 2", joint_batch_norm=True, views=2
)
