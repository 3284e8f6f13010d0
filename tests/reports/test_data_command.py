"""`relicheck data`: what is printed of data sets that are there, in part, or not at all."""

import json

import numpy as np
import pytest

from relicheck.reports.cli import run
from relicheck.reports.data_text import size_text


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def root(tmp_path):
    """CIFAR-100 whole and sparse, CIFAR-10 without a batch and with a truncated one."""
    whole = tmp_path / "root" / "cifar-100-binary"
    whole.mkdir(parents=True)
    for name, images in (("train", 50_000), ("test", 10_000)):
        with (whole / f"{name}.bin").open("wb") as stream:
            stream.truncate(images * 3074)
    (whole / "fine_label_names.txt").write_text("".join(f"thing{n}\n" for n in range(100)))
    part = tmp_path / "root" / "cifar-10-batches-bin"
    part.mkdir()
    for name in ("test_batch", "data_batch_1", "data_batch_2", "data_batch_4", "data_batch_5"):
        with (part / f"{name}.bin").open("wb") as stream:
            stream.truncate(10_000 * 3073 - (name == "data_batch_2"))
    return tmp_path / "root"


def test_status_prints_what_is_there_what_lacks_and_where_the_rest_is(root, capsys):
    assert run(["data", "status", "--data-root", str(root)]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines() if line}
    assert lines["cifar100"].split() == [
        "cifar100",
        "there",
        "169",
        "MB",
        str(root / "cifar-100-binary"),
    ]
    assert "incomplete" in lines["cifar10"]
    assert "data_batch_3.bin" in lines["cifar10"]
    assert "data_batch_2.bin (30,729,999 of 30,730,000 bytes)" in lines["cifar10"]
    assert "missing" in lines["objectnet"]
    assert "193 GB" in lines["objectnet"]
    assert "https://objectnet.dev" in lines["objectnet"]
    assert "comes with a dependency" in lines["digits"]


def test_status_of_one_says_its_layout_and_address(root, capsys):
    assert run(["data", "status", "dtd", "--data-root", str(root)]) == 0
    out = capsys.readouterr().out
    assert "layout   dtd/{images/<class>/<image>.jpg,labels/{train,val,test}1.txt}" in out
    assert "address  https://www.robots.ox.ac.uk/~vgg/data/dtd/" in out
    assert "0 there, 0 incomplete, 1 missing" in out


def test_what_is_missing_comes_with_every_layout_that_is_read(tmp_path, capsys):
    assert run(["data", "status", "imagenet", "--data-root", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "layout   imagenet/{train,val}/<wnid>/<image>.JPEG" in out
    assert out.count("  or       imagenet/") == 4


def test_status_for_programs(root, capsys):
    assert run(["data", "status", "cifar10", "cifar100", "--data-root", str(root), "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)
    assert (first["state"], second["state"]) == ("incomplete", "there")
    assert [lack["pattern"] for lack in first["lacking"]] == [
        "data_batch_2.bin",
        "data_batch_3.bin",
    ]
    assert second["where"] == str(root / "cifar-100-binary")


def test_status_counts_the_images_of_a_folder(tmp_path, capsys):
    folder = tmp_path / "imagenet-a" / "n01440764"
    folder.mkdir(parents=True)
    for name in ("a.jpg", "b.JPEG", ".hidden.jpg", "readme.txt"):
        (folder / name).touch()
    assert run(["data", "status", "imagenet_a", "--data-root", str(tmp_path)]) == 0
    assert "*/* (2 of 7,500)" in capsys.readouterr().out


def test_the_verb_alone_is_the_status(root, capsys):
    assert run(["data", "--data-root", str(root)]) == 0
    assert "looked under" in capsys.readouterr().out


def test_an_unknown_data_set_gets_the_nearest(capsys):
    assert run(["data", "status", "flower"]) == 2
    assert "Did you mean 'flowers'" in capsys.readouterr().err


def test_a_whole_data_set_checks_out(root, capsys):
    assert run(["data", "check", "cifar100", "--data-root", str(root)]) == 0
    out, err = capsys.readouterr()
    assert "test: 10,000 of 10,000 images, all decoded; sha256:" in out
    assert "cifar100 is whole." in err


def test_a_data_set_that_is_not_whole_exits_with_1(tmp_path, capsys):
    folder = tmp_path / "cifar-100-binary"
    folder.mkdir()
    np.zeros(3 * 3074, np.uint8).tofile(folder / "test.bin")
    (folder / "fine_label_names.txt").write_text("".join(f"thing{n}\n" for n in range(100)))
    assert run(["data", "check", "cifar100", "--data-root", str(tmp_path)]) == 1
    out, err = capsys.readouterr()
    assert "test: 3 of 10,000 images" in out
    assert "train: cannot be opened." in out
    assert "found no train.bin" in out
    assert "no claim can be judged by it" in err


def test_corrupt_files_are_named_and_exit_with_1(tmp_path, capsys):
    for split in ("train", "test"):
        for name in ("cat", "dog"):
            (tmp_path / "own" / split / name).mkdir(parents=True)
            (tmp_path / "own" / split / name / "1.jpg").write_text("no image")
    assert run(["data", "check", str(tmp_path / "own"), "--json"]) == 1
    train, test = json.loads(capsys.readouterr().out)
    assert [bad["identity"] for bad in test["corrupt"]] == ["cat/1.jpg", "dog/1.jpg"]
    assert train["good"] is False
    assert run(["data", "check", str(tmp_path / "own")]) == 1
    assert "test: 2 images, 2 corrupt:\n  cat/1.jpg: " in capsys.readouterr().out


def test_a_data_set_that_is_not_there_at_all_says_where_it_is(tmp_path, capsys):
    assert run(["data", "check", "dtd", "--data-root", str(tmp_path)]) == 2
    assert "from https://www.robots.ox.ac.uk/~vgg/data/dtd/" in capsys.readouterr().err


def test_a_data_set_of_no_such_name_is_wrong_use(capsys):
    assert run(["data", "check", "cifar1000"]) == 2
    assert "Did you mean 'cifar100'" in capsys.readouterr().err


def test_the_real_data_are_there_and_decode(real_data, capsys):
    assert run(["data", "status", "cifar10", "pacs", "caltech101_64", "tiny_imagenet_32"]) == 0
    assert "4 there, 0 incomplete, 0 missing" in capsys.readouterr().out
    assert run(["data", "check", "cifar10_jpeg"]) == 0
    assert "test: 10,000 of 10,000 images, all decoded" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1_500, "1.5 kB"), (170_052_171, "170 MB"), (2e12, "2.0 TB")],
)
def test_sizes_are_in_powers_of_a_thousand(size, text):
    assert size_text(int(size)) == text
