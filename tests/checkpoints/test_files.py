"""An interruption never leaves half a file behind."""

import pytest

from relicheck.checkpoints.errors import BadData
from relicheck.checkpoints.files import atomic_path, check_writable, sha256_of_file, write_text


def test_an_interrupted_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    target = tmp_path / "result.json"
    write_text(target, "old")

    def interrupted_write():
        with atomic_path(target) as temporary:
            temporary.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_write()

    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(BadData, match="Name another --output"):
        write_text(tmp_path / "file" / "result.json", "x")


def test_what_could_not_be_kept_is_said_before_the_work(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(BadData, match="cannot be written"):
        check_writable(tmp_path / "file" / "result.json")

    check_writable(tmp_path / "new" / "result.json")
    assert list((tmp_path / "new").iterdir()) == []


def test_the_hash_is_that_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")

    # FIPS 180-2, Appendix B.1: the SHA-256 of "abc".
    assert sha256_of_file(tmp_path / "x").startswith("ba7816bf8f01cfea414140de5dae2223")
