import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from relicheck.evaluations.evaluators.knn import KnnProtocol, nearest_labels


def clusters(images, spread, seed=0, classes=4, dim=8):
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % classes
    centres = np.random.default_rng(99).normal(size=(classes, dim))
    return (centres[labels] + spread * rng.normal(size=(images, dim))).astype(np.float32), labels


def slow_weighted(train, labels, test, classes, k, temperature):
    answers = []
    for row in test.astype(np.float64):
        closeness = [
            float(row @ other / np.linalg.norm(row) / np.linalg.norm(other))
            for other in train.astype(np.float64)
        ]
        votes = [0.0] * classes
        for index in sorted(range(len(train)), key=lambda i: -closeness[i])[:k]:
            votes[labels[index]] += np.exp(closeness[index] / temperature)
        answers.append(int(np.argmax(votes)))
    return answers


def test_weighted_votes_equal_a_slow_loop_over_all_pairs():
    train, labels = clusters(60, 1.5)
    test, _ = clusters(40, 1.5, seed=1)
    fast = nearest_labels(train, labels, test, 4, KnnProtocol(k=7))
    assert fast.tolist() == slow_weighted(train, labels, test, 4, 7, 0.07)


def test_majority_votes_equal_those_of_scikit_learn():
    train, labels = clusters(60, 1.5)
    test, _ = clusters(40, 1.5, seed=1)
    reference = KNeighborsClassifier(n_neighbors=9, metric="cosine").fit(train, labels)
    fast = nearest_labels(train, labels, test, 4, KnnProtocol(k=9, vote="majority"))
    assert fast.tolist() == reference.predict(test).tolist()


def test_the_temperature_decides_between_one_near_and_two_farther_neighbours():
    # Cosines 0.995 (class 0) and twice 0.9 (class 1): exp(0.095 / 0.07) = 3.9 > 2 votes,
    # while at temperature 1 exp(0.095) = 1.1 < 2.
    train = np.array([[0.995, 0.0999], [0.9, 0.4359], [0.9, -0.4359]], np.float32)
    labels, test = np.array([0, 1, 1]), np.array([[1.0, 0.0]], np.float32)
    assert nearest_labels(train, labels, test, 2, KnnProtocol(k=3)).tolist() == [0]
    assert nearest_labels(train, labels, test, 2, KnnProtocol(k=3, temperature=1.0)).tolist() == [1]


def test_separated_clusters_are_always_right():
    train, labels = clusters(60, 0.01)
    test, truth = clusters(40, 0.01, seed=1)
    assert (nearest_labels(train, labels, test, 4, KnnProtocol(k=5)) == truth).all()


@pytest.mark.parametrize("settings", [{"knn.k": 1000}, {"knn.vote": "best"}])
def test_impossible_settings_are_one_message(settings, image_folder, network, tmp_path):
    from relicheck import evaluate
    from relicheck.checkpoints.errors import UsageError

    with pytest.raises(UsageError, match="k from 1 to the 24 training images"):
        evaluate(network, image_folder, ["knn"], records=tmp_path / "r", overrides=settings)


def test_the_grid_has_the_default_number_and_the_choice_on_the_test_images(
    image_folder, network, tmp_path
):
    from relicheck import evaluate

    plain, *_ = evaluate(network, image_folder, ["knn"], records=tmp_path / "r")
    grid = evaluate(network, image_folder, ["knn_grid"], records=tmp_path / "r")
    found = {record.condition: record for record in grid}
    assert found["k=20,weighted,t=0.07"].value == plain.value
    chosen = found["selected_on_test"]
    assert chosen.value == max(found[f"k={k},majority"].value for k in (10, 20))
    assert "on the test images themselves" in chosen.notes[0]
    # 24 training images: k = 100 and 200 are left out.
    assert sorted({c.split(",")[0] for c in found if c.startswith("k=")}) == ["k=1", "k=10", "k=20"]


def test_a_grid_without_a_possible_k_is_one_message(image_folder, network, tmp_path):
    from relicheck import evaluate
    from relicheck.checkpoints.errors import UsageError

    settings = {"knn_grid.k": "500", "knn_grid.best_of": "500"}
    with pytest.raises(UsageError, match="a k from 1 to the 24 training images"):
        evaluate(network, image_folder, ["knn_grid"], records=tmp_path / "r", overrides=settings)
