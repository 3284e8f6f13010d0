"""The README tells the truth: its commands, its figures, its tables."""

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]
_README = _ROOT / "README.md"

# The wheel is tested from a folder that holds the tests alone.
pytestmark = pytest.mark.skipif(not _README.is_file(), reason=f"no {_README}")


@pytest.fixture
def readme():
    return _README.read_text(encoding="utf-8")


def test_the_first_code_block_is_the_set_up_in_two_commands(readme):
    first = re.search(r"```sh\n(.*?)```", readme, re.S)[1].splitlines()

    assert len(first) == 2
    assert "relicheck demo" in first[0]
    assert first[1].endswith("-m pytest")


def test_the_demo_table_is_the_one_the_demo_wrote(readme):
    table = (_ROOT / "reports/tables/demo.md").read_text(encoding="utf-8")
    rows = [line for line in table.splitlines() if line.startswith("|")]

    assert len(rows) > 7
    assert all(row in readme for row in rows)
    assert (_ROOT / "reports/tables/demo.png").is_file()


def test_the_number_of_claims_is_the_registrys(readme):
    from relicheck.reports.claim_registry import load_claims

    stated = re.search(r"The registry holds ([\d,]+) claims", readme)[1]

    assert int(stated.replace(",", "")) == len(load_claims())


def test_every_command_of_the_program_is_in_the_table_of_commands(readme):
    from relicheck.reports.cli import commands

    assert all(f"`relicheck {name}" in readme for name in commands.names())


def test_every_path_that_is_named_exists(readme):
    named = re.findall(r"`((?:checkpoints|evaluations|pretrain|reports|tests)/[\w/.]*)`", readme)

    assert named
    assert [path for path in named if "NAME" not in path and not (_ROOT / path).exists()] == []
