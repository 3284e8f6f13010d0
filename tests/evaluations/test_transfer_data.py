"""The transfer sets in miniature, in exactly their official layouts, beside torchvision's readers.

Each tree holds what the archives unpack to; torchvision reads the same tree as the oracle of
which image comes where with which label.
"""

import json

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from relicheck.checkpoints.errors import BadData, MissingData, UsageError
from relicheck.evaluations.dataset import datasets, open_split
from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.image_source import targets_of
from relicheck.evaluations.sources import part


def save(path, index):
    """An image whose colour says a number below 65,536."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(index).integers(0, 256, size=(9, 7, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path, "JPEG")


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


def assert_same(source, oracle):
    """Every image of `source` is `oracle`'s, in the same order, with the same label."""
    assert len(source) == len(oracle) > 0
    for index in range(len(source)):
        image, label = oracle[index]
        assert source.labels[index] == label
        assert (source[index] == np.asarray(image.convert("RGB"))).all()


# CIFAR-100


def write_cifar100(folder, images=4):
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True)
    for name in ("train", "test"):
        rows = rng.integers(0, 256, size=(images, 3074), dtype=np.uint8)
        rows[:, 0] %= 20
        rows[:, 1] %= 100
        rows.tofile(folder / f"{name}.bin")
    write(folder / "fine_label_names.txt", [f"thing{n}" for n in range(100)])
    return rows


def test_cifar100_takes_the_second_byte_the_fine_label(tmp_path):
    rows = write_cifar100(tmp_path / "cifar-100-binary")
    source = open_split("cifar100", "test", tmp_path)
    assert source.labels.tolist() == rows[:, 1].tolist()
    # Row 3, column 4 of the third image's blue plane, after two label bytes.
    assert source[2][3, 4, 2] == rows[2, 2 + 2 * 1024 + 3 * 32 + 4]
    assert source.class_names[7] == "thing7"


def test_the_pickled_cifar100_is_refused_unread(tmp_path):
    (tmp_path / "cifar-100-python").mkdir()
    (tmp_path / "cifar-100-python" / "train").write_bytes(b"cos\nsystem\n")
    with pytest.raises(BadData, match=r"pickled.*cifar-100-binary\.tar\.gz"):
        open_split("cifar100", "train", tmp_path)


def test_a_truncated_cifar100_is_named(tmp_path):
    write_cifar100(tmp_path / "cifar-100-binary")
    file = tmp_path / "cifar-100-binary" / "test.bin"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(BadData, match=r"test\.bin: 12,295 bytes\. Wanted: a multiple of 3,074"):
        open_split("cifar100", "test", tmp_path)


# STL-10


def test_stl10_is_read_as_torchvision_reads_it(tmp_path, torchvision, monkeypatch):
    folder = tmp_path / "stl10_binary"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for split in ("train", "test"):
        rng.integers(0, 256, size=(3, 3, 96, 96), dtype=np.uint8).tofile(folder / f"{split}_X.bin")
        np.array([10, 1, 4], np.uint8).tofile(folder / f"{split}_y.bin")
    write(folder / "class_names.txt", [f"thing{n}" for n in range(10)])
    monkeypatch.setattr(torchvision.datasets.STL10, "_check_integrity", lambda self: True)
    oracle = torchvision.datasets.STL10(str(tmp_path), split="test")
    source = open_split("stl10", "test", tmp_path)
    assert_same(source, oracle)
    assert source.labels.tolist() == [9, 0, 3]


# PASCAL VOC 2007

VOC = {
    # image: objects as (class, difficult)
    "000005": [("chair", 0), ("chair", 1)],
    "000007": [("car", 0), ("person", 1)],
    "000012": [("train", 1)],
    "000003": [("person", 0), ("person", 0), ("sofa", 0)],
}


