import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.dataset import datasets
from relicheck.evaluations.sources import from_arrays
from relicheck.evaluations.transfer_sets import TRANSFER_SETS, departures
from relicheck.evaluations.validation import divide, draw


def source(count, classes=2, split="train"):
    return from_arrays(
        np.zeros((count, 1, 1, 3), np.uint8),
        name="small",
        split=split,
        labels=np.arange(count) % classes,
        class_names=tuple(map(str, range(classes))),
    )


def test_equal_classes_give_equally_many():
    labels = np.repeat(np.arange(102), 30)
    # BYOL's Caltech-101: 5 of 30 of each class are held out.
    assert np.bincount(labels[draw(labels, 510, seed=0)]).tolist() == [5] * 102


def test_unequal_classes_give_their_share_and_exactly_so_many_in_all():
    labels = np.repeat([0, 1, 2], [600, 300, 100])
    drawn = np.bincount(labels[draw(labels, 101, seed=1)])
    assert drawn.sum() == 101
    assert np.abs(drawn - [60.6, 30.3, 10.1]).max() <= 1


def test_a_class_of_one_image_keeps_it():
    labels = np.array([0] * 50 + [1])
    assert 50 not in draw(labels, 25, seed=0)


def test_the_draw_is_the_seeds_alone():
    labels = np.arange(100) % 5
    assert draw(labels, 10, 0).tolist() == draw(labels, 10, 0).tolist()
    assert draw(labels, 10, 0).tolist() != draw(labels, 10, 1).tolist()


def test_drawn_and_kept_images_are_all_of_them_once():
    found = divide(source(40), 7, None, seed=0)
    assert sorted([*found.kept, *found.held]) == list(range(40))
    assert len(found.held) == 7


def test_official_validation_images_are_the_last_of_the_training_images():
    found = divide(source(10), 3, "val", seed=5)
    assert found.held.tolist() == [7, 8, 9]
    assert "official val images" in found.said


def test_where_no_count_is_stated_a_tenth_is_drawn():
    assert len(divide(source(50), 0, None, seed=0).held) == 5


def test_nothing_to_choose_on_is_refused():
    with pytest.raises(BadData, match="4 images, of which 4 would be held out"):
        divide(source(4), 4, None, seed=0)


def test_the_table_is_that_of_the_paper():
    # Spot checks and the sums that are published elsewhere: 50,000 CIFAR training images.
    for name in ("cifar10", "cifar100"):
        assert TRANSFER_SETS[name].train + TRANSFER_SETS[name].validation == 50_000
    assert TRANSFER_SETS["voc2007"].metric == "map_11_point"
    per_class = {name for name, row in TRANSFER_SETS.items() if row.metric == "mean_per_class"}
    assert per_class == {"aircraft", "pets", "caltech101", "flowers"}
    assert len(TRANSFER_SETS) == 13


@pytest.mark.parametrize("name", sorted(set(TRANSFER_SETS) & set(datasets.names())))
def test_each_registered_set_declares_what_the_table_says(name):
    known, row = datasets.load(name), TRANSFER_SETS[name]
    assert known.classes == row.classes
    assert known.metric == row.metric
    assert known.splits[known.scored] == row.test
    assert known.splits[known.training] == row.train + row.validation
    assert known.validation_images == row.validation


def test_what_differs_from_the_table_is_said():
    said = departures("cifar10", source(50_000, 10), 5_000, source(10_000, 10, "test"), "top1")
    assert said == ()
    said = departures("cifar10", source(40, 10), 4, source(10_000, 10, "test"), "top1")
    assert said == (
        "BYOL's Table 10 has 50000 training images, here are 40",
        "BYOL's Table 10 has 5000 validation images, here are 4",
    )
    assert "is not in BYOL's Table 10" in departures("digits", source(9), 1, source(9), "top1")[0]
