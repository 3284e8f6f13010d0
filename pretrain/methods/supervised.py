"""The supervised baseline: softmax cross-entropy on the labels of one augmented view."""

from jax import Array

from ..config import PretrainConfig
from ..losses import cross_entropy
from ..method import Method, Outputs, Terms


def loss(outputs: Outputs, config: PretrainConfig, key: Array) -> tuple[Array, Terms]:
    """Return the cross-entropy of the classifier's logits."""
    return cross_entropy(outputs.online[0], outputs.labels, config.label_smoothing), {}


METHOD = Method(
    loss=loss,
    source="BYOL (arXiv:2006.07733), App. C.2, without RandAugment",
    has_classifier=True,
    views=1,
)
