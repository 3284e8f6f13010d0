"""The command from recipe to file, in this process."""

import json

import pytest

from relicheck.checkpoints.common import read_manifest
from relicheck.reports.cli import run

TINY = [
    "--set", "spec.width_multiplier=0.0625",
    "--set", "batch_size=512",
    "--set", "projector_hidden=[8]",
    "--set", "predictor_hidden=[8]",
    "--set", "epochs=1",
]  # fmt: skip


@pytest.mark.parametrize("method", ["supervised", "random"])
def test_a_recipe_becomes_a_checkpoint_of_the_digits(tmp_path, capsys, method):
    output = tmp_path / f"{method}.safetensors"

    arguments = ["pretrain", "digits", "--method", method, "--output", str(output), *TINY]
    code = run([*arguments, "--seed", "3", "--json"])

    manifest = read_manifest(output)
    assert code == 0
    assert json.loads(capsys.readouterr().out)["method"] == manifest.method == method
    assert manifest.training["images"] == 1097
    assert manifest.training["seed"] == 3
    assert manifest.source.startswith(f"relicheck pretrain digits --method {method}")


def test_a_misspelt_method_is_one_line_and_code_2(tmp_path, capsys):
    output = tmp_path / "a.safetensors"

    code = run(["pretrain", "digits", "--method", "bjol", "--output", str(output)])

    assert code == 2
    assert "Did you mean 'byol'" in capsys.readouterr().err
    assert not output.exists()
