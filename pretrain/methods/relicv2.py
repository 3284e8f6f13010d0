"""ReLICv2 (arXiv:2201.05119): ReLIC over many crops, few negatives, removed backgrounds."""

from jax import Array

from ..config import PretrainConfig
from ..losses import relicv2_loss, sample_negatives
from ..method import Method, Outputs, Terms


def loss(outputs: Outputs, config: PretrainConfig, key: Array) -> tuple[Array, Terms]:
    """Return the mean over pairs of crops, with negatives sampled from the batch."""
    assert outputs.target is not None
    loss = relicv2_loss(
        outputs.online,
        outputs.target,
        sample_negatives(key, outputs.online.shape[1], config.negatives),
        config.temperature,
        config.contrastive_weight,
        config.invariance_weight,
        config.include_self_pairs,
    )
    return loss, {}


METHOD = Method(
    loss=loss,
    source="ReLICv2 (arXiv:2201.05119), pseudo-code; loss constants recalled",
    has_target=True,
    has_predictor=True,
    has_masks=True,
)
