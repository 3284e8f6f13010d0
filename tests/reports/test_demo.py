"""What the demo asks of the other commands. That it reaches its goal is what CI runs it for."""

import pytest
from click.testing import CliRunner

from relicheck.reports.cli import run
from relicheck.reports.commands.demo import COMMAND
from relicheck.reports.demo import METHODS, RANDOM, RAW_PIXELS, Demo


@pytest.fixture
def demo(tmp_path):
    return Demo(data="digits", output=tmp_path / "out")


@pytest.mark.parametrize("method", [*METHODS, RANDOM])
def test_a_network_is_pretrained_and_then_measured(demo, method):
    pretrain, evaluate = demo.chain(method)

    assert pretrain[:4] == ["pretrain", "digits", "--method", method]
    assert pretrain[pretrain.index("--output") + 1] == evaluate[1]


def test_raw_pixels_are_measured_without_pretraining(demo):
    assert [command[:2] for command in demo.chain(RAW_PIXELS)] == [["evaluate", RAW_PIXELS]]


def test_every_row_is_measured_by_the_same_protocols_and_seeds(demo):
    measured = {tuple(demo.chain(row)[-1][2:]) for row in (*METHODS, RANDOM, RAW_PIXELS)}

    assert len(measured) == 1
    (options,) = measured
    assert options.count("--seed") == 3
    assert "linear,knn,semi_supervised,robustness" in options


def test_all_five_methods_take_part():
    from relicheck.pretrain import methods

    assert sorted(METHODS) == methods.names()


def test_photographs_are_mirrored_and_digits_are_not(demo, tmp_path):
    from relicheck.pretrain import recipes

    photographs = Demo(data=str(tmp_path), output=tmp_path).recipe
    flips = {
        name: recipes.load(name).config("byol").views[0].flip_probability
        for name in (demo.recipe, photographs)
    }

    assert flips == {"digits": 0.0, "photographs": 0.5}


@pytest.mark.parametrize(
    ("data", "said"),
    [("digitz", "Did you mean 'digits'"), ("./nowhere", "there is no such folder")],
)
def test_images_that_are_not_there_end_the_demo_at_once(tmp_path, capsys, data, said):
    code = run(["demo", "--data", data, "--output", str(tmp_path / "out")])

    assert code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_an_epoch_count_of_nothing_is_wrong_use():
    result = CliRunner().invoke(COMMAND, ["--epochs", "0"])

    assert result.exit_code == 2
    assert "--epochs" in result.stderr
