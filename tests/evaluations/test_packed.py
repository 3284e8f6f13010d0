"""A user's own images as shards, Parquet files or arrays."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from relicheck import evaluate
from relicheck.checkpoints.errors import BadData, MissingData
from relicheck.evaluations.dataset import open_split


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))


def pixels(label, index):
    colour = np.array([(200, 60, 60), (60, 60, 200)])[label]
    noise = np.random.default_rng(index).integers(-30, 30, size=(16, 16, 3))
    return (colour + noise).astype(np.uint8)


def encoded(label, index):
    stream = io.BytesIO()
    Image.fromarray(pixels(label, index)).save(stream, "PNG")
    return stream.getvalue()


SPLITS = {"train": [(n % 2, n) for n in range(8)], "test": [(n % 2, 50 + n) for n in range(4)]}


def write_shards(folder):
    folder.mkdir()
    for split, images in SPLITS.items():
        with tarfile.open(folder / f"own-{split}-000.tar", "w") as tar:
            for label, index in images:
                for ending, content in (("png", encoded(label, index)), ("cls", b"%d" % label)):
                    member = tarfile.TarInfo(f"{index:06d}.{ending}")
                    member.size = len(content)
                    tar.addfile(member, io.BytesIO(content))
    (folder / "classes.txt").write_text("red\nblue\n")


def write_parquet(folder):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    (folder / "data").mkdir(parents=True)
    for split, images in SPLITS.items():
        table = pa.table(
            {
                "image": [{"bytes": encoded(*image), "path": ""} for image in images],
                "label": [label for label, _ in images],
            }
        )
        features = {"label": {"names": ["red", "blue"], "_type": "ClassLabel"}}
        kept = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": kept})
        pq.write_table(table, folder / "data" / f"{split}-00000-of-00001.parquet")


def write_arrays(folder):
    folder.mkdir()
    for split, images in SPLITS.items():
        np.savez(
            folder / f"{split}.npz",
            images=np.stack([pixels(*image) for image in images]),
            labels=np.array([[label] for label, _ in images]),
            classes=np.array(["red", "blue"]),
        )


@pytest.mark.parametrize("write", [write_shards, write_parquet, write_arrays])
def test_packed_images_are_a_data_set_like_folders(tmp_path, write):
    write(tmp_path / "own")
    train, test = open_split(tmp_path / "own", "train"), open_split(tmp_path / "own", "test")
    assert (train.name, train.split, test.split) == ("own", "train", "test")
    assert train.class_names == test.class_names == ("red", "blue")
    assert train.labels.tolist() == [label for label, _ in SPLITS["train"]]
    assert (test[3] == pixels(1, 53)).all()
    [record] = evaluate("raw_pixels", tmp_path / "own", ["knn"], records=tmp_path / "r",
                        overrides={"knn.k": 1})  # fmt: skip
    assert record.value == 100.0


def test_class_folders_are_preferred(tmp_path, image_folder):
    write_arrays(tmp_path / "own")
    (image_folder / "test").rename(tmp_path / "own" / "test")
    assert open_split(tmp_path / "own", "test").class_names == ("cat", "dog", "emu")


def test_shards_whose_classes_nothing_names_say_so(tmp_path):
    write_shards(tmp_path / "own")
    (tmp_path / "own" / "classes.txt").unlink()
    with pytest.raises(BadData, match=r"nothing names its classes\. Wanted: classes\.txt beside"):
        open_split(tmp_path / "own", "test")


def test_arrays_of_other_names_are_named(tmp_path):
    (tmp_path / "own").mkdir()
    np.savez(tmp_path / "own" / "test.npz", x=np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(BadData, match=r"it holds \['x'\]\. Wanted: `images`"):
        open_split(tmp_path / "own", "test")


def test_arrays_of_floats_are_refused(tmp_path):
    (tmp_path / "own").mkdir()
    np.savez(tmp_path / "own" / "test.npz", images=np.zeros((2, 4, 4, 3)), labels=[0, 1],
             classes=["a", "b"])  # fmt: skip
    with pytest.raises(BadData, match="type float64"):
        open_split(tmp_path / "own", "test")


def test_grey_arrays_become_three_equal_channels(tmp_path):
    (tmp_path / "own").mkdir()
    grey = np.arange(32, dtype=np.uint8).reshape(2, 4, 4)
    np.savez(tmp_path / "own" / "test.npz", images=grey, labels=[0, 1], classes=["a", "b"])
    assert (open_split(tmp_path / "own", "test")[1] == grey[1][..., None]).all()


def test_a_file_that_only_begins_like_a_split_is_none_of_it(tmp_path):
    (tmp_path / "own").mkdir()
    np.savez(tmp_path / "own" / "tested.npz", images=np.zeros((2, 4, 4, 3), np.uint8))
    with pytest.raises(MissingData, match="nor shards, Parquet files or arrays of that name"):
        open_split(tmp_path / "own", "test")


def test_a_photograph_is_turned_as_in_a_folder(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # by 90 degrees
    stream = io.BytesIO()
    Image.new("RGB", (6, 4)).save(stream, "JPEG", exif=exif)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "classes.txt").write_text("a\n")
    with tarfile.open(tmp_path / "own" / "test.tar", "w") as tar:
        for name, content in (("0.jpg", stream.getvalue()), ("0.cls", b"0")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    assert open_split(tmp_path / "own", "test")[0].shape == (6, 4, 3)


def test_real_photographs_are_the_same_in_folders_shards_and_parquet(tmp_path, real_data):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    archive = real_data / "imagenet-samples" / "imagenet-1000x1-128.tar.gz"
    with tarfile.open(archive) as tar:
        members = [member for member in tar if member.isfile()][::20]
        contents = [tar.extractfile(member).read() for member in members]
    classes = sorted(member.name.split("/")[-2] for member in members)
    for kind in ("folders", "shards", "table"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "classes.txt").write_text("\n".join(classes))
    rows = []
    with tarfile.open(tmp_path / "shards" / "val-0.tar", "w") as tar:
        for member, content in sorted(zip(members, contents, strict=True), key=lambda m: m[0].name):
            wnid = member.name.split("/")[-2]
            folder = tmp_path / "folders" / "val" / wnid
            folder.mkdir(parents=True)
            (folder / "a.JPEG").write_bytes(content)
            label = classes.index(wnid)
            for name, body in ((f"{wnid}.JPEG", content), (f"{wnid}.cls", b"%d" % label)):
                packed = tarfile.TarInfo(name)
                packed.size = len(body)
                tar.addfile(packed, io.BytesIO(body))
            rows.append((content, label))
    table = pa.table({"image": [{"bytes": c, "path": ""} for c, _ in rows],
                      "label": [label for _, label in rows]})  # fmt: skip
    pq.write_table(table, tmp_path / "table" / "val.parquet", row_group_size=7)
    folders, shards, parquet = (
        open_split(tmp_path / kind, "val") for kind in ("folders", "shards", "table")
    )
    assert len(folders) == 50
    assert folders.labels.tolist() == shards.labels.tolist() == parquet.labels.tolist()
    for index in range(50):
        assert (folders[index] == shards[index]).all()
        assert (folders[index] == parquet[index]).all()
