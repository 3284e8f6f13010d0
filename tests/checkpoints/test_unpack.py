"""Archives: the checkpoint comes out, and nothing that an archive can be made to do happens."""

import io
import tarfile
import zipfile

import pytest

from relicheck.checkpoints import unpack as unpacking
from relicheck.checkpoints.errors import BadCheckpoint
from relicheck.checkpoints.unpack import unpack

FILES = {
    "run/checkpoint": b"model_checkpoint_path: ...",
    "run/ckpt-7.index": b"index",
    "run/ckpt-7.data-00000-of-00001": b"data" * 1000,
    "run/hub/variables/variables.index": b"another",
    "run/hub/variables/variables.data-00000-of-00001": b"another",
    "run/events.out": b"log",
}


def make_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return path


def make_tar(path, files):
    with tarfile.open(path, "w:gz") as packed:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            packed.addfile(member, io.BytesIO(content))
    return path


@pytest.fixture(params=[make_zip, make_tar], ids=["zip", "tar.gz"])
def make(request, tmp_path):
    return lambda files: request.param(tmp_path / "archive", files)


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_checkpoint_nearest_to_the_root_comes_out_and_nothing_else(make, tmp_path):
    unpack(make(FILES), tmp_path / "out")

    kept = ("run/ckpt-7.index", "run/ckpt-7.data-00000-of-00001")
    assert contents(tmp_path / "out") == {name.split("/")[1]: FILES[name] for name in kept}


@pytest.mark.parametrize(
    "name", ["../a.index", "/a.index", "b/../../a.index", "..\\a.index", "C:a.index"]
)
def test_a_path_that_leaves_the_archive_is_refused(make, tmp_path, name):
    with pytest.raises(BadCheckpoint, match="lies outside"):
        unpack(make({"run/ckpt.index": b"", name: b""}), tmp_path / "deep" / "out")

    assert not (tmp_path / "a.index").exists()


def test_links_and_devices_are_passed_over(tmp_path):
    path = tmp_path / "archive.tar"
    with tarfile.open(path, "w") as packed:
        for name, kind in (("a.index", tarfile.SYMTYPE), ("b.index", tarfile.LNKTYPE),
                           ("c.index", tarfile.CHRTYPE)):  # fmt: skip
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd"
            packed.addfile(member)

    with pytest.raises(BadCheckpoint, match="holds no TensorFlow checkpoint"):
        unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_of_something_else_is_named_by_what_it_holds(make, tmp_path):
    with pytest.raises(BadCheckpoint, match=r"but photos/cat\.jpg"):
        unpack(make({"photos/cat.jpg": b""}), tmp_path / "out")


def test_a_decompression_bomb_is_refused_before_anything_is_written(make, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "_LEAST_LIMIT", 1 << 16)
    bomb = make({"run/ckpt.index": b"", "run/ckpt.data-00000-of-00001": bytes(1 << 22)})
    assert bomb.stat().st_size < 1 << 13

    with pytest.raises(BadCheckpoint, match="holds more than"):
        unpack(bomb, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_archive_of_ten_thousand_files_is_refused(make, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "_MOST_MEMBERS", 5)

    with pytest.raises(BadCheckpoint, match="more than 5 files"):
        unpack(make(FILES), tmp_path / "out")


@pytest.mark.filterwarnings("ignore:Duplicate name")  # zipfile's, while the archive is made
def test_an_archive_that_holds_a_file_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "archive", "w") as packed:
        packed.writestr("ckpt.index", b"one")
        packed.writestr("ckpt.index", b"two")

    with pytest.raises(BadCheckpoint, match=r"holds ckpt\.index twice"):
        unpack(tmp_path / "archive", tmp_path / "out")


def test_an_archive_cut_anywhere_is_damaged(make, tmp_path):
    path = make(FILES)
    content = path.read_bytes()

    for size in range(1, len(content) - 1, len(content) // 40):
        path.write_bytes(content[:size])
        with pytest.raises(BadCheckpoint):
            unpack(path, tmp_path / f"out{size}")


def test_no_flipped_bit_escapes_as_another_error(make, tmp_path):
    path = make(FILES)
    content = path.read_bytes()

    for place in range(0, len(content), len(content) // 60):
        flipped = bytearray(content)
        flipped[place] ^= 0x10
        path.write_bytes(flipped)
        try:
            unpack(path, tmp_path / f"out{place}")
        except BadCheckpoint:
            continue
        # Flips in dates and in what is passed over do no harm.
        assert (tmp_path / f"out{place}" / "ckpt-7.index").read_bytes() == b"index"
