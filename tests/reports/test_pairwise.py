import json
from dataclasses import replace

import numpy as np
import pytest

from relicheck.checkpoints.errors import BadRecord
from relicheck.evaluations.record import write_record
from relicheck.reports.cli import run
from relicheck.reports.pairwise import compare_all, compare_pair


def printed(capsys, *arguments):
    code = run(["compare", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def kept(scored, tmp_path):
    """Write a record with its answers; return its id."""

    def write(*arguments, **fields):
        item = scored(*arguments, **fields)
        write_record(tmp_path / "r", item.record, item.correct)
        return item.record.id

    return write


def test_the_difference_is_second_minus_first_on_the_images_where_they_differ(scored):
    first, second = scored("byol", answers="1100000000"), scored("relic", answers="1011111000")
    found = compare_pair(first, second)
    assert found.difference == pytest.approx(40)
    assert (found.counts.first_only, found.counts.second_only) == (1, 5)
    # 1 of 6: 2 * (1 + 6) / 64.
    assert found.p_exact == pytest.approx(14 / 64)
    assert found.verdict == "undecided"


def test_a_clear_difference_is_a_verdict_in_either_direction(scored):
    low, high = scored("byol", answers="0" * 40), scored("relic", answers="1" * 20 + "0" * 20)
    assert compare_pair(low, high).verdict == "better"
    assert compare_pair(high, low).verdict == "worse"
    assert compare_pair(low, high).sentence.startswith("Better: relic against byol, +50.00 points")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data_fingerprint": "sha256:other"}, "their data fingerprint differs"),
        ({"split": "train"}, "their data set differs"),
        ({"protocol_sha256": "other"}, "their protocol's fields differs"),
        ({"protocol": "linear_test/2"}, "their protocol differs: linear_test/1 and linear_test/2"),
        ({"condition": "fog/3"}, "their condition differs: none and fog/3"),
        ({"metric": "top5"}, "their metric differs"),
        ({"metric": "mean_per_class"}, "not a share of images"),
    ],
)
def test_records_of_something_else_are_refused(scored, changed, message):
    with pytest.raises(BadRecord, match=message):
        compare_pair(scored("byol"), scored("relic", **changed))


def test_a_part_and_the_whole_are_refused(scored):
    whole, part = scored("byol", answers="1100"), scored("relic", answers="110", data_images=4)
    with pytest.raises(BadRecord, match="their number of images differs: 4 and 3"):
        compare_pair(whole, part)


def test_a_record_against_itself_or_without_answers_is_refused(scored):
    item = scored("byol")
    with pytest.raises(BadRecord, match="named twice"):
        compare_pair(item, item)
    with pytest.raises(BadRecord, match="no answers per image"):
        compare_pair(item, scored("relic", keep=False))


def test_several_measurements_are_adjusted_for_their_number(scored):
    first = [scored("byol", e, "0" * 12) for e in ("linear", "knn")]
    second = [scored("relic", e, "1" * 7 + "0" * 5) for e in ("linear", "knn")]
    # 0 of 7: 2 / 128 = 0.0156 each; the smaller of two is doubled, the other no smaller.
    assert [pair.p_adjusted for pair in compare_all(first, second)] == [4 / 128, 4 / 128]


def test_nothing_in_common_is_one_message(scored):
    with pytest.raises(BadRecord, match="no measurement in common"):
        compare_all([scored("byol", "linear")], [scored("relic", "knn")])


def test_other_preprocessing_and_code_are_said(scored):
    other = replace(
        scored("relic", protocol_fields={}).record,
        protocol_fields={"preprocessing": {"image_size": 32}},
        code_sha256="newer",
    )
    found = compare_pair(scored("byol"), replace(scored("relic"), record=other))
    assert "each checkpoint with its own preprocessing" in found.notes
    assert "measured by different versions of the code" in found.notes


def test_two_record_ids_are_compared_on_the_command_line(kept, tmp_path, capsys):
    first, second = kept("byol", answers="0" * 40), kept("relic", answers="1" * 20 + "0" * 20)
    code, out, err = printed(capsys, first, second, "--records", tmp_path / "r")
    assert (code, err) == (0, "")
    assert "second - first: +50.00 points, 95 % interval" in out
    assert out.splitlines()[-1].startswith("Better: relic against byol")


def test_json_holds_the_counts_and_the_verdict(kept, tmp_path, capsys):
    names = kept("byol", answers="1100"), kept("relic", answers="1010")
    _, out, _ = printed(capsys, *names, "--records", tmp_path / "r", "--json")
    [found] = json.loads(out)
    assert (found["only_first_right"], found["only_second_right"], found["images"]) == (1, 1, 4)
    assert found["verdict"] == "undecided"
    assert found["p_mcnemar_exact"] == 1


def test_files_of_predictions_are_compared(tmp_path, capsys):
    truth = np.arange(10)
    np.savez(tmp_path / "good.npz", labels=truth, predictions=truth)
    np.savez(tmp_path / "bad.npz", labels=truth, predictions=(truth + 1) % 10)
    code, out, _ = printed(
        capsys, tmp_path / "bad.npz", tmp_path / "good.npz", "--data", "mine",
        "--from", "predictions", "--records", tmp_path / "r",
    )  # fmt: skip
    assert code == 0
    # 0 of 10: 2 / 1024.
    assert "exact p 0.002" in out


def test_an_unknown_record_is_one_message(tmp_path, capsys):
    code, out, err = printed(capsys, "nothing", "here", "--records", tmp_path)
    assert (code, out) == (2, "")
    assert "there is no such record" in err
