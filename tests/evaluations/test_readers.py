"""Each data set is read from a miniature tree in exactly its official layout."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from relicheck import evaluate
from relicheck.checkpoints.errors import BadData, MissingData
from relicheck.evaluations.dataset import datasets, open_split
from relicheck.evaluations.datasets.cifar10 import split_grid
from relicheck.evaluations.splits import imagenet_subset, imagenet_wnids, objectnet_classes
from relicheck.evaluations.view import View, show


def save(path, colour=(0, 0, 0), size=(4, 4)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def numbered(index):
    """A colour that says a number below 65,536."""
    return (index // 256, index % 256, 0)


def number(image):
    return int(image[2, 2, 0]) * 256 + int(image[2, 2, 1])


def test_digits_are_real_grey_and_split_in_file_order():
    from sklearn.datasets import load_digits

    train, test = open_split("digits", "train"), open_split("digits", "test")
    assert (len(train), len(test)) == (1097, 700)
    assert test.labels.tolist() == load_digits().target[1097:].tolist()
    assert test.identities[0] == "1097"
    image = train[0]
    assert (image.shape, image.dtype) == ((16, 16, 3), np.uint8)
    assert (image[..., 0] == image[..., 2]).all()
    assert np.corrcoef(image[::2, ::2, 0].ravel(), load_digits().images[0].ravel())[0, 1] > 0.9


# CIFAR-10


def write_binary(folder, images=3):
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in ("test_batch", *(f"data_batch_{n}" for n in range(1, 6))):
        rows = rng.integers(0, 256, size=(images, 3073), dtype=np.uint8)
        rows[:, 0] %= 10
        rows.tofile(folder / f"{name}.bin")


def test_the_binary_cifar10_stores_a_label_then_red_green_and_blue_planes(tmp_path):
    write_binary(tmp_path / "cifar-10-batches-bin")
    rows = np.fromfile(tmp_path / "cifar-10-batches-bin" / "test_batch.bin", np.uint8)
    source = open_split("cifar10", "test", tmp_path)
    assert source.labels[1] == rows[3073]
    # Row 2, column 5 of the second image's green plane.
    assert source[1][2, 5, 1] == rows[3073 + 1 + 1024 + 2 * 32 + 5]
    assert len(open_split("cifar10", "train", tmp_path)) == 15


def test_a_small_cifar10_is_seen_to_be_a_part(tmp_path):
    write_binary(tmp_path / "cifar10" / "cifar-10-batches-bin")
    source = open_split("cifar10", "test", tmp_path)
    assert (len(source), source.expected) == (3, 10_000)


def test_a_truncated_cifar10_batch_is_named(tmp_path):
    write_binary(tmp_path / "cifar10")
    batch = tmp_path / "cifar10" / "test_batch.bin"
    batch.write_bytes(batch.read_bytes()[:-1])
    with pytest.raises(BadData, match=r"test_batch\.bin: 9,218 bytes\. Wanted: a multiple"):
        open_split("cifar10", "test", tmp_path)


def test_the_pickled_cifar10_is_refused_unread(tmp_path):
    (tmp_path / "cifar-10-batches-py").mkdir()
    (tmp_path / "cifar-10-batches-py" / "data_batch_1").write_bytes(b"cos\nsystem\n")
    with pytest.raises(BadData, match=r"pickled.*cifar-10-binary\.tar\.gz"):
        open_split("cifar10", "train", tmp_path)


def test_a_missing_cifar10_batch_is_named(tmp_path):
    write_binary(tmp_path / "cifar10")
    (tmp_path / "cifar10" / "data_batch_3.bin").unlink()
    with pytest.raises(MissingData, match=r"found no data_batch_3\.bin"):
        open_split("cifar10", "train", tmp_path)


def test_a_grid_is_cut_row_by_row():
    grid = np.zeros((3200, 3200, 3), np.uint8)
    grid[32:64, 64:96] = 7  # second row, third column: image 102
    images = split_grid(grid, "grid")
    assert (images[102] == 7).all()
    assert images.sum() == 7 * 32 * 32 * 3


def test_the_lossless_cifar10_has_its_official_first_labels(real_data):
    source = open_split("cifar10", "test", real_data)
    assert len(source) == source.expected == 10_000
    # cat, ship, ship, airplane, frog: the well-known first five test images.
    assert source.labels[:5].tolist() == [3, 8, 8, 0, 6]


def test_the_jpeg_copy_is_another_data_set_of_the_same_images(real_data):
    exact = open_split("cifar10", "test", real_data)
    lossy = open_split("cifar10_jpeg", "test", real_data)
    assert (exact.labels == lossy.labels).all()
    assert exact.fingerprint != lossy.fingerprint
    error = [np.abs(exact[i].astype(int) - lossy[i]).mean() for i in range(0, 10_000, 100)]
    assert 4 < np.mean(error) < 8  # of 255; about 5.8 over the whole set


# Sets in archives


@pytest.mark.parametrize(
    ("name", "role", "images", "side"),
    [
        ("tiny_imagenet_32", "train", 20_000, 32),
        ("tiny_imagenet_32", "test", 10_000, 32),
        ("pacs", "train", 1670, 64),
        ("pacs", "test", 8321, 64),
        ("pacs:sketch", "test", 3929, 64),
        ("caltech101_64", "train", 3060, 64),
        ("caltech101_64", "test", 2995, 64),
    ],
)
def test_archives_are_complete(name, role, images, side, real_data):
    source = open_split(name, role, real_data)
    assert len(source) == source.expected == images
    assert min(source[images // 2].shape[:2]) == side
    assert len(np.unique(source.labels)) == datasets.load(name.partition(":")[0]).classes


def write_tar(path, names):
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as tar:
        for index, name in enumerate(names):
            stream = io.BytesIO()
            Image.new("RGB", (4, 4), numbered(index)).save(stream, "PNG")
            member = tarfile.TarInfo(name)
            member.size = stream.tell()
            stream.seek(0)
            tar.addfile(member, stream)


def test_pacs_trains_on_photographs_and_scores_the_other_styles(tmp_path):
    names = ["sketch/dog/a.png", "photo/house/b.png", "cartoon/dog/c.png", "photo/dog/d.png"]
    write_tar(tmp_path / "pacs" / "pacs.tar.gz", names)
    train, test = open_split("pacs", "train", tmp_path), open_split("pacs", "test", tmp_path)
    assert train.identities == ["photo/dog/d.png", "photo/house/b.png"]
    assert train.labels.tolist() == [0, 5]
    assert [number(train[0]), number(train[1])] == [3, 1]
    assert test.identities == ["cartoon/dog/c.png", "sketch/dog/a.png"]


def test_caltech_is_scored_by_mean_per_class(tmp_path):
    names = [f"{split}/{c}/{n}.png" for split in ("train", "test") for c in "ab" for n in range(3)]
    write_tar(tmp_path / "caltech101-64" / "c.tar", names)
    records = evaluate(
        "raw_pixels", "caltech101_64", ["knn"], records=tmp_path / "r", data_root=tmp_path,
        overrides={"knn.k": 1},
    )  # fmt: skip
    assert [record.metric for record in records] == ["top1", "mean_per_class"]
    assert not records[0].complete
    assert records[0].notes == ("trained on 6 of the split's 3060 images",)


def test_a_truncated_archive_is_named(tmp_path):
    write_tar(tmp_path / "caltech101-64" / "c.tar.gz", [f"train/ant/{n}.png" for n in range(50)])
    path = tmp_path / "caltech101-64" / "c.tar.gz"
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(BadData, match=r"c\.tar\.gz: not a whole tar archive"):
        open_split("caltech101_64", "train", tmp_path)


# ImageNet and its relatives


def test_imagenet_s_classes_are_the_sorted_wnids(tmp_path):
    for index, wnid in enumerate(imagenet_wnids()):
        save(tmp_path / "imagenet" / "val" / wnid / "ILSVRC2012_val_1.JPEG", numbered(index))
    source = open_split("imagenet", "test", tmp_path)
    assert source.split == "val"
    assert source.labels.tolist() == list(range(1000))
    assert (len(source), source.expected) == (1000, 50_000)


def test_an_incomplete_imagenet_names_missing_classes(tmp_path):
    save(tmp_path / "imagenet" / "val" / "n01440764" / "1.JPEG")
    save(tmp_path / "imagenet" / "val" / "tench" / "1.JPEG")
    with pytest.raises(BadData, match=r"999 missing \(such as \['n01443537'.*1 unknown.*'tench'"):
        open_split("imagenet", "val", tmp_path)


def test_validation_images_in_one_folder_need_the_devkit(tmp_path):
    save(tmp_path / "imagenet" / "val" / "ILSVRC2012_val_00000001.JPEG")
    with pytest.raises(BadData, match="no devkit that says their classes"):
        open_split("imagenet", "val", tmp_path)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("imagenetv2_matched_frequency", "imagenetv2-matched-frequency-format-val"),
        ("imagenetv2_threshold07", "imagenetv2-threshold0.7-format-val"),
        ("imagenetv2_top_images", "imagenetv2-top-images-format-val"),
    ],
)
def test_imagenetv2_folders_are_sorted_as_numbers_and_not_as_text(name, folder, tmp_path):
    for index in range(1000):
        save(tmp_path / folder / str(index) / "x.png", numbered(index))
    source = open_split(name, "test", tmp_path)
    # As text the folder 10 would come third and be given label 2.
    assert [number(source[i]) for i in (2, 10, 999)] == [2, 10, 999]
    assert source.labels.tolist() == list(range(1000))


@pytest.mark.parametrize("name", ["imagenet_r", "imagenet_a"])
def test_subsets_of_imagenet_keep_their_own_two_hundred_classes(name, tmp_path):
    for index, wnid in imagenet_subset(name):
        save(tmp_path / name.replace("_", "-") / wnid / "x.png", numbered(index))
    source = open_split(name, "test", tmp_path)
    indices = datasets.load(name).imagenet_indices
    assert [number(source[i]) for i in range(200)] == [group[0] for group in indices]


def test_sketch_has_all_thousand_classes(tmp_path):
    for wnid in imagenet_wnids():
        save(tmp_path / "sketch" / wnid / "x.png")
    assert len(open_split("imagenet_sketch", "test", tmp_path)) == 1000


@pytest.fixture(scope="module")
def objectnet(tmp_path_factory):
    """All 313 folders, each with one image inside a red frame."""
    root = tmp_path_factory.mktemp("data")
    for index, known in enumerate(objectnet_classes()):
        framed = np.zeros((9, 9, 3), np.uint8)
        framed[..., 0] = 255
        framed[2:-2, 2:-2] = numbered(index)
        path = root / "objectnet" / "images" / known.folder / "x.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(framed).save(path)
    return root


def test_objectnet_labels_follow_the_official_ids_and_not_the_folders_order(objectnet):
    source = open_split("objectnet", "test", objectnet)
    assert (source.split, len(source), source.expected) == ("overlap", 113, 18_574)
    by_folder = {known.folder: known for known in objectnet_classes()}
    ids = [by_folder[name].objectnet_id for name in source.class_names]
    assert ids == sorted(ids)
    # Each image says its place among the sorted folders: some shared classes have another id.
    place = [number(source[i]) for i in range(113)]
    assert sum(a != b for a, b in zip(place, ids, strict=True)) == 41


def test_objectnet_loses_its_red_frame_before_anything_else(objectnet):
    source = open_split("objectnet", "test", objectnet)
    view = View(preprocessing=None, border_px=datasets.load("objectnet").border_px)
    image = show(source, 0, [view])[0]
    assert source[0].shape == (9, 9, 3)
    assert image.shape == (5, 5, 3)
    assert (image == image[0, 0]).all()


def test_objectnet_as_a_whole_has_313_classes(objectnet):
    source = open_split("objectnet", "all", objectnet)
    assert (len(source.class_names), source.expected) == (313, 50_273)


def test_an_objectnet_with_folders_missing_is_refused(tmp_path):
    save(tmp_path / "objectnet" / "images" / "air_freshener" / "x.png", size=(9, 9))
    with pytest.raises(BadData, match=r"113 of this split missing \(such as \['alarm_clock'"):
        open_split("objectnet", "test", tmp_path)


def test_an_objectnet_without_images_is_missing(tmp_path):
    (tmp_path / "objectnet").mkdir()
    with pytest.raises(MissingData, match=r"found no folder 'images'.*objectnet\.dev"):
        open_split("objectnet", "test", tmp_path)
