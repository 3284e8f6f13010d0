import json
from pathlib import Path

import numpy as np
import pytest

from relicheck.reports.cli import run


def printed(capsys, *arguments):
    code = run(["evaluate", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


@pytest.fixture
def where(tmp_path):
    return ("--records", tmp_path / "r", "--cache", tmp_path / "c")


def test_a_table_is_printed_with_value_error_and_record(checkpoint, image_folder, where, capsys):
    code, out, err = printed(
        capsys, checkpoint, "raw_pixels", "--data", image_folder, "--evaluators", "knn",
        "--set", "knn.k=3", *where,
    )  # fmt: skip
    assert (code, err) == (0, "")
    heading, first, second, *_ = out.splitlines()
    for column in ("Subject", "Evaluator", "Protocol", "Metric", "Value ±", "Images", "Record"):
        assert column in heading
    assert first.startswith("tiny")
    assert second.startswith("raw_pixels")
    assert "knn_cosine/1" in second
    assert "100.00 ± 0.00" in second


def test_json_holds_the_records_and_their_files(image_folder, where, capsys):
    code, out, _ = printed(
        capsys, "raw_pixels", "--data", image_folder, "--evaluators", "knn",
        "--set", "knn.k=3", "--json", *where,
    )  # fmt: skip
    [record] = json.loads(out)
    assert code == 0
    assert record["value"] == 100
    assert json.loads(Path(record["path"]).read_text())["id"] == record["id"]


def test_a_part_is_shown_as_one(image_folder, where, capsys):
    _, out, _ = printed(
        capsys, "raw_pixels", "--data", image_folder, "--evaluators", "knn",
        "--set", "knn.k=3", "--limit", 3, *where,
    )  # fmt: skip
    assert "3 of 9" in out


def test_a_file_of_predictions_is_judged(tmp_path, where, capsys):
    np.savez(tmp_path / "mine.npz", labels=[0, 1, 2, 3], predictions=[0, 1, 2, 0])
    code, out, _ = printed(
        capsys, "--predictions", tmp_path / "mine.npz", "--data", "cifar10", *where
    )
    assert code == 0
    assert "75.00 ±" in out
    assert "4 of 10000" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--data", "digits"), "Name a CHECKPOINT"),
        (("raw_pixels",), "Name a data set with --data"),
        (("raw_pixels", "--data", "digit"), "Did you mean 'digits'"),
        (("raw_pixels", "--data", "digits", "--evaluators", "kn"), "Did you mean 'knn'"),
        (("raw_pixels", "--data", "digits", "--set", "knn.k"), "wanted EVALUATOR.FIELD=VALUE"),
        (("raw_pixels", "--data", "digits", "--predictions", "x.npz"), "not both"),
        (("nothing.safetensors", "--data", "digits"), "nothing.safetensors"),
        (("--predictions", "nothing.npz"), "there is no such file"),
    ],
)
def test_wrong_use_is_one_line_and_exit_code_two(arguments, message, where, capsys):
    code, out, err = printed(capsys, *arguments, *where)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_a_cache_too_small_for_the_features_is_refused_in_one_message(
    checkpoint, image_folder, where, capsys
):
    arguments = (checkpoint, "--data", image_folder, "--evaluators", "knn", "--set", "knn.k=3")
    code, out, err = printed(capsys, *arguments, "--cache-size", "1K", *where)
    assert (code, out) == (2, "")
    assert "do not fit" in err
    code, out, _ = printed(capsys, *arguments, "--cache-size", "1M", "--workers", 2, *where)
    assert code == 0
    assert "knn_cosine/1" in out


def test_a_cache_size_that_is_none_is_refused(checkpoint, image_folder, where, capsys):
    code, _, err = printed(
        capsys, checkpoint, "--data", image_folder, "--cache-size", "much", *where
    )
    assert code == 2
    assert "--cache-size: 'much'. Wanted: a size such as 50G" in err
