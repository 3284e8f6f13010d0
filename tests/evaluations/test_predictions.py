import numpy as np
import pytest

from relicheck.checkpoints.errors import BadData, MissingData, UnknownName
from relicheck.evaluations.prediction_files import read_predictions
from relicheck.evaluations.predictions import evaluate_predictions, real_top1
from relicheck.evaluations.published_predictions import evaluate_published, published_models


@pytest.fixture
def judge(tmp_path):
    path = tmp_path / "answers.npz"
    np.savez(path, labels=[0])

    def run(labels, predictions, **rest):
        return evaluate_predictions(
            path, "a_model", "a_set", labels=np.asarray(labels),
            predictions=np.asarray(predictions), records=tmp_path / "r", **rest,
        )  # fmt: skip

    return run


def test_classes_logits_and_ranks_give_the_same_number(judge):
    logits = np.zeros((4, 6))
    logits[range(4), [0, 1, 2, 2]] = 1
    labels = [0, 1, 2, 3]
    [one] = judge(labels, [0, 1, 2, 2])
    ranked, five = judge(labels, [[0, 1, 2, 4, 5]] + [[i, 0, 4, 5, 3] for i in (1, 2, 2)])
    by_logits, _ = judge(labels, logits)
    assert one.value == ranked.value == by_logits.value == 75
    assert five.value == 100  # 3 stands last in the fourth row
    assert one.subject_kind == one.source == "predictions"


def test_real_leaves_out_images_without_a_label(judge):
    records = judge([0, 1, 2], [0, 1, 2], label_sets=[[0, 5], [], [7]], expected=3)
    real = records[-1]
    # Two images count; 0 is among {0, 5}, 2 is not among {7}.
    assert (real.metric, real.value, real.images) == ("real_top1", 50, 2)
    assert real.complete
    assert real.notes == ("1 images without a ReaL label left out",)


def test_a_part_of_a_set_is_seen_to_be_one(judge):
    [record] = judge([0, 1], [0, 1], expected=10)
    assert not record.complete


@pytest.mark.parametrize(
    ("labels", "predictions", "rest", "message"),
    [
        ([0, 1, 2], [0, 1], {}, "2 predictions for 3 labels"),
        ([0.0, 1.0], [0, 1], {}, "labels of type float64"),
        ([0, 1], [0.5, 0.2], {}, "one float for each image"),
        ([0, 1], [[0.1, np.nan], [0.2, 0.3]], {}, "logits of image 0 are not finite"),
        ([0, 1], [[0.1, 0.2], [np.inf, 0.3]], {}, "logits of image 1 are not finite"),
        ([0, 3], [[0.1, 0.2], [0.2, 0.3]], {}, "labels from 0 to 3"),
        ([0, -1], [0, 1], {}, "labels from -1 to 0"),
        ([0, 1], [0, 10], {"classes": 10}, "predictions from 0 to 10"),
        ([0, 1], [[0.1, 0.2], [0.2, 0.3]], {"classes": 3}, "2 logits"),
        ([0, 1], [[0, 0], [0, 1]], {}, "names a class twice"),
        ([], [], {}, r"predictions of shape \(0,\)"),
        ([[0], [1]], [0, 1], {}, r"labels of shape \(2, 1\)"),
    ],
)
def test_predictions_that_cannot_be_counted_are_one_message(
    labels, predictions, rest, message, judge, tmp_path
):
    with pytest.raises(BadData, match=message):
        judge(labels, predictions, **rest)
    assert not (tmp_path / "r").exists()


def test_real_needs_one_set_of_labels_for_each_answer():
    with pytest.raises(BadData, match="2 answers for 1 label sets"):
        real_top1(np.array([0, 1]), [[0]])
    with pytest.raises(BadData, match="no image has a label"):
        real_top1(np.array([0]), [[]])


# Files


def test_an_npz_of_labels_and_predictions_is_read(tmp_path):
    np.savez(tmp_path / "p.npz", labels=np.array([1, 2], np.uint8), predictions=[[1, 0], [0, 2]])
    labels, predictions = read_predictions(tmp_path / "p.npz")
    assert (labels.tolist(), predictions.tolist()) == ([1, 2], [[1, 0], [0, 2]])


