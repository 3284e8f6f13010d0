import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.errors import BadData, MissingData, UnknownName, UsageError
from relicheck.evaluations.cells import CELLS
from relicheck.evaluations.corruption_metrics import mean_corruption_error
from relicheck.evaluations.corruptions import TEST_CORRUPTIONS, corrupt_image
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.datasets import imagenet_c
from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.splits import alexnet_errors
from relicheck.evaluations.subject import Subject, open_model

WNIDS = ("n01", "n02", "n03")
PER_CLASS = 2


@pytest.fixture
def three_classes(monkeypatch):
    """ImageNet of three classes: the real thousand would be 75,000 folders."""
    monkeypatch.setattr(imagenet_c, "imagenet_wnids", lambda: WNIDS)
    monkeypatch.setattr("relicheck.evaluations.imagenet_layouts.imagenet_wnids", lambda: WNIDS)


def write_cell(folder, seed=0, side=16):
    for k, wnid in enumerate(WNIDS):
        (folder / wnid).mkdir(parents=True)
        for index in range(PER_CLASS):
            rng = np.random.default_rng([seed, k, index])
            pixels = rng.integers(0, 256, size=(side, side, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / wnid / f"ILSVRC2012_val_{index}{k}.JPEG")


@pytest.fixture
def root(tmp_path, three_classes):
    """The fifteen corruptions, those of `weather` in a folder of the tar's name."""
    for number, cell in enumerate(CELLS[:75]):
        tar = "weather" if cell.split("/")[0] in ("snow", "frost", "fog", "brightness") else ""
        write_cell(tmp_path / "imagenet-c" / tar / cell, seed=number + 1)
    return tmp_path


def measure(root, tmp_path, network, **overrides):
    # Six of 50,000 images: a limit says that a part is meant.
    return evaluate(
        network, "imagenet_c", records=tmp_path / "records", data_root=root, limit=6,
        overrides={f"corruption_errors.{key}": value for key, value in overrides.items()},
    )  # fmt: skip


def values(records, metric):
    return {record.condition: record.value for record in records if record.metric == metric}


def test_every_cell_every_corruption_and_the_means_are_measured(root, tmp_path, with_classes):
    records = measure(root, tmp_path, with_classes(3))
    cells = values(records, "top1")
    assert tuple(cells) == CELLS[:75]
    assert set(values(records, "ce")) == set(TEST_CORRUPTIONS)
    errors = {
        name: [1 - cells[f"{name}/{level}"] / 100 for level in range(1, 6)]
        for name in TEST_CORRUPTIONS
    }
    expected = mean_corruption_error(errors, TEST_CORRUPTIONS)
    assert values(records, "mce") == {"": pytest.approx(expected)}
    mean = np.mean(list(cells.values()))
    assert values(records, "mean_corruption_top1") == {"": pytest.approx(mean)}
    # CE by hand, for one: five errors over five of AlexNet's.
    fog = 100 * sum(errors["fog"]) / (5 * alexnet_errors()["fog"])
    assert values(records, "ce")["fog"] == pytest.approx(fog)
    assert all(record.protocol == "corruption_errors/1" for record in records)


def test_without_the_clean_images_there_is_no_relative_error_and_it_says_so(
    root, tmp_path, with_classes
):
    records = measure(root, tmp_path, with_classes(3))
    assert not values(records, "mrce")
    [mce] = [record for record in records if record.metric == "mce"]
    assert "no relative errors: the clean images are not there, or others" in mce.notes


def test_with_the_clean_images_the_relative_errors_subtract_both_clean_errors(
    root, tmp_path, with_classes, monkeypatch
):
    write_cell(root / "imagenet" / "val", seed=0)
    records = measure(root, tmp_path, with_classes(3))
    assert set(values(records, "rce")) == set(TEST_CORRUPTIONS)
    assert len(values(records, "mrce")) == 1


def test_a_missing_severity_is_named_and_there_is_no_mce(root, tmp_path, with_classes):
    (root / "imagenet-c" / "gaussian_noise" / "3").rename(root / "elsewhere")
    with pytest.raises(BadData, match=r"1 of 75 cells .*gaussian_noise/3 \(not there\)"):
        measure(root, tmp_path, with_classes(3))


def test_an_incomplete_cell_is_named_and_there_is_no_mce(root, tmp_path, with_classes):
    next((root / "imagenet-c" / "pixelate" / "5" / "n02").iterdir()).unlink()
    with pytest.raises(BadData, match=r"pixelate/5 \(5 images\)"):
        measure(root, tmp_path, with_classes(3))


def test_without_a_limit_a_small_set_is_incomplete(root, tmp_path, with_classes):
    with pytest.raises(BadData, match=r"75 of 75 cells .*the same 50,000 images in each"):
        evaluate(with_classes(3), "imagenet_c", records=tmp_path / "r", data_root=root)


def test_a_cell_with_a_corrupt_image_is_incomplete_even_where_those_are_skipped(
    root, tmp_path, with_classes
):
    next((root / "imagenet-c" / "pixelate" / "5" / "n02").iterdir()).write_bytes(b"no image")
    with pytest.raises(BadData, match=r"1 of 75 cells .*pixelate/5 \(5 images\)"):
        evaluate(
            with_classes(3), "imagenet_c", records=tmp_path / "r", data_root=root, limit=6,
            skip_corrupt=True,
        )  # fmt: skip


def test_a_cell_of_other_images_is_named(root, tmp_path, with_classes):
    folder = root / "imagenet-c" / "contrast" / "2" / "n01"
    next(folder.iterdir()).rename(folder / "other.JPEG")
    with pytest.raises(BadData, match=r"contrast/2 \(other images than gaussian_noise/1\)"):
        measure(root, tmp_path, with_classes(3))


def test_some_corruptions_have_their_ce_and_no_mean(root, tmp_path, with_classes):
    records = measure(root, tmp_path, with_classes(3), corruptions=("fog", "snow"))
    assert set(values(records, "ce")) == {"fog", "snow"}
    assert not values(records, "mce")
    assert not values(records, "mean_corruption_top1")


def test_images_of_the_network_s_side_are_not_resized(root, with_classes):
    network = with_classes(3, resize=18)
    subject = Subject(model=open_model(network), data="imagenet_c:fog/1", data_root=root)
    assert subject.default_view("test").preprocessing.resize is None
    clean = subject.on("imagenet").default_view("test").preprocessing
    assert (clean.resize, clean.image_size) == (18, 16)


def test_one_cell_is_a_data_set_and_all_of_them_are_not_one(root, tmp_path, with_classes):
    records = evaluate(with_classes(3), "imagenet_c:fog/1", records=tmp_path / "r", data_root=root)
    assert (records[0].evaluator, records[0].split) == ("classifier", "fog/1")
    with pytest.raises(UsageError, match="the name of one, imagenet_c:gaussian_noise/1"):
        evaluate(
            with_classes(3), "imagenet_c", ["classifier"], records=tmp_path / "r", data_root=root
        )


def test_another_data_set_has_no_cells(tmp_path, with_classes, image_folder):
    with pytest.raises(UsageError, match="not a data set of corrupted cells"):
        evaluate(with_classes(3), image_folder, ["corruption_errors"], records=tmp_path / "r")


def test_a_mistyped_corruption_is_one_message(root, tmp_path, with_classes):
    with pytest.raises(UnknownName, match="Did you mean 'snow'"):
        measure(root, tmp_path, with_classes(3), corruptions=("snwo",))


def test_the_fingerprint_follows_every_cell(root):
    before = open_split("imagenet_c", "test", root).fingerprint
    file = next((root / "imagenet-c" / "zoom_blur" / "5" / "n03").iterdir())
    Image.new("RGB", (16, 16)).save(file)
    assert open_split("imagenet_c", "test", root).fingerprint != before


def test_a_probe_trained_on_clean_images_is_another_protocol(root, tmp_path, with_classes):
    write_cell(root / "imagenet" / "val", seed=0)
    write_cell(root / "imagenet" / "train", seed=200)
    # The checkpoint has no classifier: one of three classes is trained on ImageNet's images.
    records = measure(
        root, tmp_path, with_classes(None), head_from="linear", corruptions=("fog",),
        penalties=(1e-2,),
    )  # fmt: skip
    assert {record.protocol for record in records} == {"corruption_errors.linear/1"}
    for record in records:
        assert "classifier trained on imagenet, train" in record.notes
        assert "trained on 6 of the split's 1281167 images" in record.notes


def test_a_probe_s_number_follows_the_images_it_was_trained_on(root, tmp_path, with_classes):
    write_cell(root / "imagenet" / "val", seed=0)
    write_cell(root / "imagenet" / "train", seed=200)
    chosen = {"head_from": "linear", "corruptions": ("fog",), "penalties": (1e-2,)}
    first = measure(root, tmp_path, with_classes(None), **chosen)
    file = next((root / "imagenet" / "train" / "n02").iterdir())
    Image.new("RGB", (16, 16), (200, 10, 10)).save(file)
    second = measure(root, tmp_path, with_classes(None), **chosen)
    assert first[0].data_fingerprint != second[0].data_fingerprint


def test_a_checkpoint_without_a_classifier_is_told_to_train_one(root, tmp_path, with_classes):
    with pytest.raises(UsageError, match=r"no classifier.*head_from=linear"):
        measure(root, tmp_path, with_classes(None))


def write_arrays(folder, corruptions=("fog",), rows=50_000):
    """Arrays of full size that take no room: only the rows written lie on disk."""
    folder.mkdir(parents=True, exist_ok=True)
    labels = np.tile(np.arange(10_000, dtype=np.uint8) % 10, 5)[:rows]
    np.save(folder / "labels.npy", labels)
    for name in corruptions:
        pixels = np.lib.format.open_memmap(
            folder / f"{name}.npy", mode="w+", dtype=np.uint8, shape=(rows, 32, 32, 3)
        )
        for severity in range(rows // 10_000):
            pixels[10_000 * severity] = 40 * (severity + 1)
        pixels.flush()


def test_a_severity_is_ten_thousand_rows_of_its_array(tmp_path):
    write_arrays(tmp_path / "CIFAR-10-C")
    for severity in (1, 4):
        cell = open_split(f"cifar10_c:fog/{severity}", "test", tmp_path)
        assert (len(cell), cell.expected) == (10_000, 10_000)
        assert cell[0].mean() == 40 * severity
        assert cell.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]


def test_cifar_100_c_is_read_alike_with_a_hundred_classes(tmp_path):
    write_arrays(tmp_path / "CIFAR-100-C")
    assert len(open_split("cifar100_c:fog/5", "test", tmp_path).class_names) == 100


def test_an_array_of_another_shape_is_refused(tmp_path):
    write_arrays(tmp_path / "CIFAR-10-C", rows=10_000)
    with pytest.raises(BadData, match=r"shape \(10000, 32, 32, 3\)"):
        open_split("cifar10_c:fog/1", "test", tmp_path)


def test_a_pickled_array_is_refused_and_not_run(tmp_path):
    write_arrays(tmp_path / "CIFAR-10-C")
    np.save(tmp_path / "CIFAR-10-C" / "snow.npy", np.array([{}], dtype=object))
    with pytest.raises(BadData, match="cannot be read"):
        open_split("cifar10_c:snow/1", "test", tmp_path)


def test_an_absent_array_is_missing(tmp_path):
    write_arrays(tmp_path / "CIFAR-10-C")
    with pytest.raises(MissingData, match=r"found no file snow\.npy"):
        open_split("cifar10_c:snow/1", "test", tmp_path)


def test_cifar_s_cells_give_no_mce(tmp_path, with_classes):
    write_arrays(tmp_path / "CIFAR-10-C")
    records = evaluate(
        with_classes(10), "cifar10_c", records=tmp_path / "r", data_root=tmp_path, limit=20,
        overrides={"corruption_errors.corruptions": ("fog",)},
    )  # fmt: skip
    assert {record.metric for record in records} == {"top1"}
    assert len(records) == 5


@pytest.mark.slow
def test_arrays_on_disk_give_what_the_same_corruption_gives_when_generated(real_data, tmp_path):
    clean = open_split("cifar10", "test", real_data)
    folder = tmp_path / "CIFAR-10-C"
    folder.mkdir()
    np.save(folder / "labels.npy", np.tile(clean.labels.astype(np.uint8), 5))
    rows = [
        corrupt_image(clean[k], f"pixelate/{level}", clean.identities[k])
        for level in range(1, 6)
        for k in range(10_000)
    ]
    np.save(folder / "pixelate.npy", np.stack(rows))
    rest = {"records": tmp_path / "r", "limit": 500}
    on_disk = evaluate(
        "akamaster_resnet20", "cifar10_c", data_root=tmp_path,
        overrides={"corruption_errors.corruptions": ("pixelate",)}, **rest,
    )  # fmt: skip
    generated = evaluate(
        "akamaster_resnet20", "cifar10", ["robustness"], data_root=real_data,
        overrides={
            "robustness.corruptions": ("pixelate",), "robustness.head_from": "checkpoint",
        }, **rest,
    )  # fmt: skip
    assert values(on_disk, "top1") == values(generated, "top1")
    assert {r.protocol for r in generated} == {"own_classifier_generated_corruptions/2"}
    assert not {r.metric for r in generated} & {"mce", "ce"}


def test_features_of_cells_are_cached_each_under_its_own_name(root, tmp_path, with_classes):
    network, chosen = with_classes(3), {"corruption_errors.corruptions": ("fog",)}
    rest = {"data_root": root, "limit": 6, "cache": tmp_path / "cache", "overrides": chosen}
    first = evaluate(network, "imagenet_c", records=tmp_path / "a", **rest)
    again = evaluate(network, "imagenet_c", records=tmp_path / "b", **rest)
    assert [record.value for record in again] == [record.value for record in first]
    assert {record.source for record in again} == {"features"}
    names = [path.name for path in (tmp_path / "cache").iterdir()]
    assert sum(name.startswith("imagenet_c-fog_3-") for name in names) == 1
