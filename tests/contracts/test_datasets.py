"""What every registered data set keeps to; a new file is held to it at once."""

import re
from importlib import import_module

import pytest

from relicheck.checkpoints.errors import BadData, MissingData
from relicheck.evaluations.dataset import Dataset, datasets, locate, open_split
from relicheck.evaluations.splits import imagenet_wnids

NAMES = datasets.names()


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def test_there_are_data_sets():
    assert {"digits", "cifar10", "cifar10_jpeg", "imagenet", "objectnet"} <= set(NAMES)


def test_the_file_name_is_the_name_and_offers_a_data_set(name):
    assert isinstance(datasets.load(name), Dataset)
    assert re.fullmatch(r"[a-z0-9_]+", name)


def test_the_docstring_says_its_size(name):
    module = import_module(f"relicheck.evaluations.datasets.{name}")
    words = " ".join(module.__doc__.split())
    assert len(words) > 150
    known = datasets.load(name)
    assert f"{known.splits[known.scored]:,}" in words or str(known.splits[known.scored]) in words \
        or name == "pacs"  # fmt: skip


def test_licence_source_and_how_to_get_it_are_given(name):
    known = datasets.load(name)
    assert known.licence
    assert "http" in known.source or "arXiv" in known.source
    assert known.obtain.endswith((".", "/."))
    assert known.title


def test_splits_name_the_scored_and_the_training_one(name):
    known = datasets.load(name)
    assert known.scored in known.splits
    assert known.training is None or known.training in known.splits
    assert all(images > 0 for images in known.splits.values())


def test_the_metric_is_one_that_is_measured(name):
    assert datasets.load(name).metric in ("top1", "mean_per_class")


def test_a_map_to_imagenet_has_one_group_for_each_class(name):
    groups = datasets.load(name).imagenet_indices
    if groups is not None:
        assert len(groups) == datasets.load(name).classes
        indices = [index for group in groups for index in group]
        assert len(set(indices)) == len(indices)
        assert 0 <= min(indices) <= max(indices) < len(imagenet_wnids())


def test_where_it_is_absent_the_message_says_what_to_do(name, tmp_path):
    if not datasets.load(name).folders:
        pytest.skip(f"{name} comes with a dependency")
    with pytest.raises(MissingData, match="Set RELICHECK_DATA or pass --data-root"):
        locate(name, tmp_path)


def test_an_empty_folder_is_one_clear_message(name, tmp_path):
    known = datasets.load(name)
    if not known.folders:
        pytest.skip(f"{name} comes with a dependency")
    (tmp_path / known.folders[0]).mkdir()
    with pytest.raises((MissingData, BadData)):
        open_split(name, "test", tmp_path)
