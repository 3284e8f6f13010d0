"""Each data set in miniature, in exactly its official layout, with the traps of its masks."""

import re
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from relicheck.checkpoints.errors import BadData, MissingData, UnknownName, UsageError
from relicheck.evaluations.checking import check
from relicheck.evaluations.dataset import datasets, open_split
from relicheck.evaluations.image_source import masks_of
from relicheck.evaluations.segmentation.dataset import segmentation_dataset, segmentation_names
from relicheck.evaluations.sources import part

from .conftest import save_image, save_mask

SIDES = (6, 8)  # height, width


def values(fill, *corner):
    """[6, 8] of `fill`, whose first pixels are `corner`."""
    mask = np.full(SIDES, fill)
    mask[0, : len(corner)] = corner
    return mask


def test_the_segmentation_data_sets_are_registered():
    assert segmentation_names() == ["ade20k", "camvid", "cityscapes", "voc2012"]


def test_a_data_set_without_masks_is_no_segmentation_data_set():
    with pytest.raises(UsageError, match=r"digits: its images have no masks. Wanted: ade20k or"):
        segmentation_dataset("digits")


@pytest.mark.parametrize(
    ("name", "classes", "train", "scored"),
    [
        ("ade20k", 150, 20_210, 2_000),
        ("camvid", 11, 367, 233),
        ("cityscapes", 19, 2_975, 500),
        ("voc2012", 21, 10_582, 1_449),
    ],
)
def test_the_published_sizes(name, classes, train, scored):
    known = segmentation_dataset(name)

    assert (known.classes, known.splits[known.training], known.splits[known.scored]) == (
        classes, train, scored
    )  # fmt: skip
    assert len(set(known.class_names)) == classes
    # Every class can occur, and nothing else but 255 comes out.
    assert set(known.labels.values()) - {255} == set(range(classes))


# PASCAL VOC 2012 with SBD


def voc_root(tmp_path):
    return tmp_path / "VOCdevkit" / "VOC2012"


def write_list(path, *names):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{name}\n" for name in names))


@pytest.fixture
def voc(tmp_path):
    """Two images with VOC's masks to train on, one to score, and three that only SBD has."""
    root = voc_root(tmp_path)
    for seed, name in enumerate(("2007_1", "2007_2", "2007_9", "2008_1", "2008_2", "2008_3")):
        save_image(root / "JPEGImages" / f"{name}.jpg", *SIDES, seed=seed)
    for name in ("2007_1", "2007_2", "2007_9"):
        save_mask(root / "SegmentationClass" / f"{name}.png", values(15, 0, 255, 20), mode="P")
    sets = root / "ImageSets" / "Segmentation"
    write_list(sets / "train.txt", "2007_2", "2007_1")
    write_list(sets / "val.txt", "2007_9")
    sbd = tmp_path / "VOCdevkit" / "VOCaug" / "dataset"
    # SBD holds VOC's own training images and even images of VOC's validation list.
    write_list(sbd / "train.txt", "2008_1", "2007_1", "2008_2")
    write_list(sbd / "val.txt", "2008_3", "2007_9")
    for name in ("2007_1", "2008_1", "2008_2", "2008_3", "2007_9"):
        (sbd / "cls").mkdir(parents=True, exist_ok=True)
        mask = values(0, 7).astype(np.uint8)
        savemat(sbd / "cls" / f"{name}.mat", {"GTcls": {"Segmentation": mask}})
    return tmp_path


def test_a_voc_mask_is_a_palette_image_and_its_indices_count(voc):
    source = open_split("voc2012", "val", voc)

    mask = masks_of(source)(0)

    assert mask.dtype == np.uint8
    assert mask[0].tolist() == [0, 255, 20, 15, 15, 15, 15, 15]
    # The colours would have been other numbers.
    with Image.open(voc_root(voc) / "SegmentationClass" / "2007_9.png") as image:
        assert image.mode == "P"
        assert not np.array_equal(np.asarray(image.convert("L")), mask)


