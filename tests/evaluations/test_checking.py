"""Every image read once: what is counted, what is corrupt, and whose hash is remembered."""

import hashlib
import os

import pytest

from relicheck.evaluations.checking import check, check_source, without_corrupt
from relicheck.evaluations.content_hashes import recall, remember, stamp
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.image_source import skipped_of


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def large(monkeypatch):
    """Folders count as too large to be hashed whenever they are opened."""
    monkeypatch.setattr("relicheck.evaluations.sources.STAT_BYTES", 10)


def test_every_image_is_decoded_and_counted(image_folder):
    train, test = check(str(image_folder))
    assert (train.split, train.images, train.good) == ("train", 24, True)
    assert (test.split, test.images, test.good) == ("test", 9, True)


def test_every_corrupt_image_is_named_with_its_reason(image_folder):
    (image_folder / "test" / "dog" / "001.png").write_text("<html>404</html>")
    (image_folder / "test" / "emu" / "000.png").write_bytes(b"")
    found = check_source(open_split(image_folder, "test"))
    assert [bad.identity for bad in found.corrupt] == ["dog/001.png", "emu/000.png"]
    assert [bad.index for bad in found.corrupt] == [4, 6]
    assert "cannot be read as an image" in found.corrupt[0].reason
    assert "the file is empty" in found.corrupt[1].reason
    assert not found.good
    assert found.fingerprint == ""


def test_a_checked_folder_is_known_by_its_content_instead_of_its_sizes(image_folder, large):
    source = open_split(image_folder, "test")
    assert source.fingerprint.startswith("stat:")
    found = check_source(source=open_split(image_folder, "test"))
    assert found.fingerprint.startswith("sha256:")
    assert open_split(image_folder, "test").fingerprint == found.fingerprint


def test_the_remembered_hash_is_the_one_that_a_small_folder_has(image_folder, monkeypatch):
    small = open_split(image_folder, "test").fingerprint
    monkeypatch.setattr("relicheck.evaluations.sources.STAT_BYTES", 10)
    check_source(open_split(image_folder, "test"))
    assert open_split(image_folder, "test").fingerprint == small


@pytest.mark.parametrize("change", ["content", "time", "name", "new"])
def test_a_changed_folder_is_forgotten(image_folder, large, change):
    check_source(open_split(image_folder, "test"))
    file = image_folder / "test" / "cat" / "000.png"
    if change == "content":
        file.write_bytes(file.read_bytes() + b"\0")
    elif change == "time":
        os.utime(file, (1, 1))
    elif change == "name":
        file.rename(file.with_name("0000.png"))
    else:
        (file.parent / "9.png").write_bytes(file.read_bytes())
    assert open_split(image_folder, "test").fingerprint.startswith("stat:")


def test_a_corrupt_folder_is_not_remembered(image_folder, large):
    (image_folder / "test" / "dog" / "001.png").write_text("<html>404</html>")
    check_source(open_split(image_folder, "test"))
    assert open_split(image_folder, "test").fingerprint.startswith("stat:")


def test_what_was_read_is_not_read_again_unless_asked(image_folder, monkeypatch):
    assert not check_source(open_split(image_folder, "test")).remembered
    decoded = []
    monkeypatch.setattr(
        "relicheck.evaluations.sources.decode", lambda *a, **k: decoded.append(a) or 1 / 0
    )
    assert check_source(open_split(image_folder, "test")).remembered
    assert decoded == []
    with pytest.raises(ZeroDivisionError):
        check_source(open_split(image_folder, "test"), again=True)


def test_an_interrupted_check_remembers_the_split_it_finished(image_folder, large):
    checks = check(str(image_folder))
    next(checks)
    checks.close()
    assert open_split(image_folder, "train").fingerprint.startswith("sha256:")
    assert open_split(image_folder, "test").fingerprint.startswith("stat:")


def test_a_split_that_is_not_there_is_a_problem_and_the_others_are_checked(tmp_path):
    (tmp_path / "pacs" / "photo" / "dog").mkdir(parents=True)
    found = {split.split: split for split in check("pacs", tmp_path)}
    assert "found no images in photo" in found["photo"].problem
    assert not found["photo"].good
    assert set(found) == {"photo", "art_painting", "cartoon", "sketch", "test"}


def test_a_hash_is_only_recalled_for_its_own_stamp(tmp_path):
    (tmp_path / "a").write_text("a")
    key = stamp([tmp_path / "a"])
    assert recall(key) is None
    path = remember(key, f"sha256:{hashlib.sha256(b'a').hexdigest()}")
    assert recall(key).startswith("sha256:")
    assert stamp([tmp_path / "a"], ["part"]) != key
    path.write_text("{")
    assert recall(key) is None


# Skipping


def test_without_corrupt_images_the_rest_keeps_its_order_and_knows_the_whole(image_folder):
    (image_folder / "test" / "dog" / "001.png").write_text("<html>404</html>")
    whole = open_split(image_folder, "test")
    rest = without_corrupt(whole)
    assert skipped_of(rest) == ("dog/001.png",)
    assert (len(rest), rest.expected) == (8, 9)
    assert rest.labels.tolist() == [0, 0, 0, 1, 1, 2, 2, 2]
    assert (rest[4] == whole[5]).all()
    assert rest.fingerprint != whole.fingerprint


def test_a_whole_source_is_left_as_it_is(image_folder):
    source = open_split(image_folder, "test")
    assert without_corrupt(source) is source
