import shutil

import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.errors import BadData, MissingData, UnknownName
from relicheck.evaluations.dataset import check_classes, data_roots, locate, open_split
from relicheck.evaluations.sources import from_arrays, part


def test_a_folder_of_class_folders_is_a_data_set(image_folder):
    source = open_split(image_folder, "train")
    assert (source.name, source.split, len(source)) == ("animals", "train", 24)
    assert source.class_names == ("cat", "dog", "emu")
    assert source.labels.tolist() == [0] * 8 + [1] * 8 + [2] * 8
    assert source.identities[8] == "dog/000.png"


def test_val_stands_for_a_missing_test(image_folder):
    (image_folder / "test").rename(image_folder / "val")
    assert open_split(image_folder, "test").split == "val"


def test_upper_case_suffixes_are_read(image_folder):
    (image_folder / "test" / "cat" / "000.png").rename(image_folder / "test" / "cat" / "0.PNG")
    assert len(open_split(image_folder, "test")) == 9


def test_stray_files_are_passed_over(image_folder):
    (image_folder / "test" / "cat" / ".DS_Store").touch()
    (image_folder / "test" / "readme.txt").touch()
    assert len(open_split(image_folder, "test")) == 9


def test_an_empty_class_is_named(image_folder):
    shutil.rmtree(image_folder / "test" / "dog")
    (image_folder / "test" / "dog").mkdir()
    with pytest.raises(BadData, match="dog: the class holds no image"):
        open_split(image_folder, "test")


def test_images_outside_class_folders_are_explained(image_folder):
    for file in (image_folder / "test").rglob("*.png"):
        file.rename(image_folder / "test" / f"{file.parent.name}{file.name}")
    for name in ("cat", "dog", "emu"):
        (image_folder / "test" / name).rmdir()
    with pytest.raises(BadData, match="9 images and no class folders"):
        open_split(image_folder, "test")


def test_a_folder_without_the_split_says_the_layout(image_folder):
    with pytest.raises(MissingData, match=r"no folder 'train'.*train/<class>/<image>"):
        open_split(image_folder / "test", "train")


def test_a_missing_folder_and_a_mistyped_name_are_told_apart(tmp_path):
    with pytest.raises(MissingData, match="there is no such folder"):
        open_split(tmp_path / "nowhere", "test")
    with pytest.raises(UnknownName, match="Did you mean 'digits'"):
        open_split("digit", "test")


def test_an_unknown_split_names_the_known_ones():
    with pytest.raises(UnknownName, match="Known: test, train"):
        open_split("digits", "validation")


def test_different_classes_in_train_and_test_are_named(image_folder):
    (image_folder / "test" / "emu").rename(image_folder / "test" / "owl")
    with pytest.raises(BadData, match=r"only in train: \['emu'\]; only in test: \['owl'\]"):
        check_classes(open_split(image_folder, "train"), open_split(image_folder, "test"))


def test_one_class_cannot_train_a_probe(image_folder):
    for split in ("train", "test"):
        shutil.rmtree(image_folder / split / "dog")
        shutil.rmtree(image_folder / split / "emu")
    with pytest.raises(BadData, match="every image is of one class"):
        check_classes(open_split(image_folder, "train"), open_split(image_folder, "test"))


def test_a_class_without_training_images_is_named():
    images = np.zeros((4, 2, 2, 3), np.uint8)
    rest = {"name": "x", "class_names": ("a", "b", "c")}
    train = from_arrays(images, labels=[0, 0, 1, 1], split="train", **rest)
    test = from_arrays(images, labels=[0, 1, 2, 2], split="test", **rest)
    with pytest.raises(BadData, match=r"no image of \['c'\]"):
        check_classes(train, test)


def test_the_fingerprint_follows_content_names_and_labels(image_folder):
    first = open_split(image_folder, "test").fingerprint
    assert first == open_split(image_folder, "test").fingerprint
    Image.new("RGB", (16, 16)).save(image_folder / "test" / "cat" / "000.png")
    second = open_split(image_folder, "test").fingerprint
    (image_folder / "test" / "cat" / "000.png").rename(image_folder / "test" / "cat" / "9.png")
    third = open_split(image_folder, "test").fingerprint
    assert len({first, second, third}) == 3
    assert first.startswith("sha256:")


def test_large_folders_are_fingerprinted_by_size_and_say_so(image_folder, monkeypatch):
    monkeypatch.setattr("relicheck.evaluations.sources.STAT_BYTES", 1000)
    assert open_split(image_folder, "test").fingerprint.startswith("stat:")


def test_a_part_is_spread_over_the_classes_and_knows_the_whole(image_folder):
    source = open_split(image_folder, "test")
    some = part(source, 3)
    assert some.labels.tolist() == [0, 1, 2]
    assert some.expected == 9
    assert some.fingerprint != source.fingerprint
    assert (some[1] == source[3]).all()


def test_labels_out_of_range_are_refused():
    with pytest.raises(BadData, match="labels from 0 to 7"):
        from_arrays(
            np.zeros((2, 2, 2, 3), np.uint8),
            labels=[0, 7],
            name="x",
            split="test",
            class_names=("a", "b"),
        )


def test_data_roots_come_from_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path))
    assert data_roots() == [tmp_path]
    monkeypatch.delenv("RELICHECK_DATA")
    assert [str(root) for root in data_roots()] == ["data"]


def test_a_missing_data_set_says_where_to_get_it_and_how_it_lies(tmp_path):
    with pytest.raises(MissingData) as caught:
        locate("objectnet", tmp_path)
    for wanted in (
        f"objectnet is not under {tmp_path}: found no folder 'objectnet'",
        "Set RELICHECK_DATA or pass --data-root",
        "https://objectnet.dev",
        "objectnet/images/<folder>/<image>.png",
    ):
        assert wanted in str(caught.value)