def write_voc(root, images, split):
    """As VOCdevkit: annotations of objects, and for each class a list of 1, 0 and -1."""
    from relicheck.evaluations.datasets.voc2007 import CLASSES

    for number, (name, objects) in enumerate(images.items()):
        save(root / "JPEGImages" / f"{name}.jpg", number)
        body = "".join(
            f"<object><name>{c}</name><difficult>{d}</difficult></object>" for c, d in objects
        )
        write(root / "Annotations" / f"{name}.xml", [f"<annotation>{body}</annotation>"])
    write(root / "ImageSets" / "Main" / f"{split}.txt", images)
    for known in CLASSES:
        marks = []
        for name, objects in images.items():
            difficult = [d for c, d in objects if c == known]
            mark = -1 if not difficult else 1 if 0 in difficult else 0
            marks.append(f"{name} {mark:2d}")  # the devkit pads: "000005  1", "000007 -1"
        write(root / "ImageSets" / "Main" / f"{known}_{split}.txt", marks)


@pytest.fixture
def voc(tmp_path):
    root = tmp_path / "VOCdevkit" / "VOC2007"
    names = list(VOC)
    write_voc(root, {name: VOC[name] for name in names[:2]}, "train")
    write_voc(root, {name: VOC[name] for name in names[2:]}, "val")
    write_voc(root, VOC, "test")
    return tmp_path


def test_voc_targets_are_one_zero_and_minus_one_for_objects_that_are_only_difficult(voc):
    source = open_split("voc2007", "test", voc)
    targets, place = targets_of(source), source.class_names.index
    assert (targets.shape, targets.dtype) == ((4, 20), np.int8)
    assert targets[0, place("chair")] == 1  # one of two chairs is difficult
    assert targets[1, place("car")] == 1
    assert targets[1, place("person")] == -1
    assert targets[2].tolist() == [-1 if c == "train" else 0 for c in source.class_names]
    assert targets.sum() == 1 + 1 - 1 - 1 + 2


def test_voc_says_of_every_image_what_its_annotations_say(voc, torchvision):
    oracle = torchvision.datasets.VOCDetection(str(voc), year="2007", image_set="test")
    source = open_split("voc2007", "test", voc)
    assert len(oracle) == len(source)
    for index in range(len(source)):
        image, annotation = oracle[index]
        assert (source[index] == np.asarray(image)).all()
        objects = annotation["annotation"]["object"]
        for label, name in enumerate(source.class_names):
            marks = [o["difficult"] for o in objects if o["name"] == name]
            wanted = 1 if "0" in marks else -1 if marks else 0
            assert targets_of(source)[index, label] == wanted


def test_vocs_validation_images_are_the_last_of_trainval(voc):
    train, val = open_split("voc2007", "train", voc), open_split("voc2007", "val", voc)
    assert train.split == "trainval"
    assert train.identities == ["000005.jpg", "000007.jpg", "000012.jpg", "000003.jpg"]
    assert val.identities == train.identities[-2:]
    assert (targets_of(val) == targets_of(train)[-2:]).all()


def test_a_part_of_voc_keeps_its_targets_and_they_belong_to_the_fingerprint(voc):
    source = open_split("voc2007", "test", voc)
    assert (targets_of(part(source, 2)) == targets_of(source)[[0, 2]]).all()
    before = source.fingerprint
    file = voc / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main" / "person_test.txt"
    file.write_text(file.read_text().replace("000007  0", "000007  1"))
    assert open_split("voc2007", "test", voc).fingerprint != before


def test_evaluators_of_one_label_refuse_voc(voc, checkpoint, tmp_path):
    with pytest.raises(UsageError, match="knn on voc2007: an image may show several classes"):
        evaluate(checkpoint, "voc2007", ["knn"], records=tmp_path / "r", data_root=voc)


@pytest.mark.parametrize(
    ("found", "replaced", "message"),
    [
        ("000005 -1", "000005  2", r"image 000005 is marked '2'\. Wanted: -1, 0 or 1"),
        ("000005 -1\n", "", r"bus_test\.txt: it marks other images"),
        ("000005 -1", "000005", r"line 1 has 1 words"),
    ],
)
def test_a_damaged_voc_list_is_named(voc, found, replaced, message):
    file = voc / "VOCdevkit" / "VOC2007" / "ImageSets" / "Main" / "bus_test.txt"
    file.write_text(file.read_text().replace(found, replaced))
    with pytest.raises(BadData, match=message):
        open_split("voc2007", "test", voc)


# Flowers-102


