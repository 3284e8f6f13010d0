"""Every loss against a slow loop over pairs, and against values worked out by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from relicheck.pretrain import losses


def cosine(a, b):
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def softmax(logits):
    weights = np.exp(np.array(logits) - max(logits))
    return weights / weights.sum()


@pytest.fixture
def vectors():
    """Embeddings [5 sets, 4 images, 3 dimensions]."""
    return np.random.default_rng(1).standard_normal((5, 4, 3)).astype(np.float32)


def test_nt_xent_equals_equation_1_of_simclr_pair_by_pair(vectors):
    z, batch, temperature = np.concatenate(vectors[:2]), 4, 0.5
    terms = []
    for i in range(2 * batch):
        j = (i + batch) % (2 * batch)
        others = [k for k in range(2 * batch) if k != i]
        denominator = sum(np.exp(cosine(z[i], z[k]) / temperature) for k in others)
        terms.append(-np.log(np.exp(cosine(z[i], z[j]) / temperature) / denominator))

    assert losses.nt_xent(vectors[0], vectors[1], temperature) == pytest.approx(
        np.mean(terms), rel=1e-5
    )


def test_nt_xent_of_two_opposite_images_is_the_log_of_one_plus_two_negatives():
    # Positives at similarity 1, both negatives at -1: -log(e / (e + 2 / e)) with t = 1.
    z = jnp.array([[1.0, 0.0], [-1.0, 0.0]])
    expected = np.log(1 + 2 * np.exp(-2))

    assert losses.nt_xent(z, z, 1.0) == pytest.approx(expected, rel=1e-5)


def test_nt_xent_does_not_depend_on_which_view_comes_first(vectors):
    forward = losses.nt_xent(vectors[0], vectors[1], 0.2)

    assert losses.nt_xent(vectors[1], vectors[0], 0.2) == pytest.approx(float(forward), rel=1e-5)


@pytest.mark.parametrize(
    ("prediction", "expected"), [([2.0, 0.0], 0.0), ([0.0, 3.0], 2.0), ([-1.0, 0.0], 4.0)]
)
def test_regression_loss_is_two_minus_twice_the_cosine(prediction, expected):
    loss = losses.regression_loss(jnp.array([prediction]), jnp.array([[5.0, 0.0]]))

    assert loss == pytest.approx([expected], abs=1e-6)


def slow_relic(online, target, temperature, alpha):
    """ReLIC, Eq. 3, image by image over the view pairs (1, 2) and (2, 1)."""
    batch, total = len(online[0]), 0.0
    for view in (0, 1):
        for i in range(batch):
            p = softmax(
                [cosine(online[view][i], target[1 - view][j]) / temperature for j in range(batch)]
            )
            q = softmax(
                [cosine(online[1 - view][i], target[view][j]) / temperature for j in range(batch)]
            )
            total += (-np.log(p[i]) + alpha * np.sum(p * np.log(p / q))) / batch
    return total


@pytest.mark.parametrize("alpha", [0.0, 1.0, 3.0])
def test_relic_equals_equation_3_image_by_image(vectors, alpha):
    loss = losses.relic_loss(vectors[:2], vectors[2:4], 0.3, alpha)

    assert loss == pytest.approx(slow_relic(vectors[:2], vectors[2:4], 0.3, alpha), rel=1e-4)


def test_relic_has_no_invariance_penalty_for_equal_views(vectors):
    online, target = jnp.stack([vectors[0]] * 2), jnp.stack([vectors[1]] * 2)

    without, with_penalty = (losses.relic_loss(online, target, 0.3, a) for a in (0.0, 100.0))

    assert with_penalty == pytest.approx(float(without), abs=1e-4)


def slow_relicv2(online, target, negatives, temperature, beta, alpha, self_pairs):
    """The pseudo-code's double loops, with one more loop over the images."""
    large, batch = len(target), len(online[0])

    def p(i, j, n):
        candidates = [n, *negatives[n]]
        return softmax([cosine(online[i][n], target[j][c]) / temperature for c in candidates])

    total, pairs = 0.0, 0
    for i in range(len(online)):
        for j in range(large):
            if i == j and not self_pairs:
                continue
            pairs += 1
            other = (j, i) if i < large else ((j + 1) % large, j)
            for n in range(batch):
                here, there = p(i, j, n), p(*other, n)
                divergence = np.sum(here * np.log(here / there))
                total += (-beta * np.log(here[0]) + alpha * divergence) / batch
    return total / pairs


