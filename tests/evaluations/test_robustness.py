import shutil

import numpy as np
import pytest
import torch

from relicheck.checkpoints.errors import UnknownName, UsageError
from relicheck.evaluations.corruptions import SEVERITIES, TEST_CORRUPTIONS, corrupt_image
from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.evaluators import robustness
from relicheck.evaluations.preprocess import crop, normalise
from relicheck.evaluations.subject import Subject, open_model


def measure(network, data, tmp_path, **fields):
    overrides = {f"robustness.{name}": value for name, value in fields.items()}
    return evaluate(network, data, ["robustness"], records=tmp_path / "r", overrides=overrides)


OWN = {"head_from": "checkpoint", "corruptions": ("contrast", "fog"), "severities": (2, 5)}


def test_the_checkpoint_s_own_classifier_needs_no_training_images(
    with_classes, image_folder, tmp_path
):
    shutil.rmtree(image_folder / "train")
    records = measure(with_classes(3), image_folder, tmp_path, **OWN)
    assert {record.protocol for record in records} == {"own_classifier_generated_corruptions/2"}
    assert [record.condition for record in records] == [
        "contrast/2", "contrast/5", "fog/2", "fog/5", "generated",
    ]  # fmt: skip


def test_generated_corruptions_give_a_mean_accuracy_and_never_an_mce(
    with_classes, image_folder, tmp_path
):
    *cells, mean = measure(with_classes(3), image_folder, tmp_path, **OWN)
    assert {record.metric for record in cells} == {"top1"}
    assert (mean.metric, mean.condition) == ("mean_corruption_top1", "generated")
    assert mean.value == pytest.approx(np.mean([record.value for record in cells]))
    assert "generated" in " ".join(mean.notes)


def test_the_images_are_corrupted_before_they_are_cropped(with_classes, image_folder):
    network = with_classes(3, resize=18)
    subject = Subject(model=open_model(network), data=image_folder)
    protocol = robustness.RobustnessProtocol(**OWN)
    second = list(robustness.run(subject, protocol, 0))[1]
    images, preprocessing = subject.images("test"), network.manifest.preprocessing
    shown = [
        crop(corrupt_image(images[k], "contrast/5", images.identities[k]), preprocessing)
        for k in range(len(images))
    ]
    with torch.no_grad():
        answers = network(normalise(np.stack(shown), preprocessing)).argmax(dim=1).numpy()
    assert second.correct.tolist() == (answers == images.labels).tolist()


def test_views_beyond_the_memory_are_made_in_several_passes(
    with_classes, image_folder, monkeypatch
):
    subject = Subject(model=open_model(with_classes(3)), data=image_folder)
    protocol = robustness.RobustnessProtocol(**OWN)
    at_once = [m.value for m in robustness.run(subject, protocol, 0)]
    monkeypatch.setattr(robustness, "_FEATURE_BYTES", 1)
    assert [m.value for m in robustness.run(subject, protocol, 0)] == at_once


def test_all_fifteen_at_all_severities_are_the_default():
    protocol = robustness.EVALUATOR.protocol
    assert (protocol.corruptions, protocol.severities) == (TEST_CORRUPTIONS, SEVERITIES)
    assert protocol.id == "linear_lbfgs_generated_corruptions/2"


def test_wrong_requests_are_one_message(with_classes, image_folder, tmp_path):
    with pytest.raises(UsageError, match="nothing to do"):
        measure(with_classes(3), image_folder, tmp_path, corruptions=())
    with pytest.raises(UnknownName, match="Did you mean 'fog'"):
        measure(with_classes(3), image_folder, tmp_path, corruptions=("fogg",))
    with pytest.raises(UsageError, match="a classifier of 5 classes"):
        measure(with_classes(5), image_folder, tmp_path, **OWN)
