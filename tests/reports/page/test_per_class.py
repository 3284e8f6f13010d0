"""Accuracy by class, and the images that divide the networks."""

import numpy as np
import pytest

from relicheck.reports.page.gallery import chosen, galleries
from relicheck.reports.page.labelled import Labelled, free
from relicheck.reports.page.per_class import per_class, share_of

LABELS = np.array([0, 0, 0, 0, 1, 1, 1, 1])


@pytest.fixture
def labelled():
    return Labelled(
        title="Digits (test)",
        labels=LABELS,
        class_names=("zero", "one"),
        licence="CC BY 4.0",
        image=lambda index: np.full((8, 8, 3), index, dtype=np.uint8),
    )


@pytest.fixture
def two(scored):
    return [scored("byol", answers="11101000"), scored("random", answers="00000001")]


def test_the_accuracy_of_a_class_is_counted_over_its_images(two, labelled):
    [shown] = per_class(two, {"sha256:d161": labelled})

    assert shown.classes == ("one", "zero")  # the hardest first: means of 25 and 37.5 %
    byol, random = shown.networks
    assert (byol.name, random.name) == ("byol", "random")
    assert [share.value for share in byol.by_class] == [25, 75]
    assert [share.value for share in random.by_class] == [25, 0]


def test_a_class_that_is_all_right_still_has_an_interval():
    share = share_of(np.ones(10, dtype=bool))

    # scipy.stats.binomtest(10, 10).proportion_ci(method="wilson").low
    assert share.value == 100
    assert share.interval == pytest.approx((72.2467, 100.0), abs=1e-3)


def test_of_many_classes_those_are_shown_in_which_the_networks_differ_most(scored):
    labels = np.repeat(np.arange(20), 2)
    same = np.tile([True, False], 20)
    other = same.copy()
    other[labels == 7] = [False, False]
    other[labels == 3] = [True, True]
    answers = ["".join("01"[int(right)] for right in each) for each in (same, other)]
    known = Labelled(title="t", labels=labels, class_names=[f"c{n}" for n in range(20)],
                     licence="MIT")  # fmt: skip

    [shown] = per_class(
        [scored(f"n{i}", answers=a) for i, a in enumerate(answers)], {"sha256:d161": known}
    )

    assert shown.of == 20
    assert len(shown.classes) == 14
    assert shown.classes[0] == "c7"
    assert shown.classes[-1] == "c3"


@pytest.mark.parametrize(
    "fields",
    [{"condition": "noise/1"}, {"metric": "top5"}, {"data_images": 9}, {"data_fingerprint": "x"}],
)
def test_other_images_metrics_and_parts_are_left_out(scored, labelled, fields):
    assert per_class([scored("a", answers="11101000", **fields)], {"sha256:d161": labelled}) == []


def test_the_gallery_shows_images_that_part_of_the_networks_got_right(two, labelled):
    [gallery] = galleries(two, {"sha256:d161": labelled})

    # byol alone: 0, 1, 2, 4; random alone: 7; nobody: 3, 5, 6.
    assert gallery.missed_by_all == 3
    assert [image.label for image in gallery.shown] == ["zero"] * 3 + ["one"] * 2
    assert gallery.shown[0].right == ("byol",)
    assert gallery.shown[-1].right == ("random",)
    assert gallery.shown[0].address.startswith("data:image/png;base64,")


def test_classes_take_turns_in_a_gallery():
    answers = np.array([[True] * 8, [False] * 8])

    assert chosen(answers, LABELS, most=4) == [0, 1, 4, 5]


def test_images_without_a_free_licence_are_never_shown(two, labelled):
    from dataclasses import replace

    assert galleries(two, {"sha256:d161": replace(labelled, image=None)}) == []


@pytest.mark.parametrize(
    ("licence", "is_free"),
    [
        ("CC BY 4.0", True),
        ("CC BY 4.0 for the corruptions; the images under ImageNet's terms", False),
        ("CC BY 4.0 with terms: never train on it, keep the red frame when publishing images",
         False),
        ("none stated; cite Krizhevsky (2009)", False),
        ("CC BY-NC 4.0", False),
    ],
)  # fmt: skip
def test_a_licence_with_further_terms_is_not_free(licence, is_free):
    assert free(licence) == is_free