@pytest.mark.parametrize("self_pairs", [True, False])
def test_relicv2_equals_the_listing_pair_by_pair(vectors, self_pairs):
    negatives = np.array([[1, 2], [0, 3], [3, 3], [1, 0]])
    arguments = (negatives, 0.4, 0.7, 1.3, self_pairs)

    loss = losses.relicv2_loss(vectors[:3], vectors[3:5], *arguments)

    assert loss == pytest.approx(slow_relicv2(vectors[:3], vectors[3:5], *arguments), rel=1e-4)


def test_relicv2_divides_by_large_plus_small_times_large(vectors):
    # One direction for all: every similarity is 1, so each pair costs log(1 + 2) and no KL.
    same = jnp.ones((3, 4, 3))
    negatives = losses.sample_negatives(jax.random.key(0), 4, 2)

    loss = losses.relicv2_loss(same, same[:2], negatives, 1.0, 1.0, 1.0, True)

    assert loss == pytest.approx(np.log(3), rel=1e-5)


def test_sampled_negatives_never_hold_the_image_itself():
    negatives = losses.sample_negatives(jax.random.key(3), 5, 400)

    for image, row in enumerate(np.asarray(negatives)):
        # Four other images and 400 draws: each is missed with probability 0.75^400.
        assert set(row) == set(range(5)) - {image}


def test_cross_entropy_with_smoothing_by_hand():
    # p = (1/2, 1/4, 1/4); smoothing 0.3 gives the targets (0.8, 0.1, 0.1).
    logits = jnp.log(jnp.array([[0.5, 0.25, 0.25]]))
    expected = 0.8 * np.log(2) + 0.2 * np.log(4)

    assert losses.cross_entropy(logits, jnp.array([0]), 0.3) == pytest.approx(expected, rel=1e-5)
    assert losses.cross_entropy(logits, jnp.array([1])) == pytest.approx(np.log(4), rel=1e-5)


@pytest.mark.parametrize(
    "loss",
    [
        lambda o, t: losses.regression_loss(o[0], t[0]).sum(),
        lambda o, t: losses.relic_loss(o, t, 0.2, 1.0),
        lambda o, t: losses.relicv2_loss(o, t, jnp.array([[1], [2], [3], [0]]), 0.2, 1, 1, True),
    ],
    ids=["byol", "relic", "relicv2"],
)
def test_gradients_reach_the_online_network_and_never_the_target(vectors, loss):
    online, target = jax.grad(loss, argnums=(0, 1))(
        jnp.asarray(vectors[:2]), jnp.asarray(vectors[2:4])
    )

    assert np.abs(online).max() > 1e-3
    assert np.abs(target).max() == 0


def test_the_invariance_penalty_sends_no_gradient_to_what_it_follows():
    log_p, log_q = jnp.log(jnp.array([[0.7, 0.3]])), jnp.log(jnp.array([[0.4, 0.6]]))

    to_p, to_q = jax.grad(lambda p, q: losses.kl_divergence(p, q).sum(), argnums=(0, 1))(
        log_p, log_q
    )

    assert np.abs(to_p).max() > 0.1
    assert np.abs(to_q).max() == 0


@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_losses_see_directions_and_not_lengths(vectors, scale):
    plain = losses.relic_loss(vectors[:2], vectors[2:4], 0.3, 1.0)
    scaled = losses.relic_loss(vectors[:2] * scale, vectors[2:4], 0.3, 1.0)

    assert scaled == pytest.approx(float(plain), rel=1e-4)
