import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.errors import BadData, UnknownName, UsageError
from relicheck.evaluations.dataset import open_split
from relicheck.evaluations.datasets import objectnet as module
from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.evaluators import classifier_mapped, classifier_masked
from relicheck.evaluations.evaluators.objectnet import ObjectNetProtocol, ObjectNetReading, run
from relicheck.evaluations.mapped import best_of_all, best_of_collapsed, best_of_mapped
from relicheck.evaluations.splits import imagenet_subset, objectnet_classes, objectnet_overlap
from relicheck.evaluations.subject import Subject, open_model


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One framed image in each of the 313 folders; names with characters of real folders."""
    root = tmp_path_factory.mktemp("data")
    for index, known in enumerate(objectnet_classes()):
        rng = np.random.default_rng(index)
        pixels = rng.integers(0, 256, size=(24, 30, 3), dtype=np.uint8)
        pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:] = 4 * ((255, 0, 0),)
        folder = root / "objectnet" / "images" / known.folder
        folder.mkdir(parents=True)
        Image.fromarray(pixels).save(folder / f"{index:03d}.png")
    return root


@pytest.fixture(scope="module")
def subject_of(root):
    from .conftest import make_network

    network = make_network(1000, resize=18)
    return lambda: Subject(model=open_model(network), data="objectnet", data_root=root)


def readings(subject, **fields):
    return list(run(subject, ObjectNetProtocol(**fields), 0))


def test_one_pass_gives_every_reading_under_a_protocol_of_its_own(subject_of, monkeypatch):
    subject, decoded = subject_of(), []
    images = subject.images("test")
    read = images.read
    object.__setattr__(images, "read", lambda index: decoded.append(index) or read(index))
    measured = readings(subject)
    ids = [m.protocol.id for m in measured if m.metric == "top1"]
    # Three borders, two sides, three countings: the one over all 50,273 needs every image.
    assert len(ids) == len(set(ids)) == 18
    assert "objectnet.best_of_1000.border2.resize224/1" in ids
    assert sorted(decoded) == list(range(113))


def test_no_two_readings_share_a_hash(subject_of):
    measured = [m for m in readings(subject_of()) if m.metric == "top1"]
    assert len({m.protocol.digest for m in measured}) == len(measured)


def test_the_frame_is_cut_before_resizing(subject_of):
    subject = subject_of()
    preprocessing = subject.model.preprocessing
    [mine, *_] = readings(subject, countings=("best_of_125",), borders_px=(2,), resizes_px=(256,))
    # By hand: cut two pixels, shorter side of 20 to 18 = 16 * 256 / 224, centre 16.
    from relicheck.evaluations.preprocess import crop, normalise

    images = open_split("objectnet", "test", subject.data_root)
    inputs = np.stack([crop(images[k][2:-2, 2:-2], preprocessing) for k in range(113)])
    import torch

    with torch.no_grad():
        logits = subject.backbone(normalise(inputs, preprocessing)).numpy()
    best = best_of_mapped(logits, [c.imagenet_indices for c in objectnet_overlap()], 1)
    assert mine.correct.tolist() == (best[:, 0] == images.labels).tolist()


def test_the_frame_changes_what_the_network_sees(subject_of):
    subject = subject_of()
    views = [v for b in (0, 2) for v in [b]]
    from relicheck.evaluations.evaluators.objectnet import _view

    first, second = subject.features_of("test", [_view(subject, b, 224) for b in views])
    assert np.abs(first - second).max() > 1e-4


GROUPS = ((10, 11), (20,), (30,))


@pytest.fixture
def logits():
    # Class a is ImageNet's 10 or 11, b is 20, c is 30; index 500 belongs to none of them.
    logits = np.zeros((3, 1000), np.float32)
    logits[0, [11, 20]] = 5, 4  # says 11: a
    logits[1, [500, 20]] = 5, 4  # says 500, and among the mapped b
    logits[2, [10, 11, 30]] = 5, 4, 3  # says a; c is third of the logits, second of the classes
    return logits


def test_the_three_ways_to_count_differ_as_they_should(logits):
    assert best_of_all(logits, GROUPS, 1)[:, 0].tolist() == [0, -1, 0]
    assert best_of_mapped(logits, GROUPS, 1)[:, 0].tolist() == [0, 1, 0]
    assert best_of_collapsed(logits, GROUPS, 1)[:, 0].tolist() == [0, 1, 0]


def test_the_best_of_125_and_of_113_agree_in_top_1_and_not_beyond(logits):
    assert best_of_mapped(logits, GROUPS, 2)[2].tolist() == [0, 0]
    assert best_of_collapsed(logits, GROUPS, 2)[2].tolist() == [0, 2]
    many = np.random.default_rng(0).normal(size=(200, 1000))
    groups = [c.imagenet_indices for c in objectnet_overlap()]
    one = best_of_mapped(many, groups, 1)
    assert (one == best_of_collapsed(many, groups, 1)).all()


class Complete:
    """All 18,574 images with given features: the logits themselves."""

    dataset_name = "objectnet"
    method = "given"

    def __init__(self, logits, labels):
        self.model = open_model_stub()
        self.dataset = module.DATASET
        self.head = (np.eye(1000, dtype=np.float32), np.zeros(1000, np.float32))
        self._features = logits.astype(np.float32)
        names = tuple(c.folder for c in objectnet_overlap())
        fields = {"labels": labels, "class_names": names, "split": "overlap", "expected": 18_574}
        self._images = type("S", (), {**fields, "__len__": lambda s: len(labels)})()

    def images(self, role):
        return self._images

    def default_view(self, role):
        from relicheck.checkpoints.spec import Preprocessing
        from relicheck.evaluations.view import View

        return View(preprocessing=Preprocessing(image_size=224), border_px=2)

    def features_of(self, role, views):
        return [self._features for _ in views]


def open_model_stub():
    return type("M", (), {"name": "given"})()


def test_the_reading_over_all_divides_the_same_right_answers_by_50_273():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 113, size=18_574)
    groups = [c.imagenet_indices for c in objectnet_overlap()]
    # A hundred logits are enough: those of the first hundred mapped indices.
    logits = np.zeros((len(labels), 1000), np.float32)
    right = rng.random(len(labels)) < 0.25
    logits[np.arange(len(labels)), [groups[k][0] for k in labels]] = np.where(right, 1, -1)
    measured = readings(Complete(logits, labels), borders_px=(2,), resizes_px=(224,))
    by_id = {m.protocol.counting: m for m in measured if m.metric == "top1"}
    part, whole = by_id["best_of_1000"], by_id["best_of_1000_over_all"]
    assert np.count_nonzero(whole.correct) == np.count_nonzero(part.correct)
    assert whole.value == pytest.approx(part.value * 18_574 / 50_273)
    assert (whole.images, whole.data_images, part.data_images) == (50_273, 50_273, None)
    assert whole.protocol.counted_images == 50_273


def test_every_reading_is_a_record_with_its_own_protocol(root, tmp_path, with_classes):
    records = evaluate(
        with_classes(1000), "objectnet", ["objectnet"], records=tmp_path / "r", data_root=root
    )
    assert len({record.id for record in records}) == len(records) == 36
    assert {record.evaluator for record in records} == {"objectnet"}
    named = {r.protocol: r.protocol_fields for r in records}
    fields = named["objectnet.best_of_113.border1.resize256/1"]
    assert (fields["border_px"], fields["resize_px"]) == (1, 256)


def test_it_is_what_objectnet_is_measured_by_unless_asked_otherwise(root, tmp_path, with_classes):
    records = evaluate(with_classes(1000), "objectnet", records=tmp_path / "r", data_root=root)
    assert {record.evaluator for record in records} == {"objectnet"}


def test_a_reading_by_a_trained_classifier_is_another_protocol():
    fields = {"counting": "best_of_125", "border_px": 2, "resize_px": 224, "counted_images": 9}
    reading = ObjectNetReading(head_from="linear", **fields)
    assert reading.id == "objectnet.linear.best_of_125.border2.resize224/1"


def test_other_data_and_unknown_countings_are_refused(subject_of, image_folder):
    subject = subject_of()
    with pytest.raises(UsageError, match="not the part of ObjectNet"):
        readings(subject.on(image_folder))
    with pytest.raises(UnknownName, match="Did you mean 'best_of_1000'"):
        readings(subject, countings=("best_of_100",))
    with pytest.raises(UsageError, match="resizes from 224"):
        readings(subject, resizes_px=(200,))


def answers_of(root):
    source = open_split("objectnet", "test", root)
    ids = [c.objectnet_id for c in objectnet_overlap()]
    names = [name.rpartition("/")[2] for name in source.identities]
    return {name: ids[label] for name, label in zip(names, source.labels, strict=True)}


def test_labels_are_held_against_the_official_answer_file(root, tmp_path):
    answers = answers_of(root)
    (tmp_path / "objectnet").mkdir()
    (tmp_path / "objectnet" / "images").symlink_to(root / "objectnet" / "images")
    file = tmp_path / "objectnet" / "answers-objectnet-overlap.json"
    file.write_text(json.dumps(answers))
    assert len(open_split("objectnet", "test", tmp_path)) == 113
    first = next(iter(answers))
    file.write_text(json.dumps({**answers, first: 200}))
    with pytest.raises(BadData, match=rf"gives 1 of 113 images another label .*{first}: 200"):
        open_split("objectnet", "test", tmp_path)


def test_the_answer_file_does_not_follow_the_order_of_the_folders(root):
    folders = [c.folder for c in objectnet_classes()]
    source = open_split("objectnet", "test", root)
    answers = answers_of(root)
    wrong = [n for n in source.identities if folders.index(n.split("/")[0]) != answers[n[-7:]]]
    assert len(wrong) == 41


def test_more_images_in_a_class_than_were_published_are_refused(tmp_path, root, monkeypatch):
    folder = tmp_path / "objectnet" / "images"
    for known in objectnet_classes():
        (folder / known.folder).mkdir(parents=True)
        (folder / known.folder / "x.png").touch()
    extra = next(c for c in objectnet_overlap())
    for index in range(extra.images):
        (folder / extra.folder / f"{index}.png").touch()
    with pytest.raises(BadData, match=f"{extra.folder}: .* at most the {extra.images}"):
        open_split("objectnet", "test", tmp_path)


def test_a_complete_set_has_to_be_the_published_one_by_name(root, monkeypatch):
    ids = answers_of(root)
    with pytest.raises(BadData, match="not those of the official answer file"):
        module._check_list(root, ids)
    lines = "".join(f"{name} {ids[name]}\n" for name in sorted(ids))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    monkeypatch.setattr(module, "OBJECTNET_OVERLAP_SHA256", digest)
    module._check_list(root, ids)


def test_published_counts_of_images_add_up():
    assert sum(known.images for known in objectnet_classes()) == 50_273
    assert sum(known.images for known in objectnet_overlap()) == 18_574


def test_imagenet_r_s_mask_is_not_imagenet_a_s(with_classes):
    r, a = (imagenet_subset(name) for name in ("imagenet_r", "imagenet_a"))
    logits = np.random.default_rng(0).normal(size=(500, 1000))
    by_r, by_a = (best_of_collapsed(logits, [(i,) for i, _ in s], 1)[:, 0] for s in (r, a))
    named_r, named_a = [r[k][1] for k in by_r], [a[k][1] for k in by_a]
    # The best of one mask is seldom the best of the other: only 86 classes are shared.
    same = np.mean([x == y for x, y in zip(named_r, named_a, strict=True)])
    assert same < 0.5


def test_both_countings_of_imagenet_r_and_a_are_printed_by_default(tmp_path, with_classes):
    for name in ("imagenet_r", "imagenet_a"):
        for _, wnid in imagenet_subset(name):
            folder = tmp_path / name / wnid
            folder.mkdir(parents=True)
            Image.new("RGB", (16, 16), (len(wnid) * 7, 40, 90)).save(folder / "x.png")
        records = evaluate(with_classes(1000), name, records=tmp_path / "r", data_root=tmp_path)
        protocols = {record.protocol for record in records if record.metric == "top1"}
        assert protocols == {
            classifier_mapped.EVALUATOR.protocol.id,
            classifier_masked.EVALUATOR.protocol.id,
        }
