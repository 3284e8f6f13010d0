import gzip
import shutil
from dataclasses import replace

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData, MissingData, UnknownName, UsageError
from relicheck.evaluations.evaluator import evaluators
from relicheck.evaluations.few_labels import measure_on
from relicheck.evaluations.label_lists import LABEL_LISTS, find_list, indices_of, read_list
from relicheck.evaluations.sources import from_arrays
from relicheck.evaluations.subject import Subject, open_model

SIMCLR_1, SIMCLR_10 = (evaluators.load(f"simclr_{n}percent").protocol for n in (1, 10))
BYOL_1 = evaluators.load("byol_1percent").protocol


def test_the_official_lists_are_read_and_the_small_one_is_part_of_the_large(real_data):
    one, ten = (read_list(f"simclr_imagenet_{n}percent", real_data) for n in (1, 10))
    assert (len(set(one)), len(set(ten))) == (12_811, 128_116)
    assert set(one) < set(ten)
    per_class = np.unique([name.partition("_")[0] for name in one], return_counts=True)[1]
    # protocols.md: 12 images in 189 classes and 13 in 811.
    assert np.bincount(per_class)[12:].tolist() == [189, 811]


def test_a_compressed_and_a_plain_copy_are_the_same_list(real_data, tmp_path):
    packed = find_list("simclr_imagenet_1percent", real_data)
    (tmp_path / "metadata").mkdir()
    plain = tmp_path / "metadata" / "simclr_imagenet_1percent.txt"
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    assert read_list("simclr_imagenet_1percent", tmp_path) == \
        read_list("simclr_imagenet_1percent", real_data)  # fmt: skip


def test_any_other_list_is_refused_by_its_hash(tmp_path):
    path = tmp_path / "metadata" / "simclr_imagenet_1percent.txt"
    path.parent.mkdir()
    path.write_text("n01440764_10026.JPEG\n")
    with pytest.raises(BadData, match=r"its SHA-256 is cb2c03a9.*Wanted: 71e82a48") as caught:
        read_list("simclr_imagenet_1percent", tmp_path)
    assert LABEL_LISTS["simclr_imagenet_1percent"].sha256 in str(caught.value)


def test_a_damaged_copy_is_one_message(tmp_path):
    path = tmp_path / "metadata" / "simclr_imagenet_1percent.txt.gz"
    path.parent.mkdir()
    path.write_bytes(gzip.compress(b"n01440764_10026.JPEG\n" * 50)[:-9])
    with pytest.raises(BadData, match="cannot be read"):
        read_list("simclr_imagenet_1percent", tmp_path)


def test_a_missing_list_says_where_to_get_it_and_where_to_put_it(tmp_path):
    with pytest.raises(MissingData, match=r"fetch simclr_imagenet_1percent, or .* save it as"):
        find_list("simclr_imagenet_1percent", tmp_path)
    with pytest.raises(UnknownName, match="Did you mean 'simclr_imagenet_1percent'"):
        find_list("simclr_imagenet_1pct", tmp_path)


def images(count, split, classes=("cat", "emu"), seed=0):
    """Dark cats and light emus, 16 x 16."""
    rng = np.random.default_rng([seed, count])
    labels = np.arange(count) % len(classes)
    pixels = rng.integers(0, 60, (count, 16, 16, 3)) + 130 * (labels % 2)[:, None, None, None]
    return from_arrays(
        pixels.astype(np.uint8), name="animals", split=split, labels=labels, class_names=classes,
        identities=[f"{classes[label]}/{index}.JPEG" for index, label in enumerate(labels)],
    )  # fmt: skip


@pytest.fixture
def subject(network, tmp_path):
    """A random network, 60 training and 40 test images."""
    made = Subject(model=open_model(network), data="animals", cache=tmp_path / "c")
    made._images["train"], made._images["test"] = images(60, "train"), images(40, "test", seed=1)
    return made


def test_images_are_found_by_their_files_names():
    found = indices_of(images(6, "train"), ["4.JPEG", "1.JPEG"], "a list")
    assert found.tolist() == [1, 4]


def test_a_set_without_the_lists_images_is_refused():
    with pytest.raises(BadData, match="2 of the 3 images on the list simclr are not among its 6"):
        indices_of(images(6, "train"), ["4.JPEG", "7.JPEG", "n1.JPEG"], "simclr")


def test_simclrs_recipe_is_one_setting_with_its_published_values():
    [point] = SIMCLR_1.grid()
    settings = SIMCLR_1.training(point, 12_811)
    # 0.05 * 4096 / 256; 60 * 12811 / 4096 = 187.7.
    assert (settings.learning_rate, settings.steps, settings.weight_decay) == (0.8, 188, 0)
    assert SIMCLR_10.grid()[0]["epochs"] == 30


def test_byols_sweep_is_five_rates_by_two_lengths():
    grid = BYOL_1.grid()
    assert len(grid) == 10
    assert {p["base_learning_rate"] for p in grid} == {0.005, 0.01, 0.02, 0.05, 0.1}
    assert {p["epochs"] for p in grid} == {30, 50}
    assert BYOL_1.training(grid[0], 12_811).batch_size == 1024


SMALL = {"batch_size": 8, "epochs": (6,), "base_learning_rates": (3.0,)}


