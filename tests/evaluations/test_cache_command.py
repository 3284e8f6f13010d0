"""`relicheck cache` shows and clears the features that evaluations keep."""

import json

import pytest

from relicheck.checkpoints.errors import UsageError
from relicheck.evaluations.byte_sizes import read_bytes, show_bytes
from relicheck.evaluations.feature_cache import entry_folders
from relicheck.evaluations.subject import Subject, open_model
from relicheck.reports.cli import run


@pytest.fixture
def kept(network, image_folder, tmp_path):
    """Test and training features of three classes of animals, in that order of use."""
    folder = tmp_path / "c"
    for role in ("test", "train"):
        Subject(model=open_model(network), data=image_folder, cache=folder).features(role)
    return folder


def printed(capsys, *arguments):
    code = run(["cache", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_table_says_what_is_kept(kept, capsys):
    code, out, err = printed(capsys, "--cache", kept)
    assert (code, err) == (0, "")
    heading, first, second, *_ = out.splitlines()
    for column in ("Data set", "Split", "Network", "Images x dim", "Size", "Last used", "State"):
        assert column in heading
    # 24 training images, a ResNet-18 at width 1/8: 512 / 8 = 64 features. Used last, so first.
    assert "train" in first
    assert "24 x 64" in first
    assert "9 x 64" in second
    assert "ResNet-18 0.125x" in second
    assert "complete" in second


def test_json_holds_the_facts_of_every_entry(kept, capsys):
    _, out, _ = printed(capsys, "--cache", kept, "--json")
    first, second = json.loads(out)
    assert (first["split"], second["split"]) == ("train", "test")
    assert (first["dataset"], first["images"], first["dim"]) == ("animals", 24, 64)
    assert first["bytes"] >= 24 * 64 * 4


def test_an_unfinished_entry_is_shown_as_one(kept, capsys):
    for entry in entry_folders(kept):
        (entry / "00000.json").unlink()
    _, out, _ = printed(capsys, "--cache", kept)
    assert out.count("partial (0 of 1 shards)") == 2


def test_clearing_removes_everything(kept, capsys):
    (kept / "old-test-0123.safetensors").write_bytes(b"x")
    code, out, _ = printed(capsys, "--cache", kept, "--clear")
    assert code == 0
    assert out.startswith("removed 3 of 3: ")
    assert printed(capsys, "--cache", kept)[1] == f"Nothing is cached in {kept}.\n"


def test_a_name_chooses_what_is_cleared(kept, capsys):
    printed(capsys, "--cache", kept, "--clear", "animals-test")
    [left] = entry_folders(kept)
    assert left.name.startswith("animals-train")


def test_a_name_of_nothing_is_refused_and_nothing_is_cleared(kept, capsys):
    code, out, err = printed(capsys, "--cache", kept, "--clear", "animal_s")
    assert (code, out) == (2, "")
    assert "Did you mean 'animals'?" in err
    assert len(entry_folders(kept)) == 2


def test_clearing_to_a_size_removes_what_was_not_used_for_longest(kept, capsys):
    [test] = [entry for entry in entry_folders(kept) if "-test-" in entry.name]
    size = sum(file.stat().st_size for file in kept.rglob("*") if file.is_file())
    printed(capsys, "--cache", kept, "--clear", "--cache-size", f"{size - 1000}")
    assert len(entry_folders(kept)) == 1
    assert not test.exists()


def test_what_is_in_use_is_not_cleared(network, image_folder, kept, capsys):
    used = Subject(model=open_model(network), data=image_folder, cache=kept)
    features, _ = used.features("test")
    _, out, err = printed(capsys, "--cache", kept, "--clear")
    assert out.startswith("removed 1 of 2: ")
    assert "in use, not removed" in err
    assert len(features) == 9


def test_a_size_without_clear_is_wrong_use(kept, capsys):
    code, _, err = printed(capsys, "--cache", kept, "--cache-size", "1G")
    assert code == 2
    assert "add --clear" in err


@pytest.mark.parametrize(
    ("text", "size"),
    [("50G", 50_000_000_000), ("1.5 MiB", 1_572_864), ("512", 512), ("2tb", 2 * 10**12)],
)
def test_sizes_are_read_as_people_write_them(text, size):
    assert read_bytes(text) == size


@pytest.mark.parametrize("text", ["", "G", "50X", "-1G", "1e9", "iB"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageError, match="a size such as 50G"):
        read_bytes(text)


def test_sizes_are_shown_with_their_unit():
    shown = [show_bytes(size) for size in (0, 999, 2304, 10_485_760_000)]
    assert shown == ["0 B", "999 B", "2.3 kB", "10.5 GB"]