def test_train_aug_is_voc_s_list_and_sbd_without_voc_s_validation_images(voc):
    source = open_split("voc2012", "train", voc)

    assert source.split == "train_aug"
    assert list(source.identities) == ["2007_1", "2007_2", "2008_1", "2008_2", "2008_3"]
    assert "2007_9" not in source.identities  # it is scored, though SBD has it


def test_an_image_of_voc_s_list_has_voc_s_mask_and_the_others_sbd_s(voc):
    source = open_split("voc2012", "train", voc)
    mask = masks_of(source)

    assert mask(0)[0].tolist()[:4] == [0, 255, 20, 15]  # SBD's has no border
    assert mask(2)[0].tolist()[:4] == [7, 0, 0, 0]


def test_sbd_masks_made_into_pngs_are_read_with_their_lists(voc):
    root = voc_root(voc)
    for file in (voc / "VOCdevkit" / "VOCaug" / "dataset" / "cls").iterdir():
        file.unlink()
    for name in ("2008_1", "2008_2"):
        save_mask(root / "SegmentationClassAug" / f"{name}.png", values(3))
    write_list(root / "ImageSets" / "Segmentation" / "train_aug.txt", "2008_2", "2007_1", "2008_1")

    source = open_split("voc2012", "train", voc)

    assert list(source.identities) == ["2007_1", "2008_1", "2008_2"]
    assert set(masks_of(source)(1).ravel()) == {3}


def test_mmsegmentation_s_list_of_additional_images_is_read_too(voc):
    write_list(voc_root(voc) / "ImageSets" / "Segmentation" / "aug.txt", "2008_3")

    source = open_split("voc2012", "train", voc)

    assert list(source.identities) == ["2007_1", "2007_2", "2008_3"]


def test_a_listed_image_without_a_mask_is_named(voc):
    (voc_root(voc) / "SegmentationClass" / "2007_9.png").unlink()

    with pytest.raises(BadData, match="the image 2007_9 of val has no mask"):
        open_split("voc2012", "val", voc)


def test_a_coloured_copy_of_a_voc_mask_is_refused(voc):
    path = voc_root(voc) / "SegmentationClass" / "2007_9.png"
    with Image.open(path) as image:
        coloured = image.convert("RGB")
    coloured.save(path)

    with pytest.raises(BadData, match=r"2007_9.png: a picture of colours \(RGB\). Wanted: class"):
        masks_of(open_split("voc2012", "val", voc))(0)


def test_without_the_devkit_s_lists_it_is_missing(voc):
    (voc_root(voc) / "ImageSets" / "Segmentation" / "val.txt").unlink()

    with pytest.raises(MissingData, match=r"found no val.txt"):
        open_split("voc2012", "val", voc)


def test_a_file_that_is_no_mask_of_sbd_is_named(voc):
    (voc / "VOCdevkit" / "VOCaug" / "dataset" / "cls" / "2008_1.mat").write_bytes(b"no matrix")

    with pytest.raises(BadData, match=r"2008_1.mat: not a mask of SBD"):
        masks_of(open_split("voc2012", "train", voc))(2)


# Cityscapes


def city_names(root, split, city, number):
    stem = f"{city}_00000{number}_000019"
    image = root / "cityscapes" / "leftImg8bit" / split / city / f"{stem}_leftImg8bit.png"
    return image, root / "cityscapes" / "gtFine" / split / city / f"{stem}_gtFine_labelIds.png"


@pytest.fixture
def cityscapes(tmp_path):
    """Two cities with their masks of ids, and the other files of the download."""
    for split, city, number in (("train", "aachen", 1), ("val", "munster", 1), ("val", "bonn", 2)):
        image, mask = city_names(tmp_path, split, city, number)
        save_image(image, *SIDES)
        save_mask(mask, values(7, 0, 3, 8, 33, 19))
        for other in ("color", "instanceIds"):
            save_mask(mask.with_name(mask.name.replace("labelIds", other)), values(1))
        mask.with_name(mask.name.replace("labelIds.png", "polygons.json")).write_text("{}")
    return tmp_path


