import pytest

from relicheck.reports.cli import run


def printed(capsys, *arguments):
    code = run(["compare", *map(str, arguments)])
    out, err = capsys.readouterr()
    return code, out, err


def test_checkpoints_are_measured_and_compared(checkpoint, image_folder, tmp_path, capsys):
    code, out, err = printed(
        capsys, "raw_pixels", checkpoint, "--data", image_folder, "--evaluators", "linear,knn",
        "--set", "knn.k=3", "--records", tmp_path / "r", "--cache", tmp_path / "c",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert out.count("McNemar, two-sided") == 2
    assert "linear_lbfgs/" in out
    assert "knn_cosine/" in out


def test_published_predictions_are_compared_as_counted_by_hand(real_data, tmp_path, capsys):
    code, out, _ = printed(
        capsys, "resnet50", "resnet101", "--data", "imagenetv2_matched_frequency",
        "--from", "published", "--data-root", real_data, "--records", tmp_path / "r",
    )  # fmt: skip
    assert code == 0
    # 65.68 - 63.33 on 10,000 images.
    assert "second - first: +2.35 points" in out
    assert "Better: resnet101 against resnet50" in out


@pytest.mark.slow
def test_resnet56_beats_resnet20_on_cifar10_by_their_published_difference(
    real_data, tmp_path, capsys
):
    weights = real_data / "weights"
    code, out, _ = printed(
        capsys, weights / "resnet20-12fca82f.th", weights / "resnet56-4bfd9763.th",
        "--data", "cifar10", "--data-root", real_data,
        "--records", tmp_path / "r", "--cache", tmp_path / "c",
    )  # fmt: skip
    assert code == 0
    # 93.39 - 91.73.
    assert "second - first: +1.66 points" in out
    assert "Better: resnet56" in out
