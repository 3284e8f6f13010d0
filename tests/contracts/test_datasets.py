"""What every registered data set keeps to; a new file is held to it at once."""

import re
from dataclasses import replace
from importlib import import_module

import pytest

from relicheck.checkpoints.errors import BadData, MissingData
from relicheck.checkpoints.spec import Preprocessing
from relicheck.evaluations.dataset import Dataset, datasets, locate, open_split
from relicheck.evaluations.presence import look_for
from relicheck.evaluations.splits import imagenet_wnids
from relicheck.reports.data_text import status_text

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
    assert known.obtain.endswith(".")
    assert known.title


def test_a_data_set_s_own_metric_and_splits_are_sums_that_fit(name):
    known = datasets.load(name)
    if {"train", "val", "trainval"} <= set(known.splits):
        assert known.splits["train"] + known.splits["val"] == known.splits["trainval"]


def test_splits_name_the_scored_and_the_training_one(name):
    known = datasets.load(name)
    assert known.scored in known.splits
    assert known.training is None or known.training in known.splits
    assert all(images > 0 for images in known.splits.values())


def test_the_metric_is_one_that_is_measured(name):
    known = datasets.load(name)
    assert known.metric in ("top1", "mean_per_class", "map_11_point", "miou")
    assert known.multi_label == (known.metric == "map_11_point")


def test_it_says_where_it_is_offered_how_large_it_is_and_how_it_lies_on_disk(name):
    known = datasets.load(name)
    assert known.address
    assert known.scored_classes
    assert known.preprocessing
    if not known.folders:
        assert known.layouts == ()
        return
    assert known.address.startswith("http")
    assert known.bytes > 100_000
    for layout in known.layouts:
        # A layout begins with the folder, or the file, that the data root holds.
        assert any(layout.tree.startswith(folder.split("/")[0]) for folder in known.folders)
        assert any(files.needed for files in layout.files)
        assert all(files.count > 0 and not files.pattern.startswith("/") for files in layout.files)


def test_validation_images_are_fewer_than_the_training_images_and_the_last_of_them(name):
    known = datasets.load(name)
    if known.training is None:
        assert known.validation_images == 0
    elif known.validation is not None:
        assert known.splits[known.validation] == known.validation_images
        assert known.splits["train"] + known.validation_images == known.splits[known.training]
    else:
        assert 0 <= known.validation_images < known.splits[known.training]


def test_the_authors_geometry_fits_any_checkpoint(name):
    geometry = datasets.load(name).geometry
    if geometry is not None:
        made = geometry.of(Preprocessing(image_size=32, mean=(0.0, 0.0, 0.0)))
        assert (made.image_size, made.mean) == (geometry.image_size, (0.0, 0.0, 0.0))


def test_an_absent_data_set_is_missing_and_its_address_is_printed(name, tmp_path):
    known = datasets.load(name)
    if not known.folders:
        assert look_for(name, tmp_path).state == "shipped"
        return
    found = look_for(name, tmp_path)
    assert (found.state, found.address) == ("missing", known.address)
    assert known.address in status_text([found], tmp_path)
    with pytest.raises(MissingData, match=re.escape(known.address)):
        locate(name, tmp_path)


def test_the_tree_of_each_layout_is_there_and_one_file_less_is_named(name, tmp_path, monkeypatch):
    known = datasets.load(name)
    if not known.folders:
        pytest.skip(f"{name} comes with a dependency")
    for number, layout in enumerate(known.layouts):
        # As published, but of each kind of file nine at most: a test writes no million files.
        files = [replace(f, count=min(f.count, 9)) for f in layout.files]
        small = replace(known, layouts=(replace(layout, files=tuple(files)),))
        monkeypatch.setattr(datasets, "load", lambda _, small=small: small)
        root = tmp_path / str(number)
        for kind in files:
            write_files(root / known.folders[0], kind)
        assert look_for(name, root).state == "there"
        first = next(kind for kind in files if kind.needed)
        write_files(root / known.folders[0], first, remove=True)
        found = look_for(name, root)
        assert found.state == ("missing" if len(files) == 1 == first.count else "incomplete")
        assert [(lack.pattern, lack.found) for lack in found.lacking if lack.needed] == [
            (first.pattern, first.count - 1)
        ]


def write_files(folder, files, remove=False):
    """Write as many files as a complete data set has, empty or of the right size and sparse.

    `remove`: take the last of them away again.
    """
    for index in range(files.count):
        name = files.pattern.replace("**", "sub/class")
        while "*" in name:
            last = name.count("*") == 1
            ending = ".jpg" if last and name.endswith("*") else ""
            name = name.replace("*", f"{index if last else index % 7}{ending}", 1)
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.truncate(files.bytes_each or 0)
    if remove:
        path.unlink()


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
    (tmp_path / known.folders[0]).mkdir(parents=True)
    with pytest.raises((MissingData, BadData)):
        open_split(name, "test", tmp_path)