def test_few_labels_teach_the_network(subject):
    [measured] = measure_on(subject, replace(SIMCLR_1, **SMALL), 0, np.arange(20))
    assert measured.value > 90
    assert "20 labelled images; learning rate 3 per 256 images, 6 epochs" in measured.notes[0]


def test_labels_that_say_nothing_of_the_images_give_chance_within_its_interval(subject):
    for split, count in (("train", 60), ("test", 40)):
        rng = np.random.default_rng(count)
        subject._images[split] = from_arrays(
            rng.integers(0, 256, (count, 16, 16, 3), np.uint8), name="noise", split=split,
            labels=rng.permutation(np.arange(count) % 2), class_names=("a", "b"),
        )  # fmt: skip
    [measured] = measure_on(subject, replace(SIMCLR_1, **SMALL), 0, np.arange(60))
    # 50 % on 40 images: three binomial standard errors of 7.9 points.
    assert abs(measured.value - 50) < 23.7


def test_the_same_seed_gives_the_same_answers(subject):
    protocol = replace(SIMCLR_1, **{**SMALL, "epochs": (1,)})
    first, again, other = (
        next(measure_on(subject, protocol, seed, np.arange(20))).correct for seed in (0, 0, 1)
    )
    assert first.tolist() == again.tolist()
    assert evaluators.load("simclr_1percent").stochastic
    assert other.shape == first.shape


def test_a_sweep_is_chosen_on_unlabelled_training_images(subject):
    protocol = replace(
        BYOL_1, batch_size=8, epochs=(4,), base_learning_rates=(1e-9, 3.0), validation_images=12
    )
    [measured] = measure_on(subject, protocol, 0, np.arange(20))
    assert "chosen among 2 settings" in measured.notes[0]
    assert "on 12 other training images drawn by seed 0" in measured.notes[0]
    assert "learning rate 3 per" in measured.notes[0]
    assert len(list((subject.cache / "sweeps").glob("*.json"))) == 2


def test_choosing_by_the_test_images_is_said_loudly(subject):
    protocol = replace(
        BYOL_1, batch_size=8, epochs=(4,), base_learning_rates=(1e-9, 3.0), selection="test"
    )
    [measured] = measure_on(subject, protocol, 0, np.arange(20))
    assert "THE TEST IMAGES THEMSELVES" in measured.notes[0]


def test_too_few_images_to_choose_on_is_one_message(subject):
    with pytest.raises(BadData, match="40 images that are not labelled"):
        list(measure_on(subject, BYOL_1, 0, np.arange(20)))


def test_five_classes_give_top5_too(network, tmp_path):
    names = tuple("abcde")
    made = Subject(model=open_model(network), data="letters")
    made._images["train"] = images(20, "train", names)
    made._images["test"] = images(10, "test", names)
    found = list(measure_on(made, replace(SIMCLR_1, **{**SMALL, "epochs": (1,)}), 0, np.arange(20)))
    assert [m.metric for m in found] == ["top1", "top5"]
    assert found[1].value == 100


def test_raw_pixels_and_impossible_settings_are_refused(subject):
    run = evaluators.load("simclr_1percent").run
    with pytest.raises(UsageError, match="rates above 0"):
        list(run(subject, replace(SIMCLR_1, base_learning_rates=()), 0))
    with pytest.raises(UsageError, match="nothing to tune"):
        list(run(replace(subject, model=open_model("raw_pixels")), SIMCLR_1, 0))


def test_another_data_set_is_refused_by_the_names_on_the_list(subject, real_data, monkeypatch):
    monkeypatch.setenv("RELICHECK_DATA", str(real_data))
    with pytest.raises(BadData, match="12,811 of the 12,811 images on the list"):
        list(evaluators.load("simclr_1percent").run(subject, SIMCLR_1, 0))


@pytest.mark.slow
def test_a_checkpoint_is_tuned_on_the_official_list_of_a_miniature_imagenet(
    checkpoint, real_data, tmp_path
):
    """The 12,811 listed training images, each a colour of its class, and one to score each."""
    from PIL import Image

    from relicheck import evaluate
    from relicheck.evaluations.splits import imagenet_wnids

    root = tmp_path / "data"
    shutil.copytree(real_data / "metadata", root / "metadata")
    colours = np.random.default_rng(0).integers(0, 256, (1000, 3), np.uint8)
    colour = dict(zip(imagenet_wnids(), colours, strict=True))
    names = read_list("simclr_imagenet_1percent", root)
    files = [root / "imagenet" / "train" / name.partition("_")[0] / name for name in names]
    files += [root / "imagenet" / "val" / wnid / "0.JPEG" for wnid in imagenet_wnids()]
    for file in files:
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = np.broadcast_to(colour[file.parent.name], (16, 16, 3))
        Image.fromarray(np.ascontiguousarray(pixels)).save(file, "JPEG")
    top1, top5 = evaluate(
        checkpoint, "imagenet", ["simclr_1percent"], records=tmp_path / "r", data_root=root,
        overrides={"simclr_1percent.epochs": "2", "simclr_1percent.batch_size": 256},
    )  # fmt: skip
    assert top1.protocol == "semi_supervised_simclr_1percent/1"
    assert "12,811 labelled images; learning rate 0.05 per 256 images, 2 epochs" in top1.notes[0]
    # Chance is 0.5 % for five answers of a thousand; colours are easily learned from.
    assert top5.value > 2