@pytest.fixture
def flowers(tmp_path):
    folder = tmp_path / "flowers-102"
    for number in range(1, 9):
        save(folder / "jpg" / f"image_{number:05d}.jpg", number)
    savemat(folder / "imagelabels.mat", {"labels": np.array([[3, 1, 2, 102, 5, 6, 7, 8]])})
    ids = {"trnid": [[7, 2]], "valid": [[4, 1]], "tstid": [[8, 3, 5, 6]]}
    savemat(folder / "setid.mat", ids)
    return tmp_path


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_flowers_are_read_as_torchvision_reads_them(flowers, split, torchvision, monkeypatch):
    module = torchvision.datasets.flowers102
    monkeypatch.setattr(module, "check_integrity", lambda file, md5=None: True)  # of the real files
    oracle = torchvision.datasets.Flowers102(str(flowers), split=split)
    folder = flowers / "flowers-102"
    source = datasets.load("flowers").open(split, folder)
    assert_same(source, oracle)


def test_flowers_count_from_one_in_the_files_and_from_nought_here(flowers):
    train = open_split("flowers", "train", flowers)
    assert train.split == "trainval"
    assert train.identities == [f"image_0000{n}.jpg" for n in (7, 2, 4, 1)]
    assert train.labels.tolist() == [6, 0, 101, 2]
    assert open_split("flowers", "val", flowers).labels.tolist() == [101, 2]


def test_a_flower_that_is_not_there_is_named(flowers):
    (flowers / "flowers-102" / "jpg" / "image_00005.jpg").unlink()
    with pytest.raises(BadData, match=r"1 of the 4 images .*such as image_00005\.jpg"):
        open_split("flowers", "test", flowers)


def test_something_else_called_setid_is_named(flowers):
    (flowers / "flowers-102" / "setid.mat").write_text("<html>404</html>")
    with pytest.raises(BadData, match=r"setid\.mat: not a MATLAB file"):
        open_split("flowers", "test", flowers)


def test_a_setid_without_the_split_is_named(flowers):
    savemat(flowers / "flowers-102" / "setid.mat", {"trnid": [[1]]})
    with pytest.raises(BadData, match=r"it holds \['trnid'\]\. Wanted: the variables \['tstid'\]"):
        open_split("flowers", "test", flowers)


# Pets


@pytest.mark.parametrize("split", ["trainval", "test"])
def test_pets_are_read_as_torchvision_reads_them(tmp_path, split, torchvision):
    folder = tmp_path / "oxford-iiit-pet"
    rows = ["Abyssinian_100 1 1 1", "english_cocker_spaniel_7 3 2 2", "beagle_2 2 2 1"]
    write(folder / "annotations" / f"{split}.txt", rows)
    for number, row in enumerate(rows):
        save(folder / "images" / f"{row.split()[0]}.jpg", number)
    oracle = torchvision.datasets.OxfordIIITPet(str(tmp_path), split=split)
    source = open_split("pets", split, tmp_path)
    assert_same(source, oracle)
    assert source.class_names == ("Abyssinian", "beagle", "english_cocker_spaniel")


def test_a_pet_list_that_gives_a_class_two_breeds_is_refused(tmp_path):
    folder = tmp_path / "pets" / "annotations"
    write(folder / "test.txt", ["pug_1 1 2 1", "beagle_2 1 2 1"])
    with pytest.raises(BadData, match="beagle_2 is of class 1"):
        open_split("pets", "test", tmp_path)


# DTD


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_dtd_is_read_as_torchvision_reads_it(tmp_path, split, torchvision):
    folder = tmp_path / "dtd" / "dtd"
    names = ["zigzagged/zigzagged_0001.jpg", "banded/banded_0002.jpg", "lined/lined_3.jpg"]
    for number, name in enumerate(names):
        save(folder / "images" / name, number)
    for known in ("train", "val", "test"):
        write(folder / "labels" / f"{known}1.txt", names[::-1] if known == "val" else names)
        write(folder / "labels" / f"{known}2.txt", ["banded/of_another_division.jpg"])
    oracle = torchvision.datasets.DTD(str(tmp_path), split=split, partition=1)
    assert_same(datasets.load("dtd").open(split, folder), oracle)
    assert open_split("dtd", "train", tmp_path).identities == names + names[::-1]


# Aircraft