def test_cityscapes_ids_become_training_ids(cityscapes):
    source = open_split("cityscapes", "test", cityscapes)

    assert source.split == "val"
    assert list(source.identities) == ["bonn_000002_000019", "munster_000001_000019"]
    # ids: road 7 -> 0; unlabelled 0 and out of roi 3 -> 255; sidewalk 8 -> 1; bicycle 33 -> 18;
    # traffic light 19 -> 6.
    assert masks_of(source)(0)[0].tolist() == [255, 255, 1, 18, 6, 0, 0, 0]


def test_masks_of_training_ids_are_taken_as_they_are(cityscapes):
    for split, city, number in (("val", "munster", 1), ("val", "bonn", 2)):
        _, mask = city_names(cityscapes, split, city, number)
        mask.unlink()
        save_mask(mask.with_name(mask.name.replace("Ids", "TrainIds")), values(7, 18, 255, 0))

    source = open_split("cityscapes", "val", cityscapes)

    assert masks_of(source)(0)[0].tolist() == [18, 255, 0, 7, 7, 7, 7, 7]


def test_an_id_in_a_mask_of_training_ids_is_named_with_its_place(cityscapes):
    _, mask = city_names(cityscapes, "val", "bonn", 2)
    other = mask.with_name(mask.name.replace("Ids", "TrainIds"))
    mask.rename(other)
    _, second = city_names(cityscapes, "val", "munster", 1)
    second.rename(second.with_name(second.name.replace("Ids", "TrainIds")))

    with pytest.raises(
        BadData,
        match=r"bonn_000002_000019_gtFine_labelTrainIds.png: pixel value 33 at row 0, column 3 "
        r"\(2 pixels of unknown values\). Wanted: 0 to 18 for the 19 classes, 255 for pixels",
    ):
        masks_of(open_split("cityscapes", "val", cityscapes))(0)


def test_where_ids_and_training_ids_lie_side_by_side_both_mean_the_same(cityscapes):
    ids = masks_of(open_split("cityscapes", "train", cityscapes))(0)
    _, mask = city_names(cityscapes, "train", "aachen", 1)
    save_mask(mask.with_name(mask.name.replace("Ids", "TrainIds")), ids)
    mask.unlink()

    assert np.array_equal(masks_of(open_split("cityscapes", "train", cityscapes))(0), ids)


def test_an_image_of_one_city_without_a_mask_is_named(cityscapes):
    _, mask = city_names(cityscapes, "val", "bonn", 2)
    mask.unlink()

    with pytest.raises(BadData, match=r"1 of 2 images have no mask, such as leftImg8bit/val/bonn"):
        open_split("cityscapes", "val", cityscapes)


def test_images_alone_are_not_enough(cityscapes):
    for file in (cityscapes / "cityscapes" / "gtFine" / "val").rglob("*_labelIds.png"):
        file.unlink()

    with pytest.raises(BadData, match=r"2 images and no mask that ends in _gtFine_labelIds.png"):
        open_split("cityscapes", "val", cityscapes)


# ADE20K


def write_ade(root, part, *masks):
    for number, mask in enumerate(masks, start=1):
        name = f"ADE_{part[:3]}_{number:08d}"
        base = root / "ADEChallengeData2016"
        save_image(base / "images" / part / f"{name}.jpg", *SIDES)
        save_mask(base / "annotations" / part / f"{name}.png", mask)


def test_ade_s_zero_is_not_scored_and_its_classes_begin_at_zero(tmp_path):
    write_ade(tmp_path, "validation", values(1, 0, 150))

    mask = masks_of(open_split("ade20k", "val", tmp_path))(0)

    assert mask[0].tolist() == [255, 149, 0, 0, 0, 0, 0, 0]
    assert segmentation_dataset("ade20k").class_names[0] == "wall"


def test_a_number_beyond_ade_s_150_classes_is_named(tmp_path):
    write_ade(tmp_path, "training", values(1, 151))

    with pytest.raises(BadData, match=r"ADE_tra_00000001.png: pixel value 151 at row 0, column 0"):
        masks_of(open_split("ade20k", "train", tmp_path))(0)


# CamVid, and what holds for every data set