@pytest.mark.parametrize(
    ("text", "labels", "predictions"),
    [
        ("label,prediction\n1,2\n3,3\n", [1, 3], [2, 3]),
        ("name,Label,prediction2,prediction1\na,1,8,9\n", [1], [[9, 8]]),
        ("\ufefflabel,logit0,logit1\n1,0.5,-1e-1\n", [1], [[0.5, -0.1]]),
    ],
)
def test_a_csv_is_read_by_its_heading(text, labels, predictions, tmp_path):
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    found, values = read_predictions(tmp_path / "p.csv")
    assert found.tolist() == labels
    np.testing.assert_allclose(values, predictions, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "0 lines"),
        ("label,prediction\n", "1 lines"),
        ("truth,guess\n1,2\n", "columns truth, guess"),
        ("label,prediction1,prediction3\n1,2,3\n", "columns label, prediction1, prediction3"),
        ("label,prediction\n1,2\n3\n", "line 3: 1 values"),
        ("label,prediction\n1.0,2\n", r"line 2: '1\.0'"),
        ("label,prediction\n1,cat\n", "line 2: 'cat'"),
    ],
)
def test_a_csv_that_cannot_be_read_names_the_line(text, message, tmp_path):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(BadData, match=message):
        read_predictions(tmp_path / "p.csv")


def test_a_truncated_archive_is_named(tmp_path):
    path = tmp_path / "p.npz"
    np.savez(path, labels=np.arange(1000), predictions=np.arange(1000))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(BadData, match=r"p\.npz: not a whole \.npz archive"):
        read_predictions(path)


def test_pickled_arrays_are_never_opened(tmp_path):
    np.savez(tmp_path / "p.npz", labels=np.array([{}], object), predictions=[0])
    with pytest.raises(BadData, match="plain arrays"):
        read_predictions(tmp_path / "p.npz")


def test_labels_of_floats_are_refused_and_not_rounded(tmp_path):
    np.savez(tmp_path / "p.npz", labels=np.array([0.0, 1.0]), predictions=[0, 1])
    with pytest.raises(BadData, match="labels of type float64"):
        read_predictions(tmp_path / "p.npz")


def test_missing_arrays_files_and_kinds_are_named(tmp_path):
    np.savez(tmp_path / "p.npz", labels=[0])
    with pytest.raises(BadData, match="arrays labels"):
        read_predictions(tmp_path / "p.npz")
    with pytest.raises(MissingData, match="there is no such file"):
        read_predictions(tmp_path / "q.npz")
    (tmp_path / "p.pkl").touch()
    with pytest.raises(BadData, match=r"a file of kind '\.pkl'"):
        read_predictions(tmp_path / "p.pkl")


# The published tables. The figures are those of the README beside them.


@pytest.mark.parametrize(
    ("model", "dataset", "values"),
    [
        ("resnet18", "imagenet", {"top1": 69.758, "top5": 89.076}),
        ("resnet50", "imagenet", {"top1": 76.130, "top5": 92.862, "real_top1": 82.958}),
        ("resnet50", "imagenetv2_matched_frequency", {"top1": 63.33}),
        ("resnet152", "imagenetv2_top_images", {"top1": 80.28}),
        ("resnet_basic_32", "cifar10", {"top1": 92.52}),
        ("resnet_basic_110", "cifar10.1_v4", {"top1": 85.16}),
        ("resnet_basic_32", "cifar10.1_v6", {"top1": 85.20}),
    ],
)
def test_published_predictions_give_their_published_numbers(
    model, dataset, values, real_data, tmp_path
):
    records = evaluate_published(model, dataset, records=tmp_path, root=real_data)
    found = {record.metric: record for record in records}
    for metric, value in values.items():
        assert found[metric].value == pytest.approx(value, abs=0.005)
        assert found[metric].complete


def test_every_published_model_is_listed(real_data):
    assert len(published_models("imagenet", real_data)) == 16
    assert len(published_models("cifar10", real_data)) == 30
    # fv_64k has no predictions on this one set.
    assert len(published_models("imagenetv2_threshold0.7", real_data)) == 15


def test_an_unknown_published_model_gets_the_nearest(real_data, tmp_path):
    with pytest.raises(UnknownName, match="Did you mean 'resnet50'"):
        evaluate_published("resnet51", "imagenet", records=tmp_path, root=real_data)


def test_absent_tables_name_the_folder(tmp_path):
    with pytest.raises(MissingData, match=r"found no imagenet-top5-16models\.npz"):
        published_models("imagenet", tmp_path)