@pytest.mark.parametrize("split", ["train", "val", "test"])
def test_aircraft_is_read_as_torchvision_reads_it(tmp_path, split, torchvision):
    folder = tmp_path / "fgvc-aircraft-2013b" / "data"
    # Names with spaces and slashes; the order is the file's, not the alphabet's.
    variants = ["A300B4", "F/A-18", "737-700", "DH-82", "Cessna 172", "707-320"]
    write(folder / "variants.txt", variants)
    rows = ["0034309 707-320", "1025794 Cessna 172", "0723678 F/A-18"]
    for known in ("train", "val", "test"):
        write(folder / f"images_variant_{known}.txt", rows[1:] if known == "val" else rows)
    for number, row in enumerate(rows):
        save(folder / "images" / f"{row.split()[0]}.jpg", number)
    oracle = torchvision.datasets.FGVCAircraft(str(tmp_path), split=split)
    source = datasets.load("aircraft").open(split, folder.parent)
    assert_same(source, oracle)
    assert source.class_names == tuple(variants)


def test_an_unknown_aircraft_is_named(tmp_path):
    folder = tmp_path / "fgvc-aircraft-2013b" / "data"
    write(folder / "variants.txt", ["A300B4"])
    write(folder / "images_variant_test.txt", ["0034309 Concorde"])
    with pytest.raises(BadData, match=r"unknown classes such as \['Concorde'\]"):
        open_split("aircraft", "test", tmp_path)


# Cars


def write_cars(folder, file, images):
    kind = [("class", "O"), ("fname", "O")]
    rows = np.empty((1, len(images)), dtype=kind)
    for column, (name, label) in enumerate(images.items()):
        rows[0, column] = (label, name)
    savemat(folder / file, {"annotations": rows})


@pytest.mark.parametrize("split", ["train", "test"])
def test_cars_are_read_as_torchvision_reads_them(tmp_path, split, torchvision):
    folder = tmp_path / "stanford_cars"
    (folder / "devkit").mkdir(parents=True)
    names = np.array(["AM General Hummer SUV 2000", "Ram C/V 2012", "smart"], dtype=object)
    savemat(folder / "devkit" / "cars_meta.mat", {"class_names": names})
    images = {"00002.jpg": 3, "00001.jpg": 1, "00003.jpg": 2}
    write_cars(folder, "devkit/cars_train_annos.mat", images)
    write_cars(folder, "cars_test_annos_withlabels.mat", images)
    for number, name in enumerate(images):
        save(folder / f"cars_{split}" / name, number)
    oracle = torchvision.datasets.StanfordCars(str(tmp_path), split=split)
    source = open_split("stanford_cars", split, tmp_path)
    assert_same(source, oracle)
    assert source.class_names[1] == "Ram C/V 2012"


def test_cars_without_the_labels_of_the_test_images_are_missing(tmp_path):
    (tmp_path / "stanford_cars" / "devkit").mkdir(parents=True)
    with pytest.raises(MissingData, match=r"found no cars_test_annos_withlabels\.mat"):
        open_split("stanford_cars", "test", tmp_path)


# Food-101


@pytest.mark.parametrize("split", ["train", "test"])
def test_food101_is_read_as_torchvision_reads_it(tmp_path, split, torchvision):
    folder = tmp_path / "food-101"
    listed = {"waffles": ["waffles/9", "waffles/10"], "apple_pie": ["apple_pie/3"]}
    names = [name for group in listed.values() for name in group]
    # The archive says the same twice: torchvision reads the .json, we read the .txt.
    write(folder / "meta" / f"{split}.json", [json.dumps(listed)])
    write(folder / "meta" / f"{split}.txt", names)
    write(folder / "meta" / "classes.txt", ["apple_pie", "waffles"])
    for number, name in enumerate(names):
        save(folder / "images" / f"{name}.jpg", number)
    oracle = torchvision.datasets.Food101(str(tmp_path), split=split)
    assert_same(open_split("food101", split, tmp_path), oracle)


# SUN397


