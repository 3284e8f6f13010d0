"""Records are found for every claim they speak of, however its data set is spelled."""

import pytest

from relicheck.reports.matching import judge_records


@pytest.fixture
def counted(scored, claim):
    """A record of predictions and a claim that they settle."""

    def build(dataset, data, metric="top1"):
        record = scored(
            "resnet50", answers="1100", dataset=dataset, metric=metric, subject_kind="predictions",
            source_sha256="5" * 64, evaluator="predictions",
        ).record  # fmt: skip
        return record, claim(
            data=data, value="50.0", kind="recomputation", evaluators=("predictions",),
            subject="predictions:file.npz:resnet50:set",
        )  # fmt: skip

    return build


@pytest.mark.parametrize(
    ("dataset", "data", "metric"),
    [
        ("imagenetv2_matched_frequency", "imagenetv2_matched_frequency", "top1"),
        # The published set is named with a dot, the data set's module cannot be.
        ("imagenetv2_threshold0.7", "imagenetv2_threshold07", "top1"),
        # Other labels of the same images.
        ("imagenet", "imagenet_real", "real_top1"),
    ],
)
def test_a_record_is_found_whatever_its_data_set_is_called(counted, dataset, data, metric):
    record, claim = counted(dataset, data, metric)

    assert [j.records for j in judge_records([record], [claim])] == [(record,)]


def test_a_record_of_other_labels_is_not_mistaken_for_the_claims(counted):
    record, _ = counted("imagenet", "imagenet", "top1")
    _, real = counted("imagenet", "imagenet_real")

    assert judge_records([record], [real]) == []
