"""Tars read in place, shards and Parquet files: the same images however they are packed."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.errors import BadData
from relicheck.evaluations.class_tars import read_class_tar
from relicheck.evaluations.folders import read_classes
from relicheck.evaluations.kept_arrays import kept_arrays
from relicheck.evaluations.parquet import read_parquet
from relicheck.evaluations.tars import from_members, from_tar, index_tars, list_tar
from relicheck.evaluations.webdataset import read_shards


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))


def jpeg(seed):
    pixels = np.random.default_rng(seed).integers(0, 256, size=(8, 6, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def pixels_of(content):
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def write_tar(path, files, mode="w", kind=tarfile.GNU_FORMAT):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode, format=kind) as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_file_of_a_tar_is_found_at_its_place(tmp_path, kind):
    # Names beyond a header's 100 bytes are spread over further headers.
    files = {f"{'long/' * 25}{n}.jpg": jpeg(n) for n in range(3)} | {"./x y.jpg": b"1", "e": b""}
    write_tar(tmp_path / "a.tar", files, kind=kind)
    members = index_tars([tmp_path / "a.tar"])
    assert members.names == [name.removeprefix("./") for name in files]
    assert [members.read(index) for index in range(5)] == list(files.values())


def test_an_image_is_read_without_the_others(tmp_path):
    write_tar(tmp_path / "a.tar", {f"{n}.jpg": jpeg(n) for n in range(3)})
    source = from_tar(tmp_path / "a.tar", ["2.jpg", "0.jpg"], name="x", split="test",
                      labels=[1, 0], class_names=("a", "b"))  # fmt: skip
    assert (source[0] == pixels_of(jpeg(2))).all()
    assert source.identities == ["2.jpg", "0.jpg"]


def test_a_tar_inside_a_tar_is_looked_into(tmp_path):
    inner = {f"n0{c}": {f"n0{c}_{n}.JPEG": jpeg(10 * c + n) for n in range(2)} for c in (1, 2)}
    outer = {}
    for name, files in inner.items():
        write_tar(tmp_path / f"{name}.tar", files)
        outer[f"{name}.tar"] = (tmp_path / f"{name}.tar").read_bytes()
    write_tar(tmp_path / "outer.tar", outer)
    members = index_tars([tmp_path / "outer.tar"], nested=True)
    assert members.names == ["n01/n01_0.JPEG", "n01/n01_1.JPEG", "n02/n02_0.JPEG", "n02/n02_1.JPEG"]
    assert members.read(3) == jpeg(21)


def test_a_compressed_tar_is_read_into_memory_and_gives_the_same(tmp_path):
    files = {f"{n}.jpg": jpeg(n) for n in range(3)}
    write_tar(tmp_path / "a.tar", files)
    write_tar(tmp_path / "a.tar.gz", files, "w:gz")
    rest = {"name": "x", "split": "test", "labels": [0, 1, 0], "class_names": ("a", "b")}
    plain, packed = (from_tar(tmp_path / f"a{e}", list(files), **rest) for e in (".tar", ".tar.gz"))
    assert plain.fingerprint == packed.fingerprint
    assert list_tar(tmp_path / "a.tar") == list_tar(tmp_path / "a.tar.gz") == list(files)


def test_a_large_compressed_tar_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("relicheck.evaluations.tars.MEMORY_BYTES", 100)
    write_tar(tmp_path / "a.tar.gz", {"0.jpg": jpeg(0)}, "w:gz")
    with pytest.raises(BadData, match="bytes, compressed"):
        from_tar(tmp_path / "a.tar.gz", ["0.jpg"], name="x", split="test", labels=[0],
                 class_names=("a",))  # fmt: skip


def test_shards_must_not_be_compressed(tmp_path):
    write_tar(tmp_path / "a.tar", {"0.jpg": jpeg(0)}, "w:gz")
    with pytest.raises(BadData, match="it is compressed, so no image in it can be reached"):
        index_tars([tmp_path / "a.tar"])


@pytest.mark.parametrize("bytes_kept", [700, 512 + 100])
def test_a_truncated_tar_is_named(tmp_path, bytes_kept):
    write_tar(tmp_path / "a.tar", {f"{n}.jpg": jpeg(n) for n in range(3)})
    path = tmp_path / "a.tar"
    path.write_bytes(path.read_bytes()[:bytes_kept])
    with pytest.raises(BadData, match=r"a\.tar: not a whole tar archive"):
        index_tars([path]).read(0)


def test_a_tar_that_shrinks_after_it_was_indexed_is_named(tmp_path):
    write_tar(tmp_path / "a.tar", {"0.jpg": jpeg(0), "1.jpg": jpeg(1)})
    members = index_tars([tmp_path / "a.tar"])
    (tmp_path / "a.tar").write_bytes((tmp_path / "a.tar").read_bytes()[:600])
    with pytest.raises(BadData, match=r"it ends inside 1\.jpg"):
        members.read(1)


def test_an_index_is_kept_until_the_tar_changes(tmp_path, monkeypatch):
    monkeypatch.setattr("relicheck.evaluations.tars._KEEP_FROM_FILES", 2)
    path = tmp_path / "a.tar"
    write_tar(path, {"0.jpg": jpeg(0), "ä b.jpg": jpeg(1)})
    first = index_tars([path])
    assert len(list((tmp_path / "cache" / "tar_index").iterdir())) == 1
    monkeypatch.setattr("relicheck.evaluations.tars._headers", lambda *_: pytest.fail("read again"))
    again = index_tars([path])
    assert (again.names, again.read(1)) == (first.names, jpeg(1))
    monkeypatch.undo()
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))
    write_tar(path, {"2.jpg": jpeg(2)})
    assert index_tars([path]).names == ["2.jpg"]


def test_a_damaged_index_is_made_again(tmp_path, caplog):
    made = {"rows": np.arange(3)}
    kept_arrays("kind", "k", lambda: made, keep_from=1)
    (tmp_path / "cache" / "kind" / "k.npz").write_bytes(b"PK\x03\x04 nothing")
    assert kept_arrays("kind", "k", lambda: made, keep_from=1)["rows"].tolist() == [0, 1, 2]
    assert "made again" in caplog.text


def test_class_folders_have_one_fingerprint_unpacked_and_in_a_tar(tmp_path):
    files = {f"set/{c}/{n}.JPEG": jpeg(n) for c in ("b c", "a") for n in (10, 9)}
    write_tar(tmp_path / "set.tar", {"set/README.txt": b"read me", **files})
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    rest = {"name": "x", "split": "test", "classes": ["a", "b c"]}
    packed = read_class_tar(tmp_path / "set.tar", **rest)
    unpacked = read_classes(tmp_path / "set", **rest)
    assert packed.identities == unpacked.identities == ["a/10.JPEG", "a/9.JPEG", "b c/10.JPEG",
                                                        "b c/9.JPEG"]  # fmt: skip
    assert packed.fingerprint == unpacked.fingerprint


def test_a_tar_of_other_classes_is_refused(tmp_path):
    write_tar(tmp_path / "set.tar", {"set/a/0.jpg": jpeg(0)})
    with pytest.raises(BadData, match=r"1 missing \(such as \['b'\]\)"):
        read_class_tar(tmp_path / "set.tar", name="x", split="test", classes=["a", "b"])


def test_names_and_sizes_stand_for_large_tars(tmp_path, monkeypatch):
    monkeypatch.setattr("relicheck.evaluations.sources.STAT_BYTES", 10)
    write_tar(tmp_path / "a.tar", {"0.jpg": jpeg(0)})
    source = from_members(index_tars([tmp_path / "a.tar"]), name="x", split="test", labels=[0],
                          class_names=("a",))  # fmt: skip
    assert source.fingerprint.startswith("stat:")


# WebDataset


def test_shards_join_each_image_with_its_own_label(tmp_path):
    # Keys begin anew in each shard, and a key may hold files of other kinds.
    for shard, labels in enumerate([(2, 0), (1, 2)]):
        files = {}
        for key, label in enumerate(labels):
            files[f"00{key}.cls"] = f"{label}\n".encode()
            files[f"00{key}.jpg"] = jpeg(10 * shard + key)
            files[f"00{key}.json"] = b"{}"
        write_tar(tmp_path / f"x-{shard:04d}.tar", files)
    shards = sorted(tmp_path.glob("x-*.tar"))
    source = read_shards(shards, name="x", split="train", class_names=("a", "b", "c"))
    assert source.labels.tolist() == [2, 0, 1, 2]
    assert (source[3] == pixels_of(jpeg(11))).all()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"0.jpg": b"", "1.cls": b"0"}, r"0\.jpg: no file \*\.cls goes with it"),
        ({"0.jpg": b"", "0.cls": b"cat"}, r"0\.cls: it holds b'cat'\. Wanted: a whole number"),
        ({"0.cls": b"0"}, "no image in it"),
        ({"0.jpg": b"", "0.cls": b"3"}, "labels from 3 to 3"),
    ],
)
def test_a_shard_that_does_not_fit_together_is_explained(tmp_path, files, message):
    write_tar(tmp_path / "0.tar", files)
    with pytest.raises(BadData, match=message):
        read_shards([tmp_path / "0.tar"], name="x", split="test", class_names=("a", "b"))


def test_labels_of_many_shards_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr("relicheck.evaluations.webdataset._KEEP_FROM_LABELS", 1)
    write_tar(tmp_path / "0.tar", {"0.jpg": jpeg(0), "0.cls": b"1"})
    rest = {"name": "x", "split": "test", "class_names": ("a", "b")}
    read_shards([tmp_path / "0.tar"], **rest)
    monkeypatch.setattr("relicheck.evaluations.webdataset._labels", lambda *_: pytest.fail("again"))
    assert read_shards([tmp_path / "0.tar"], **rest).labels.tolist() == [1]


# Parquet


def write_parquet(path, rows, group=2):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    images = [{"bytes": content, "path": f"{n}.jpg"} for n, (content, _) in enumerate(rows)]
    table = pa.table({"image": images, "label": pa.array([label for _, label in rows], pa.int64())})
    pq.write_table(table, path, row_group_size=group)


def test_parquet_rows_are_images_in_the_order_of_files_groups_and_rows(tmp_path):
    write_parquet(tmp_path / "a.parquet", [(jpeg(n), n % 2) for n in range(5)])
    write_parquet(tmp_path / "b.parquet", [(jpeg(n), 1) for n in range(5, 8)])
    files = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    source = read_parquet(files, name="x", split="val", class_names=("a", "b"))
    assert source.labels.tolist() == [0, 1, 0, 1, 0, 1, 1, 1]
    for index in (7, 0, 4, 5, 3):
        assert (source[index] == pixels_of(jpeg(index))).all()
    assert source.identities[6] == "b.parquet/0/1"


def test_other_columns_are_named(tmp_path):
    write_parquet(tmp_path / "a.parquet", [(jpeg(0), 0)])
    with pytest.raises(BadData, match=r"columns are \['image', 'label'\]\. Wanted: 'img'"):
        read_parquet([tmp_path / "a.parquet"], image="img", name="x", split="val", class_names="ab")


def test_something_else_called_parquet_is_named(tmp_path):
    pytest.importorskip("pyarrow")
    (tmp_path / "a.parquet").write_text("version https://git-lfs.github.com/spec/v1")
    with pytest.raises(BadData, match=r"a\.parquet: not a Parquet file"):
        read_parquet([tmp_path / "a.parquet"], name="x", split="val", class_names="ab")


def test_a_row_without_an_image_is_named(tmp_path):
    write_parquet(tmp_path / "a.parquet", [(jpeg(0), 0), (None, 1), (jpeg(2), 1)])
    source = read_parquet([tmp_path / "a.parquet"], name="x", split="val", class_names="ab")
    with pytest.raises(BadData, match=r"a\.parquet, group 0, row 1: the row holds no image"):
        source[1]