def test_sun397_takes_the_first_division_and_the_whole_folder_as_class(tmp_path, torchvision):
    folder = tmp_path / "SUN397"
    classes = ["/a/abbey", "/a/apartment_building/outdoor", "/z/zen_garden"]
    write(folder / "ClassName.txt", classes)
    names = [f"{classes[n]}/sun_{n}{k}.jpg" for n in (2, 0, 1) for k in range(2)]
    for number, name in enumerate(names):
        save(folder / name.lstrip("/"), number)
    write(folder / "Training_01.txt", names[::2])
    write(folder / "Testing_01.txt", names[1::2])
    source = open_split("sun397", "test", tmp_path)
    assert source.labels.tolist() == [2, 0, 1]
    # torchvision reads all images and knows no division: the oracle of the classes alone.
    oracle = torchvision.datasets.SUN397(str(tmp_path))
    by_file = {
        path.relative_to(folder).as_posix(): label
        for path, label in zip(oracle._image_files, oracle._labels, strict=True)
    }
    assert [by_file[name] for name in source.identities] == source.labels.tolist()
    assert [f"/{name}" for name in source.identities] == names[1::2]


# Caltech-101


@pytest.fixture(scope="module")
def caltech(tmp_path_factory):
    """102 classes of 32 images: BACKGROUND_Google, Faces, ... in the order of their names."""
    root = tmp_path_factory.mktemp("caltech")
    folder = root / "caltech101" / "101_ObjectCategories"
    names = ["BACKGROUND_Google", "Faces", *(f"thing{n:02d}" for n in range(100))]
    for name in names:
        (folder / name).mkdir(parents=True)
        for index in range(1, 33):
            (folder / name / f"image_{index:04d}.jpg").write_bytes(b"%d" % index)
    save(folder / "Faces" / "image_0001.jpg", 1)
    return root


def test_caltech_draws_thirty_of_each_class_and_scores_the_others(caltech):
    train, test = (
        open_split("caltech101", "train", caltech),
        open_split("caltech101", "test", caltech),
    )
    assert np.bincount(train.labels).tolist() == [30] * 102
    assert np.bincount(test.labels).tolist() == [2] * 102
    assert not set(train.identities) & set(test.identities)
    assert (train.expected, test.expected) == (3_060, 6_084)


def test_caltechs_draw_follows_its_seed(caltech):
    first, again = (
        open_split("caltech101", "train", caltech),
        open_split("caltech101:0", "train", caltech),
    )
    other = open_split("caltech101:3", "train", caltech)
    rest = open_split("caltech101:3", "test", caltech)
    assert list(first.identities) == list(again.identities)
    assert set(first.identities) != set(other.identities)
    assert not set(other.identities) & set(rest.identities)
    assert (other.split, rest.split) == ("train@3", "test@3")


def test_caltech_as_a_whole_has_the_classes_of_all_its_folders(caltech):
    # torchvision drops BACKGROUND_Google (101 classes); the papers' 3,060 = 30 x 102 keep it.
    whole = open_split("caltech101", "all", caltech)
    assert (len(whole), len(whole.class_names)) == (102 * 32, 102)
    assert whole.class_names[0] == "BACKGROUND_Google"


def test_a_caltech_class_with_nothing_left_to_score_is_refused(caltech, tmp_path):
    from relicheck.evaluations.datasets.caltech101 import drawn

    with pytest.raises(BadData, match="30 images of class 1"):
        drawn(np.repeat([0, 1], [31, 30]), 0, tmp_path)


# Birdsnap


def test_birdsnap_leaves_out_what_was_not_downloaded_and_is_then_a_part(tmp_path):
    folder = tmp_path / "birdsnap"
    write(folder / "species.txt", ["id\tcommon\tscientific\tdir", "2\tB\tb\tBee", "10\tA\ta\tAuk"])
    paths = ["Auk/1.jpg", "Bee/2.jpg", "Auk/3.jpg", "Bee/4.jpg"]
    rows = [f"http://x\t0\t{p}\t{'10' if p[0] == 'A' else '2'}" for p in paths]
    write(folder / "images.txt", ["url\tmd5\tpath\tspecies_id", *rows])
    write(folder / "test_images.txt", ["path", "Auk/3.jpg", "Bee/4.jpg"])
    for number, path in enumerate(paths[:3]):
        save(folder / "download" / "images" / path, number)
    train, test = (
        open_split("birdsnap", "train", tmp_path),
        open_split("birdsnap", "test", tmp_path),
    )
    # Species by their number, 2 before 10, not by its text.
    assert train.class_names == ("Bee", "Auk")
    assert (train.identities, train.labels.tolist()) == (["Auk/1.jpg", "Bee/2.jpg"], [1, 0])
    assert (test.identities, test.expected) == (["Auk/3.jpg"], 2_443)


