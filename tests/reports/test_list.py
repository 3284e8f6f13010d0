"""Listing is fast: names and first lines, nothing imported."""

import json
import subprocess
import sys

import pytest

from relicheck.checkpoints.errors import UnknownName
from relicheck.reports.cli import run
from relicheck.reports.listing import entries, kinds


@pytest.mark.parametrize("kind", kinds())
def test_everything_registered_has_a_description(kind):
    listed = entries(kind)

    assert listed
    assert [e.name for e in listed if not e.description.strip()] == []


def test_the_five_methods_are_listed():
    names = [e.name for e in entries("methods")]

    assert {"byol", "relic", "relicv2", "simclr", "supervised"} <= set(names)


def test_a_wrong_kind_gets_the_nearest():
    with pytest.raises(UnknownName, match="Did you mean 'evaluators'"):
        entries("evaluator")


def test_the_command_prints_names_with_their_lines(capsys):
    assert run(["list", "evaluators"]) == 0

    out, err = capsys.readouterr()
    assert out.startswith("evaluators (")
    assert "\n  knn " in out
    assert err == ""


def test_the_command_prints_json(capsys):
    assert run(["list", "checkpoints", "--json"]) == 0

    listed = json.loads(capsys.readouterr().out)["checkpoints"]
    assert {"name", "description"} == set(listed[0])


def test_without_a_kind_every_kind_is_shown_and_long_ones_are_cut(capsys):
    assert run(["list"]) == 0

    out = capsys.readouterr().out
    assert [line.split(" ")[0] for line in out.splitlines() if line and line[0] != " "] == kinds()
    assert "more: relicheck list claims" in out


def test_listing_imports_none_of_the_heavy_libraries():
    code = (
        "import sys; from relicheck.reports.cli import run; run(['list']);"
        "print(sorted({'torch', 'jax', 'sklearn', 'pandas', 'matplotlib'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
