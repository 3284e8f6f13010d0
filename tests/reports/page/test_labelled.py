"""Labels come from the data at hand, and only if they are those that were measured."""

import numpy as np
import pytest

from relicheck.evaluations.dataset import open_split
from relicheck.reports.page.labelled import labelled_sets


@pytest.fixture
def digits(scored):
    """A record of the digits' test images, its fingerprint that of the images alone."""

    def build(fingerprint):
        return scored(
            "byol", answers="10" * 350, dataset="digits", data_fingerprint=fingerprint
        ).record

    return build


def test_a_shipped_set_is_opened_and_shown_under_its_licence(digits):
    fingerprint = open_split("digits", "test").fingerprint

    [known] = labelled_sets([digits(fingerprint)]).values()

    assert len(known.labels) == 700
    assert known.class_names == tuple("0123456789")
    assert known.licence == "CC BY 4.0"
    assert known.image(0).shape == (16, 16, 3)


def test_images_other_than_those_measured_are_not_used(digits):
    assert labelled_sets([digits("sha256:" + "0" * 64)]) == {}


def test_absent_data_and_unknown_folders_are_left_out(scored, bare_machine):
    records = [
        scored("byol", dataset=dataset, data_fingerprint=f"sha256:{n}").record
        for n, dataset in enumerate(("cifar10", "somebody's folder", "imagenet"))
    ]

    assert labelled_sets(records) == {}


def test_published_predictions_bring_their_labels(scored, real_data):
    from relicheck.evaluations.predictions import labels_fingerprint
    from relicheck.evaluations.published_predictions import published_labels

    path = real_data / "predictions" / "cifar10-30models-cifar10h.npz"
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        labels = archive["labels_v6"]
    fingerprint = labels_fingerprint("cifar10.1_v6", labels)

    found, names = published_labels("cifar10.1_v6", fingerprint)

    assert np.array_equal(found, labels)
    assert names[0] == "airplane"
    assert published_labels("cifar10.1_v6", "labels:of another set")[0] is None