# Places


@pytest.fixture
def places(tmp_path):
    folder = tmp_path / "places365"
    write(folder / "categories_places365.txt", ["/a/airfield 0", "/z/zen_garden 1"])
    write(folder / "places365_val.txt", ["Places365_val_00000001.jpg 1", "Places365_val_2.jpg 0"])
    write(folder / "places365_train_standard.txt", ["/z/zen_garden/1.jpg 1", "/a/airfield/2.jpg 0"])
    for number, name in enumerate(("Places365_val_00000001.jpg", "Places365_val_2.jpg")):
        save(folder / "val_256" / name, number)
    for number, name in enumerate(("z/zen_garden/1.jpg", "a/airfield/2.jpg")):
        save(folder / "data_256_standard" / name, number)
    return tmp_path


@pytest.mark.parametrize(("split", "theirs"), [("val", "val"), ("train", "train-standard")])
def test_places365_is_read_as_torchvision_reads_it(places, split, theirs, torchvision, monkeypatch):
    module = torchvision.datasets.places365
    monkeypatch.setattr(module, "check_integrity", lambda file, md5=None: True)  # of the real lists
    oracle = torchvision.datasets.Places365(str(places / "places365"), split=theirs, small=True)
    assert_same(open_split("places365", split, places), oracle)


def test_places365_is_read_from_its_tar_in_place(places):
    import tarfile

    folder = places / "places365"
    unpacked = open_split("places365", "test", places)
    with tarfile.open(folder / "val_256.tar", "w") as tar:
        tar.add(folder / "val_256", "val_256")
    before = [unpacked[index] for index in range(2)]
    fingerprint = unpacked.fingerprint
    (folder / "val_256").rename(places / "elsewhere")
    packed = open_split("places365", "test", places)
    assert packed.labels.tolist() == [1, 0]
    assert all((packed[index] == before[index]).all() for index in range(2))
    assert packed.fingerprint == fingerprint


def test_places205_names_classes_by_their_folders(tmp_path):
    folder = tmp_path / "places205"
    rows = ["b/bar/x.jpg 1", "a/abbey/y.jpg 0"]
    write(folder / "trainvalsplit_places205" / "val_places205.csv", rows)
    for number, row in enumerate(rows):
        save(folder / "data/vision/torralba/deeplearning/images256" / row.split()[0], number)
    source = open_split("places205", "test", tmp_path)
    assert (source.split, source.labels.tolist()) == ("val", [1, 0])
    assert source.class_names == ("a/abbey", "b/bar")


# The table of the papers


@pytest.mark.parametrize(
    ("name", "classes", "train", "valid", "test"),
    [
        # BYOL (arXiv:2006.07733), Table 10. Caltech-101's 2,550 + 510 = 30 x 102: it prints 101.
        ("food101", 101, 68_175, 7_575, 25_250),
        ("cifar10", 10, 45_000, 5_000, 10_000),
        ("cifar100", 100, 44_933, 5_067, 10_000),
        ("birdsnap", 500, 42_405, 4_981, 2_443),
        ("sun397", 397, 15_880, 3_970, 19_850),
        ("stanford_cars", 196, 6_494, 1_650, 8_041),
        ("aircraft", 100, 3_334, 3_333, 3_333),
        ("voc2007", 20, 2_501, 2_510, 4_952),
        ("dtd", 47, 1_880, 1_880, 1_880),
        ("pets", 37, 2_940, 740, 3_669),
        ("caltech101", 102, 2_550, 510, 6_084),
        ("flowers", 102, 1_020, 1_020, 6_149),
    ],
)
def test_sizes_are_those_of_the_papers_table(name, classes, train, valid, test):
    known = datasets.load(name)
    assert known.classes == classes
    assert known.splits[known.training] == train + valid
    assert known.validation_images == valid
    assert known.splits[known.scored] == test
