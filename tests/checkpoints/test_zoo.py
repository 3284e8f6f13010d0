"""Published checkpoints: found by name, held against their hash, opened for real."""

import shutil

import pytest
import torch

from relicheck.checkpoints import zoo
from relicheck.checkpoints.errors import BadCheckpoint, MissingData
from relicheck.checkpoints.load import load_checkpoint


@pytest.fixture(params=zoo.published_names())
def entry(request):
    return zoo.read_published(request.param)


def test_every_entry_states_address_hash_and_licence(entry):
    assert entry.address.startswith("https://")
    assert len(entry.sha256) == 64
    assert entry.licence


def test_an_absent_file_names_the_folders_and_the_address(entry, tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path))

    with pytest.raises(MissingData) as error:
        zoo.find_published(entry)

    assert str(tmp_path / "weights") in str(error.value)
    assert entry.address in str(error.value)


def test_a_file_of_the_right_name_and_other_contents_is_refused(entry, tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path))
    (tmp_path / entry.file).write_bytes(b"something else")

    with pytest.raises(BadCheckpoint, match="the published file's"):
        zoo.find_published(entry)


def test_a_published_file_opens_under_its_name_and_under_any_other(entry, tmp_path):
    try:
        path = zoo.find_published(entry)
    except MissingData as missing:
        pytest.skip(str(missing))
    renamed = tmp_path / "weights.th"
    shutil.copyfile(path, renamed)
    images = torch.randn(1, 3, 32, 32)

    by_name, by_hash = load_checkpoint(entry.name), load_checkpoint(renamed)

    assert by_name.manifest.licence == by_hash.manifest.licence == entry.licence
    assert by_name.manifest.preprocessing == entry.preprocessing
    with torch.inference_mode():
        assert torch.equal(by_name(images), by_hash(images))
