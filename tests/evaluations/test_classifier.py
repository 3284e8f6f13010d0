import numpy as np
import pytest
import torch

from relicheck import evaluate
from relicheck.checkpoints.errors import UsageError
from relicheck.evaluations.evaluators import classifier, classifier_mapped, classifier_masked
from relicheck.evaluations.metrics import mean_per_class, ranked, topk
from relicheck.evaluations.preprocess import crops, normalise
from relicheck.evaluations.subject import Subject, open_model


def test_the_own_classifier_answers_as_the_network_s_forward_pass(with_classes, image_folder):
    network = with_classes(classes=3)
    subject = Subject(model=open_model(network), data=image_folder)
    [measured] = classifier.run(subject, classifier.ClassifierProtocol(), 0)
    images, preprocessing = subject.images("test"), network.manifest.preprocessing
    with torch.no_grad():
        logits = network(normalise(crops(images, range(9), preprocessing), preprocessing))
    answers = logits.argmax(dim=1).numpy()
    assert measured.correct.tolist() == (answers == images.labels).tolist()


def test_a_classifier_of_other_classes_is_refused(with_classes, image_folder, tmp_path):
    with pytest.raises(UsageError, match=r"of 5 classes\. Wanted: one of the 3 classes"):
        evaluate(with_classes(classes=5), image_folder, ["classifier"], records=tmp_path / "r")


class Answers:
    """A subject whose 1000 logits are given: features are the logits, the head the identity."""

    def __init__(self, logits, labels, indices):
        self.features = lambda split: (logits.astype(np.float32), labels)
        self.head = (np.eye(1000, dtype=np.float32), np.zeros(1000, np.float32))
        self.dataset = type("D", (), {"imagenet_indices": indices})
        self.dataset_name = "three_classes"
        self.images = lambda split: type("S", (), {"class_names": ("a", "b", "c")})


@pytest.fixture
def answers():
    # Class a is ImageNet's 10 or 11, b is 20, c is 30; index 500 belongs to none of them.
    logits = np.zeros((3, 1000))
    logits[0, [11, 20]] = 5, 4  # says 11: a
    logits[1, [500, 20]] = 5, 4  # says 500, and among the three b
    logits[2, [20, 30]] = 5, 4  # says b
    return Answers(logits, np.array([0, 1, 2]), ((10, 11), (20,), (30,)))


def test_best_of_1000_then_map_counts_a_foreign_class_as_wrong(answers):
    one, five = classifier_mapped.run(answers, classifier_mapped.EVALUATOR.protocol, 0)
    assert one.correct.tolist() == [True, False, False]
    assert five.correct.tolist() == [True, True, True]


def test_best_of_the_mapped_classes_lets_only_theirs_compete(answers):
    one, five = classifier_masked.run(answers, classifier_masked.EVALUATOR.protocol, 0)
    assert one.correct.tolist() == [True, True, False]
    assert five.metric == "top3"


def test_ranking_puts_the_largest_first_and_ties_to_the_lower_class():
    assert ranked(np.array([[1.0, 3.0, 3.0, 2.0]]), 3).tolist() == [[1, 2, 3]]


def test_top_k_counts_a_label_anywhere_among_the_answers():
    measured = topk(np.array([[4, 2], [1, 0], [3, 5]]), np.array([2, 1, 9]))
    assert (measured.metric, measured.value) == ("top2", pytest.approx(200 / 3))


def test_mean_per_class_weighs_classes_and_not_images():
    labels = np.array([0] * 8 + [1] * 2)
    correct = np.array([True] * 8 + [False] * 2)
    # Class shares 1 and 0: mean 50, though 80 % of the images are right.
    assert mean_per_class(correct, labels).value == 50


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "top1"), [("akamaster_resnet20", 91.73), ("akamaster_resnet32", 92.63)]
)
def test_published_cifar_weights_meet_their_readme_to_the_last_digit(
    name, top1, real_data, tmp_path
):
    records = evaluate(name, "cifar10", ["classifier"], records=tmp_path, data_root=real_data)
    assert records[0].value == pytest.approx(top1, abs=0.005)


def test_published_cifar_weights_are_near_their_readme_on_a_part(real_data, tmp_path):
    [one, _] = evaluate(
        "akamaster_resnet20", "cifar10", ["classifier"], records=tmp_path, limit=400,
        data_root=real_data,
    )  # fmt: skip
    # 91.73 of all; four standard errors of 400 images are 5.5.
    assert abs(one.value - 91.73) < 5.5
    assert not one.complete
