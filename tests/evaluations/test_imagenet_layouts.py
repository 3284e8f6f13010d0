"""ImageNet in each of its layouts, in miniature; torchvision reads the devkit as the oracle."""

import io
import tarfile

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from relicheck.checkpoints.errors import BadData, MissingData
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.imagenet_layouts import validation_labels
from relicheck.evaluations.splits import imagenet_wnids

# Few classes, in the devkit's own order of ids: not that of the sorted wnids.
BY_ID = ["n02119789", "n02100735", "n01440764", "n03888257"]
INDEX = [imagenet_wnids().index(wnid) for wnid in BY_ID]
TRUTH = [3, 1, 4, 3, 2]  # ids of the five validation images


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "cache"))


def encode(seed, mode="RGB", kind="JPEG", **options):
    pixels = np.random.default_rng(seed).integers(0, 256, size=(8, 6, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(stream, kind, **options)
    return stream.getvalue()


def turned():
    exif = Image.Exif()
    exif[0x0112] = 6  # by 90 degrees; no published number followed it
    return {"exif": exif}


# As in the real set: grey, CMYK, a PNG called .JPEG, one with an orientation.
VALIDATION = {
    f"ILSVRC2012_val_{number:08d}.JPEG": content
    for number, content in enumerate(
        [
            encode(1),
            encode(2, "L"),
            encode(3, "CMYK"),
            encode(4, kind="PNG"),
            encode(5, **turned()),
        ],
        start=1,
    )
}


def write_devkit(folder):
    data = folder / "ILSVRC2012_devkit_t12" / "data"
    data.mkdir(parents=True)
    (data / "ILSVRC2012_validation_ground_truth.txt").write_text("".join(f"{i}\n" for i in TRUTH))
    kind = [(name, "O") for name in ("ILSVRC2012_ID", "WNID", "words", "gloss", "num_children")]
    rows = [(n, wnid, f"thing {n}", "-", 0) for n, wnid in enumerate(BY_ID, start=1)]
    rows.append((5, "n00001740", "entity", "-", 3))  # an inner node, which has no images
    synsets = np.empty((len(rows), 1), dtype=kind)
    for number, row in enumerate(rows):
        synsets[number, 0] = row
    savemat(data / "meta.mat", {"synsets": synsets})


def pack(path, files):
    with tarfile.open(path, "w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.fixture
def flat(tmp_path):
    folder = tmp_path / "flat" / "imagenet"
    write_devkit(folder)
    (folder / "val").mkdir()
    for name, content in VALIDATION.items():
        (folder / "val" / name).write_bytes(content)
    return folder.parent


@pytest.fixture
def tarred(tmp_path):
    folder = tmp_path / "tarred" / "imagenet"
    write_devkit(folder)
    pack(folder / "ILSVRC2012_img_val.tar", dict(sorted(VALIDATION.items(), reverse=True)))
    inner = {}
    for wnid in sorted(BY_ID):
        stream = io.BytesIO()
        with tarfile.open(fileobj=stream, mode="w") as tar:
            for number in (10, 9):
                content = encode(int(wnid[1:]) + number)
                member = tarfile.TarInfo(f"{wnid}_{number}.JPEG")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        inner[f"{wnid}.tar"] = stream.getvalue()
    pack(folder / "ILSVRC2012_img_train.tar", inner)
    return folder.parent


def sorted_truth():
    """(wnid, name) of the validation images, by hand: the id's place in BY_ID names the wnid."""
    return sorted((BY_ID[i - 1], name) for i, name in zip(TRUTH, VALIDATION, strict=True))


def test_ids_of_the_devkit_are_not_indices_of_sorted_wnids(flat):
    source = open_split("imagenet", "val", flat)
    assert source.identities == [f"{wnid}/{name}" for wnid, name in sorted_truth()]
    assert [source.class_names[label] for label in source.labels] == [w for w, _ in sorted_truth()]
    # The trap: ids taken for indices fit no image here.
    assert not set(zip(VALIDATION, INDEX, strict=False)) & set(zip(VALIDATION, TRUTH, strict=True))


def test_the_devkit_is_read_as_torchvision_reads_it(flat, torchvision):
    import torch

    folder = flat / "imagenet"
    with tarfile.open(folder / "ILSVRC2012_devkit_t12.tar.gz", "w:gz") as tar:
        tar.add(folder / "ILSVRC2012_devkit_t12", "ILSVRC2012_devkit_t12")
    module = torchvision.datasets.imagenet
    before, module._verify_archive = module._verify_archive, lambda *_: None
    try:
        module.parse_devkit_archive(folder)
    finally:
        module._verify_archive = before
    _, wnids = torch.load(folder / "meta.bin", weights_only=True)
    ours = validation_labels(list(VALIDATION), folder)
    assert [imagenet_wnids()[label] for label in ours] == list(wnids)


def test_the_devkit_may_stay_packed(flat, tmp_path):
    folder = flat / "imagenet"
    wanted = open_split("imagenet", "val", flat).labels.tolist()
    with tarfile.open(folder / "ILSVRC2012_devkit_t12.tar.gz", "w:gz") as tar:
        tar.add(folder / "ILSVRC2012_devkit_t12", "ILSVRC2012_devkit_t12")
    (folder / "ILSVRC2012_devkit_t12").rename(tmp_path / "away")
    assert open_split("imagenet", "val", flat).labels.tolist() == wanted


def test_folder_and_official_tar_hold_the_same_images_with_one_fingerprint(flat, tarred):
    unpacked, packed = (open_split("imagenet", "test", root) for root in (flat, tarred))
    assert packed.identities == unpacked.identities
    assert packed.fingerprint == unpacked.fingerprint
    for index, (_, name) in enumerate(sorted_truth()):
        oracle = Image.open(io.BytesIO(VALIDATION[name])).convert("RGB")
        assert (packed[index] == np.asarray(oracle)).all()
        assert (unpacked[index] == packed[index]).all()


def test_class_folders_have_the_flat_folders_order_and_fingerprint(flat, tmp_path, monkeypatch):
    root = tmp_path / "sorted"
    for wnid, name in sorted_truth():
        path = root / "imagenet" / "val" / wnid / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(VALIDATION[name])
    for wnid in set(imagenet_wnids()) - set(BY_ID):
        (root / "imagenet" / "val" / wnid).mkdir(parents=True)
    # A miniature has classes without images, which the real set has not.
    monkeypatch.setattr(
        "relicheck.evaluations.folders.image_files", lambda folder: sorted(folder.iterdir())
    )
    sorted_folders, loose = open_split("imagenet", "val", root), open_split("imagenet", "val", flat)
    assert sorted_folders.fingerprint == loose.fingerprint


def test_the_training_tar_of_tars_is_read_in_place(tarred):
    source = open_split("imagenet", "train", tarred)
    wnids = sorted(BY_ID)
    # Sorted as text, as class folders are: _10 before _9.
    assert source.identities == [f"{w}/{w}_{n}.JPEG" for w in wnids for n in (10, 9)]
    assert source.labels.tolist() == [imagenet_wnids().index(w) for w in wnids for _ in range(2)]
    content = encode(int(wnids[1][1:]) + 9)
    assert (source[3] == np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))).all()
    assert source.expected == 1_281_167


def test_shards_and_parquet_files_are_found_by_their_split(tmp_path):
    pa = pytest.importorskip("pyarrow")
    import pyarrow.parquet as pq

    folder = tmp_path / "imagenet"
    folder.mkdir()
    pack(folder / "imagenet1k-train-0000.tar", {"a.jpg": encode(1), "a.cls": b"7"})
    pack(folder / "imagenet1k-validation-00.tar", {"a.jpg": encode(2), "a.cls": b"999"})
    assert open_split("imagenet", "train", tmp_path).labels.tolist() == [7]
    assert open_split("imagenet", "val", tmp_path).labels.tolist() == [999]
    for shard in folder.glob("*.tar"):
        shard.unlink()
    (folder / "data").mkdir()
    for split, label in (("train", 3), ("validation", 5)):
        table = pa.table({"image": [{"bytes": encode(label), "path": "x.JPEG"}], "label": [label]})
        pq.write_table(table, folder / "data" / f"{split}-00000-of-00001-abc.parquet")
    assert open_split("imagenet", "train", tmp_path).labels.tolist() == [3]
    assert open_split("imagenet", "test", tmp_path).labels.tolist() == [5]


def test_a_validation_tar_without_the_devkit_says_what_it_needs(tarred, tmp_path):
    (tarred / "imagenet" / "ILSVRC2012_devkit_t12").rename(tmp_path / "away")
    with pytest.raises(BadData, match=r"no devkit .*Wanted: ILSVRC2012_devkit_t12\.tar\.gz beside"):
        open_split("imagenet", "val", tarred)


def test_a_validation_image_beyond_the_ground_truth_is_refused(flat):
    with pytest.raises(BadData, match="image 6 of 5 labels"):
        validation_labels(["ILSVRC2012_val_00000006.JPEG"], flat / "imagenet")


def test_a_renamed_validation_image_is_refused(flat):
    with pytest.raises(BadData, match=r"a validation image called 'cat\.jpg'"):
        validation_labels(["cat.jpg"], flat / "imagenet")


def test_an_empty_imagenet_is_missing(tmp_path):
    (tmp_path / "imagenet").mkdir()
    with pytest.raises(MissingData, match="found no 'val' as a folder, tar, shards or Parquet"):
        open_split("imagenet", "test", tmp_path)


def test_the_tar_of_imagenet_r_is_read_in_place(tmp_path):
    from relicheck.evaluations.splits import imagenet_subset

    names = [wnid for _, wnid in imagenet_subset("imagenet_r")]
    files = {f"imagenet-r/{wnid}/art_0.jpg": encode(n) for n, wnid in enumerate(reversed(names))}
    (tmp_path / "imagenet-r").mkdir()
    pack(tmp_path / "imagenet-r" / "imagenet-r.tar", files)
    source = open_split("imagenet_r", "test", tmp_path)
    assert source.labels.tolist() == list(range(200))
    assert source.identities[0] == f"{names[0]}/art_0.jpg"
