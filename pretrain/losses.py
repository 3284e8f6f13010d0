"""The losses, as pure functions of arrays.

Symbols follow the papers: z an embedding, q a prediction, t the temperature. Every
function normalises its inputs to unit length itself. Gradients reach `online` only:
targets are stopped here, whatever the caller does.
"""

import jax
import jax.numpy as jnp
from jax import Array


def unit(x: Array) -> Array:
    """Return `x` with its last axis scaled to length 1 (a zero vector stays zero)."""
    return x * jax.lax.rsqrt(jnp.maximum(jnp.sum(x * x, axis=-1, keepdims=True), 1e-12))


def nt_xent(z_a: Array, z_b: Array, temperature: float) -> Array:
    """Return the normalised temperature-scaled cross-entropy, averaged over 2N embeddings.

    SimCLR (arXiv:2002.05709), Eq. 1 and Alg. 1. The denominator holds the positive and
    2N - 2 negatives. The released code adds the two halves and so returns twice this.

    Args:
        z_a, z_b: [batch, dim] floats, projections of two views; row i is image i in both.
    """
    z = unit(jnp.concatenate([z_a, z_b]))
    logits = z @ z.T / temperature
    logits = jnp.where(jnp.eye(len(z), dtype=bool), -jnp.inf, logits)
    batch = len(z_a)
    positives = (jnp.arange(2 * batch) + batch) % (2 * batch)
    log_p = jax.nn.log_softmax(logits, axis=-1)
    return -jnp.take_along_axis(log_p, positives[:, None], axis=1).mean()


def regression_loss(prediction: Array, target: Array) -> Array:
    """Return the squared distance between two unit-length vectors, per image.

    BYOL (arXiv:2006.07733), Sec. 3.1, Eq. 2; equal to 2 - 2 * cosine similarity. The
    caller adds the term with the views swapped.

    Args:
        prediction: [batch, dim] floats, by the predictor. target: [batch, dim] floats,
            projections by the target network.

    Returns:
        [batch] floats in [0, 4].
    """
    difference = unit(prediction) - unit(jax.lax.stop_gradient(target))
    return jnp.sum(difference * difference, axis=-1)


def instance_log_probabilities(online: Array, target: Array, temperature: float) -> Array:
    """Return log p(j | x_i) over the batch: which image is view i a view of?

    ReLIC (arXiv:2010.07922), Sec. 2: p is proportional to exp(<f(x_i), h(x_j)> / t).

    Args:
        online: [batch, dim] floats. target: [batch, dim] floats, another view.

    Returns:
        [batch, batch] floats; rows sum to 1 after exp.
    """
    logits = unit(online) @ unit(jax.lax.stop_gradient(target)).T / temperature
    return jax.nn.log_softmax(logits, axis=-1)


def kl_divergence(log_p: Array, log_q: Array) -> Array:
    """Return KL(p || sg(q)) per row, [rows] floats; no gradient reaches `log_q`.

    The stop-gradient is ReLICv2's (recalled): each view follows the other as it stands.
    """
    return jnp.sum(jnp.exp(log_p) * (log_p - jax.lax.stop_gradient(log_q)), axis=-1)


def relic_loss(online: Array, target: Array, temperature: float, alpha: float) -> Array:
    """Return ReLIC's loss of two views: contrastive terms plus `alpha` times invariance.

    ReLIC (arXiv:2010.07922), Eq. 3, over the view pairs (1, 2) and (2, 1), averaged
    over images and summed over pairs; the KL compares each pair with the other one.

    Args:
        online: [2, batch, dim] floats. target: [2, batch, dim] floats.
    """
    log_p = [
        instance_log_probabilities(online[view], target[1 - view], temperature) for view in (0, 1)
    ]
    contrastive = jnp.stack([-jnp.diagonal(p).mean() for p in log_p]).sum()
    penalties = [kl_divergence(log_p[view], log_p[1 - view]).mean() for view in (0, 1)]
    return contrastive + alpha * jnp.stack(penalties).sum()


def sample_negatives(key: Array, batch: int, negatives: int) -> Array:
    """Return [batch, negatives] int32: for image i, other images, uniform, with repetition."""
    offsets = jax.random.randint(key, (batch, negatives), 1, batch)
    return (jnp.arange(batch)[:, None] + offsets) % batch


def candidate_log_probabilities(
    online: Array, target: Array, negatives: Array, temperature: float
) -> Array:
    """Return log p over the positive (column 0) and the sampled negatives of each image.

    ReLICv2 (arXiv:2201.05119), contrastive term (recalled): exp(<o_i, t_i> / t) over
    itself plus the sum over sampled x_j of exp(<o_i, t_j> / t).

    Args:
        online: [batch, dim] floats. target: [batch, dim] floats.
        negatives: [batch, negatives] indices into the batch.

    Returns:
        [batch, 1 + negatives] floats.
    """
    similarity = unit(online) @ unit(jax.lax.stop_gradient(target)).T / temperature
    candidates = jnp.concatenate([jnp.arange(len(online))[:, None], negatives], axis=1)
    return jax.nn.log_softmax(jnp.take_along_axis(similarity, candidates, axis=1), axis=-1)


def relicv2_loss(
    online: Array,
    target: Array,
    negatives: Array,
    temperature: float,
    contrastive_weight: float,
    invariance_weight: float,
    include_self_pairs: bool,
) -> Array:
    """Return ReLICv2's loss over all pairs of an online crop and a large target crop.

    ReLICv2 (arXiv:2201.05119), pseudo-code: the sum over all crops i (large and small)
    and all large crops j of l(o_i, t_j), divided by (L + S) L. As listed, i = j is
    included; with `include_self_pairs` False those pairs are left out of sum and divisor.
    The listing does not show which two distributions the KL compares; here pair (i, j)
    of large crops follows (j, i), as in ReLIC, and a small crop i follows the next
    large crop's pair with j.

    Args:
        online: [large + small, batch, dim] floats. target: [large, batch, dim] floats.
        negatives: [batch, negatives] indices, shared by all pairs of this step.
    """
    large = len(target)
    log_p = {
        (i, j): candidate_log_probabilities(online[i], target[j], negatives, temperature)
        for i in range(len(online))
        for j in range(large)
    }
    total, pairs = jnp.zeros(()), 0
    for (i, j), p in log_p.items():
        if i == j and not include_self_pairs:
            continue
        reference = log_p[(j, i)] if i < large else log_p[((j + 1) % large, j)]
        total += contrastive_weight * -p[:, 0].mean()
        total += invariance_weight * kl_divergence(p, reference).mean()
        pairs += 1
    return total / pairs


def cross_entropy(logits: Array, labels: Array, label_smoothing: float = 0.0) -> Array:
    """Return the mean softmax cross-entropy of [batch, classes] logits and [batch] labels.

    Label smoothing as Szegedy et al. (arXiv:1512.00567), Sec. 7: the true class gets
    1 - s + s / classes, every other s / classes.
    """
    log_p = jax.nn.log_softmax(logits, axis=-1)
    true = jnp.take_along_axis(log_p, labels[:, None], axis=1)[:, 0]
    return -((1 - label_smoothing) * true + label_smoothing * log_p.mean(axis=-1)).mean()
