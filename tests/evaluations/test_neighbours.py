import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData, UsageError
from relicheck.evaluations import neighbours
from relicheck.evaluations.neighbours import Neighbours, grid, nearest, votes


def features(images, dim=8, seed=0):
    return np.random.default_rng(seed).normal(size=(images, dim)).astype(np.float32)


def slow(train, test, k):
    """Cosines of all pairs in double, sorted by a stable sort: earlier first among equals."""
    train, test = train.astype(np.float64), test.astype(np.float64)
    lengths = np.linalg.norm(test, axis=1)[:, None] * np.linalg.norm(train, axis=1)[None]
    cosine = test @ train.T / lengths
    index = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(cosine, index, axis=1), index


@pytest.fixture
def small_chunks(monkeypatch):
    monkeypatch.setattr(neighbours, "_SHORT_BLOCK", (5, 7))
    monkeypatch.setattr(neighbours, "_FIRST_ROWS", 2)
    monkeypatch.setattr(neighbours, "_ROOM", 1)


@pytest.mark.parametrize("k", [1, 3, 20, 60])
def test_neighbours_are_those_of_all_pairs_sorted(k):
    train, test = features(60), features(23, seed=1)
    found = nearest(train, test, k)
    similarity, index = slow(train, test, k)
    np.testing.assert_array_equal(found.index, index)
    np.testing.assert_allclose(found.similarity, similarity, atol=1e-6)


@pytest.mark.parametrize("k", [1, 3, 20, 60])
def test_chunks_do_not_change_them(k, small_chunks):
    train, test = features(60), features(23, seed=1)
    np.testing.assert_array_equal(nearest(train, test, k).index, slow(train, test, k)[1])


def test_of_equally_near_images_the_earlier_are_taken(small_chunks):
    # Rows of one axis: every product is 0 or 1 exactly, whatever the order of sums.
    train = np.eye(4, dtype=np.float32)[np.arange(40) % 4]
    test = np.eye(4, dtype=np.float32)
    for k in (1, 3, 10, 25):
        np.testing.assert_array_equal(nearest(train, test, k).index, slow(train, test, k)[1])


def test_similarities_of_either_sign_and_both_zeros_are_sorted(small_chunks):
    # Cosines of 1, -1, 0 and -0.0 in many places; the two zeros are one.
    train = np.array([[1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)[np.arange(32) % 4]
    test = np.array([[1, 0], [-1, 0], [0, -1]], np.float32)
    for k in (5, 12, 20, 32):
        np.testing.assert_array_equal(nearest(train, test, k).index, slow(train, test, k)[1])


@pytest.mark.parametrize("order", ["nearest first", "nearest last"])
@pytest.mark.parametrize("k", [1, 2, 9, 40])
def test_images_sorted_by_nearness_are_no_exception(small_chunks, order, k):
    # Nearest last, every image of every chunk passes the bar: more than there is room for.
    angle = np.linspace(0, 3, 40)[:: 1 if order == "nearest first" else -1]
    train = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    test = np.array([[1, 0], [1, -0.01]], np.float32)
    np.testing.assert_array_equal(nearest(train, test, k).index, slow(train, test, k)[1])


def test_long_features_are_compared_in_other_blocks_and_alike():
    train, test = features(5000, 130), features(1100, 130, seed=1)
    found = nearest(train, test, 7)
    similarity, index = slow(train, test, 7)
    # In float32 near ties may change places.
    assert np.mean(found.index == index) > 0.999
    np.testing.assert_allclose(found.similarity, similarity, atol=1e-6)


def test_half_precision_in_a_file_is_read_in_chunks(tmp_path, small_chunks):
    train, test = features(60).astype(np.float16), features(23, seed=1)
    train.tofile(tmp_path / "train")
    mapped = np.memmap(tmp_path / "train", np.float16, "r", shape=(60, 8))
    found = nearest(mapped, test, 9)
    np.testing.assert_array_equal(found.index, slow(train, test, 9)[1])
    assert found.similarity.dtype == np.float32


def test_an_image_of_zeros_is_near_to_none_and_breaks_nothing():
    train, test = features(10), np.zeros((1, 8), np.float32)
    found = nearest(train, test, 3)
    assert found.similarity.tolist() == [[0.0, 0.0, 0.0]]
    assert found.index.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("where", ["train", "test"])
def test_features_that_are_not_finite_are_refused(where):
    train, test = features(10), features(4)
    (train if where == "train" else test)[2, 1] = np.nan
    with pytest.raises(BadData, match="row 2 of a chunk is not finite"):
        nearest(train, test, 3)


@pytest.mark.parametrize("k", [0, 11])
def test_k_is_one_of_the_training_images(k):
    with pytest.raises(UsageError, match="k from 1 to the 10 training images"):
        nearest(features(10), features(4), k)


@pytest.mark.parametrize("vote", ["weighted", "majority"])
def test_every_k_is_voted_from_one_search_as_from_its_own(vote):
    train, test, labels = features(60), features(23, seed=1), np.arange(60) % 5
    most = nearest(train, test, 30)
    for k in (1, 7, 30):
        own = votes(nearest(train, test, k), labels, 5, k, vote, 0.07)
        assert votes(most, labels, 5, k, vote, 0.07).tolist() == own.tolist()


def test_a_tie_of_votes_goes_to_the_lower_class():
    near = Neighbours(similarity=np.ones((1, 4), np.float32), index=np.array([[0, 1, 2, 3]]))
    labels = np.array([2, 1, 1, 2])
    assert votes(near, labels, 3, 4, "majority", 1.0).tolist() == [1]
    assert votes(near, labels, 3, 4, "weighted", 0.07).tolist() == [1]


@pytest.mark.parametrize("settings", [(5, "weighted", 0.07), (2, "best", 1.0), (2, "weighted", 0)])
def test_votes_that_cannot_be_are_one_message(settings):
    found = nearest(features(10), features(4), 3)
    with pytest.raises(UsageError, match="a temperature above 0"):
        votes(found, np.arange(10) % 2, 2, *settings)


def test_shuffled_labels_give_chance():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 8))
    truth = np.arange(2000) % 4
    rows = (centres[truth] + 0.1 * rng.normal(size=(2000, 8))).astype(np.float32)
    labels = rng.permutation(truth[:1000])
    # Each test image alone among ten random neighbours: 25 % +- 3 * sqrt(.25 * .75 / 1000),
    # doubled because images of one cluster share neighbours.
    answers = votes(nearest(rows[:1000], rows[1000:], 10), labels, 4, 10, "majority", 1.0)
    assert abs(np.mean(answers == truth[1000:]) - 0.25) < 0.09


def test_a_grid_has_majority_once_and_every_temperature():
    assert grid((5, 9), (0.07, 0.1)) == [
        (5, "majority", 1.0),
        (9, "majority", 1.0),
        (5, "weighted", 0.07),
        (5, "weighted", 0.1),
        (9, "weighted", 0.07),
        (9, "weighted", 0.1),
    ]