@pytest.fixture
def camvid(tmp_path):
    for split, count in (("train", 3), ("val", 1), ("test", 2)):
        for number in range(count):
            base = tmp_path / "camvid" / split
            save_image(base / "images" / f"{number:04d}.png", *SIDES, seed=number)
            save_mask(base / "masks" / f"{number:04d}.png", values(3, 11, 0, 10))
    return tmp_path


def test_camvid_s_twelfth_number_is_not_scored(camvid):
    source = open_split("camvid", "test", camvid)

    assert masks_of(source)(0)[0].tolist() == [255, 0, 10, 3, 3, 3, 3, 3]
    assert source[0].shape == (*SIDES, 3)
    assert source.expected == 233
    assert len(source) == 2


def test_pairs_are_sorted_paths(camvid):
    pairs = segmentation_dataset("camvid").pairs("train", camvid)

    assert [(image.name, mask.name) for image, mask in pairs] == [
        (f"{n:04d}.png", f"{n:04d}.png") for n in range(3)
    ]
    assert segmentation_dataset("camvid").read_mask(pairs[0][1])[0, 0] == 255


def test_a_mask_of_another_size_than_its_image_is_named_with_both_sizes(camvid):
    save_mask(camvid / "camvid" / "test" / "masks" / "0001.png", np.zeros((8, 6)))

    with pytest.raises(BadData, match=r"test/masks/0001.png: a mask of 6 x 8 px. Wanted: 8 x 6 px"):
        masks_of(open_split("camvid", "test", camvid))(1)


def test_an_unknown_number_is_named_with_its_file_place_and_count(camvid):
    save_mask(camvid / "camvid" / "test" / "masks" / "0000.png", values(3, 0, 12, 12))

    with pytest.raises(
        BadData,
        match=r"0000.png: pixel value 12 at row 0, column 1 \(2 pixels of unknown values\). "
        r"Wanted: 0 to 10 for the 11 classes, 11 for pixels without one",
    ):
        masks_of(open_split("camvid", "test", camvid))(0)


def test_a_missing_mask_and_a_mask_too_many_are_named(camvid):
    (camvid / "camvid" / "train" / "masks" / "0001.png").unlink()
    with pytest.raises(BadData, match=r"1 of 3 images have no mask, such as train/images/0001.png"):
        open_split("camvid", "train", camvid)

    (camvid / "camvid" / "train" / "images" / "0001.png").unlink()
    (camvid / "camvid" / "train" / "images" / "0002.png").unlink()
    with pytest.raises(BadData, match=r"1 of 2 masks have no image, such as train/masks/0002.png"):
        open_split("camvid", "train", camvid)


def test_a_truncated_mask_is_named(camvid):
    path = camvid / "camvid" / "test" / "masks" / "0000.png"
    path.write_bytes(path.read_bytes()[:40])

    with pytest.raises(BadData, match=r"masks/0000.png: cannot be read as a mask"):
        masks_of(open_split("camvid", "test", camvid))(0)


def test_an_empty_mask_is_named(camvid):
    (camvid / "camvid" / "test" / "masks" / "0000.png").write_bytes(b"")

    with pytest.raises(BadData, match=r"0000.png: the file is empty"):
        masks_of(open_split("camvid", "test", camvid))(0)


def test_more_images_than_were_published_are_another_data_set(camvid, monkeypatch):
    small = replace(segmentation_dataset("camvid"), splits={"train": 2, "val": 1, "test": 2})
    monkeypatch.setattr(datasets, "load", lambda _: small)

    with pytest.raises(BadData, match=r"3 images with masks. Wanted: 2, as published"):
        open_split("camvid", "train", camvid)


def test_another_mask_is_another_fingerprint(camvid):
    before = open_split("camvid", "test", camvid).fingerprint
    save_mask(camvid / "camvid" / "test" / "masks" / "0000.png", values(4))

    assert open_split("camvid", "test", camvid).fingerprint != before


def test_a_part_of_the_images_keeps_their_masks(camvid):
    source = open_split("camvid", "train", camvid)

    some = part(source, 2)

    assert list(some.identities) == ["0000", "0001"]
    assert np.array_equal(masks_of(some)(1), masks_of(source)(1))


