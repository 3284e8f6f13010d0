import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.errors import UnknownName, UsageError
from relicheck.evaluations.classifiers import head_of, training_subject
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.evaluators.shifted import ShiftedProtocol
from relicheck.evaluations.subject import Subject, open_model

PENALTY = {"penalties": (1e-2,)}


@pytest.fixture
def sketches(image_folder):
    """The same three classes, paler: a shifted set with no training images of its own."""
    from .conftest import write_images

    root = image_folder.parent / "pale"
    for name in ("cat", "dog", "emu"):
        write_images(root / "test" / name, 5, seed=2)
        for file in (root / "test" / name).iterdir():
            Image.fromarray(np.asarray(Image.open(file)) // 2 + 100).save(file)
    return root


def subject_on(network, data):
    return Subject(model=open_model(network), data=data)


def test_a_probe_is_trained_on_one_set_and_scored_on_another(
    network, image_folder, sketches, tmp_path
):
    chosen = {"shifted.train_data": str(image_folder), "shifted.penalties": (1e-2,)}
    [record] = evaluate(network, sketches, ["shifted"], records=tmp_path / "r", overrides=chosen)
    assert (record.protocol, record.images) == ("shifted_classifier.linear/1", 15)
    assert "classifier trained on animals, train" in record.notes
    # The same by hand: fit to the clean features, predict the pale ones.
    from relicheck.evaluations.evaluators.linear import LinearProtocol, fit

    chosen = fit(subject_on(network, image_folder), LinearProtocol(**PENALTY))
    features, labels = subject_on(network, sketches).features("test")
    assert record.value == pytest.approx(100 * np.mean(chosen.predict(features) == labels))


def test_on_its_own_training_images_it_is_the_linear_evaluator(network, image_folder, tmp_path):
    overrides = {"shifted.penalties": (1e-2,), "linear.penalties": (1e-2,)}
    shifted, linear = evaluate(
        network, image_folder, ["shifted", "linear"], records=tmp_path / "r", overrides=overrides
    )
    assert shifted.value == linear.value


def test_a_probe_of_the_subject_s_own_images_is_fitted_once(network, image_folder):
    subject = subject_on(network, image_folder)
    assert training_subject(subject, ShiftedProtocol()) is subject
    head_of(subject, ShiftedProtocol(**PENALTY), 3)
    kept = dict(subject.probes)
    head_of(subject, ShiftedProtocol(**PENALTY), 3)
    assert len(kept) == 1
    assert subject.probes == kept


def test_probes_and_features_of_other_data_are_not_shared(network, image_folder, sketches):
    subject = subject_on(network, image_folder)
    head_of(subject, ShiftedProtocol(**PENALTY), 3)
    other = subject.on(sketches)
    assert other.probes == {}
    assert len(other.features("test")[0]) == 15
    assert len(subject.features("test")[0]) == 9


def test_imagenet_s_shifted_sets_are_read_with_a_probe_of_imagenet(network):
    for name in ("imagenet_r", "imagenet_sketch", "imagenetv2_top_images", "objectnet"):
        trained = training_subject(subject_on(network, name), ShiftedProtocol())
        assert trained.data == "imagenet", name


def test_a_classifier_of_other_classes_and_an_unknown_source_are_refused(network, image_folder):
    subject = subject_on(network, image_folder)
    with pytest.raises(UsageError, match=r"it has 3 classes\. Wanted: the 5"):
        head_of(subject, ShiftedProtocol(**PENALTY), 5)
    with pytest.raises(UnknownName, match="Did you mean 'linear'"):
        head_of(subject, ShiftedProtocol(head_from="linar"), 3)


def test_the_training_images_of_a_shifted_set_are_opened_once(
    network, image_folder, sketches, tmp_path, monkeypatch
):
    opened = []

    def counting(data, split, root=None):
        opened.append((str(data), split))
        return open_split(data, split, root)

    monkeypatch.setattr("relicheck.evaluations.subject.open_split", counting)
    evaluate(
        network,
        sketches,
        ["shifted"],
        records=tmp_path / "r",
        overrides={"shifted.train_data": str(image_folder), "shifted.penalties": (1e-2,)},
    )
    # On ImageNet each opening lists 1.28 million files.
    assert opened.count((str(image_folder), "train")) == 1
