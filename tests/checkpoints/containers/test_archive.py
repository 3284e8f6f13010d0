"""Archives as SimCLR's authors publish them: read as they are, and never trusted."""

import shutil
import tarfile
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from relicheck.checkpoints.container import open_checkpoint
from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.files import sha256_of_file
from relicheck.checkpoints.load import load_checkpoint

FILES = Path(__file__).parents[1] / "files" / "tensorflow"


def members():
    return sorted(FILES.glob("resnet18.*"))


def make_zip(folder):
    with zipfile.ZipFile(folder / "ResNet18_1x.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for file in members():
            packed.write(file, f"ResNet18_1x/{file.name}")
    return folder / "ResNet18_1x.zip"


def make_tar(folder, mode="w", name="published.tar"):
    with tarfile.open(folder / name, mode) as packed:
        for file in members():
            packed.add(file, f"ResNet18_1x/{file.name}")
    return folder / name


def make_tar_gz(folder):
    return make_tar(folder, "w:gz", "published.tar.gz")


@pytest.mark.parametrize("make", [make_zip, make_tar, make_tar_gz])
def test_the_network_in_an_archive_is_that_of_the_files_in_it(tmp_path, make):
    archive = make(tmp_path)

    found, wanted = load_checkpoint(archive), load_checkpoint(FILES / "resnet18")

    assert open_checkpoint(archive).container == "archive"
    assert found.spec == wanted.spec
    for name, array in wanted.canonical_tensors().items():
        np.testing.assert_array_equal(found.canonical_tensors()[name], array)
    assert found.manifest.source == archive.name
    assert found.manifest.source_sha256 == sha256_of_file(archive)


def test_nothing_that_was_unpacked_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()

    load_checkpoint(make_zip(tmp_path))

    assert list((tmp_path / "scratch").iterdir()) == []


@pytest.mark.parametrize("make", [make_zip, make_tar_gz])
def test_a_cut_archive_is_a_message_and_leaves_nothing(tmp_path, monkeypatch, make):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    archive = make(tmp_path)
    content = archive.read_bytes()
    archive.write_bytes(content[: len(content) // 2])

    with pytest.raises(BadCheckpoint, match=archive.name):
        load_checkpoint(archive)

    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_path_that_leaves_the_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as packed:
        for file in members():
            packed.write(file, f"../../{file.name}")

    with pytest.raises(BadCheckpoint, match="lies outside of it"):
        load_checkpoint(tmp_path / "evil.zip")


def test_an_archive_of_something_else_is_told_what_it_holds(tmp_path):
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as packed:
        packed.writestr("photos/cat.jpg", b"cat")

    with pytest.raises(BadCheckpoint, match=r"holds no TensorFlow checkpoint, but photos/cat\.jpg"):
        load_checkpoint(tmp_path / "photos.zip")


def test_torchs_own_zip_is_no_archive(tmp_path):
    torch = pytest.importorskip("torch")
    torch.save({"a": torch.zeros(2)}, tmp_path / "weights.pth")

    assert open_checkpoint(tmp_path / "weights.pth").container == "torch_zip"


def test_a_torch_file_called_tar_is_no_archive(tmp_path, real_data):
    shutil.copy(real_data / "weights" / "resnet20-12fca82f.th", tmp_path / "moco.pth.tar")

    assert open_checkpoint(tmp_path / "moco.pth.tar").container == "torch_legacy"