def test_checking_the_data_reads_every_mask(camvid, bare_machine):
    save_mask(camvid / "camvid" / "test" / "masks" / "0001.png", values(99))

    found = {split.split: split for split in check("camvid", camvid)}

    (bad,) = found["test"].corrupt
    assert bad.identity == "0001"
    assert "pixel value 99" in bad.reason
    assert not found["train"].corrupt
    assert found["train"].fingerprint == open_split("camvid", "train", camvid).fingerprint


def test_the_real_camvid_is_whole_and_its_pairs_are_unpacked_once(real_data, tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path))
    known = segmentation_dataset("camvid")
    for role, images in (("train", 367), ("test", 233)):
        source = open_split("camvid", role, real_data)
        assert len(source) == source.expected == images

    source = open_split("camvid", "test", real_data)
    image, mask = known.pairs("test", real_data)[100]
    seen = {int(v) for i in range(0, 233, 40) for v in np.unique(masks_of(source)(i))}

    assert np.array_equal(known.read_mask(mask), masks_of(source)(100))
    assert np.array_equal(known.read_image(image), source[100])
    assert seen == {*range(11), 255}
    stamp = mask.stat().st_mtime_ns
    assert known.pairs("test", real_data)[100][1].stat().st_mtime_ns == stamp


# A folder of one's own


def test_a_folder_s_classes_are_the_lines_of_its_file(mask_folder):
    source = open_split(mask_folder, "train")

    assert source.class_names == ("red", "green", "blue")
    assert source.name == "patches"
    assert set(np.unique(masks_of(source)(0))) <= {0, 1, 2, 255}


def test_a_line_ignore_is_a_number_that_is_not_scored(mask_folder):
    (mask_folder / "classes.txt").write_text("red\nignore\nblue\n")

    mask = masks_of(open_split(mask_folder, "test"))
    source = open_split(mask_folder, "test")

    assert source.class_names == ("red", "blue")
    assert {int(v) for i in range(5) for v in np.unique(mask(i))} == {0, 1, 255}


def test_masks_of_colours_are_read_where_the_colours_are_named(mask_folder):
    (mask_folder / "classes.txt").write_text("red 200 0 0\ngreen 0 200 0\nignore 0 0 0\n")
    pixels = np.zeros((24, 32, 3), dtype=np.uint8)
    pixels[:, :9], pixels[:, 9:20] = (200, 0, 0), (0, 200, 0)
    Image.fromarray(pixels).save(mask_folder / "test" / "masks" / "00.png")

    mask = masks_of(open_split(mask_folder, "test"))(0)

    assert mask[5, [0, 8, 9, 19, 20, 31]].tolist() == [0, 0, 1, 1, 255, 255]


def test_a_colour_that_nobody_named_is_given_with_its_place(mask_folder):
    (mask_folder / "classes.txt").write_text("red 200 0 0\ngreen 0 200 0\n")
    pixels = np.full((24, 32, 3), (200, 0, 0), dtype=np.uint8)
    pixels[3, 4] = (200, 0, 1)
    Image.fromarray(pixels).save(mask_folder / "test" / "masks" / "00.png")

    with pytest.raises(BadData, match=re.escape("colour (200, 0, 1) at row 3, column 4 (1 pixels")):
        masks_of(open_split(mask_folder, "test"))(0)


def test_a_folder_without_its_classes_says_what_to_write(mask_folder):
    (mask_folder / "classes.txt").unlink()

    with pytest.raises(MissingData, match=r"images with masks and no classes.txt. Wanted: a class"):
        open_split(mask_folder, "train")


@pytest.mark.parametrize("text", ["red\nred\n", "red\n", "red 300 0 0\ngreen 0 1 0\n"])
def test_a_file_of_classes_that_cannot_be_is_refused(mask_folder, text):
    (mask_folder / "classes.txt").write_text(text)

    with pytest.raises(BadData, match=r"classes.txt"):
        open_split(mask_folder, "train")


def test_test_falls_to_val_and_an_absent_split_is_said(mask_folder):
    (mask_folder / "test").rename(mask_folder / "val")
    assert open_split(mask_folder, "test").split == "val"

    with pytest.raises(UnknownName, match=r"split of .*patches 'trial'"):
        open_split(mask_folder, "trial")
