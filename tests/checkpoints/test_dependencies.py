"""A missing library is one sentence with the extra that brings it; our own mistakes are not."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from relicheck.checkpoints.dependencies import missing_dependency

# Runs the command line as if `library` were not installed.
_WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {library!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from relicheck.reports.cli import main
main({arguments!r})
"""


@pytest.mark.parametrize(
    ("library", "extra", "arguments"),
    [
        ("torch", "evaluate", ["convert", "some.pth", "--output", "x.safetensors"]),
        ("sklearn", "evaluate", ["evaluate", "raw_pixels", "--data", "digits"]),
        ("sklearn", "evaluate", ["demo"]),
        ("jax", "pretrain", ["pretrain", "digits", "--method", "byol", "--output", "x"]),
    ],
)
def test_a_command_names_the_extra_it_lacks(tmp_path, library, extra, arguments):
    (tmp_path / "some.pth").write_bytes(b"x")
    code = _WITHOUT.format(library=library, arguments=arguments)

    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert f"the library '{library}' is not installed" in done.stderr
    assert f'pip install "relicheck[{extra}]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_a_module_of_our_own_that_is_absent_is_no_missing_dependency():
    assert missing_dependency(ModuleNotFoundError("x", name="relicheck.nothing")) is None
    assert missing_dependency(ModuleNotFoundError("x")) is None


def test_every_extra_that_is_named_exists():
    pyproject = Path(__file__).parents[2] / "pyproject.toml"
    extras = tomllib.loads(pyproject.read_text())["project"]["optional-dependencies"]

    named = {
        missing_dependency(ModuleNotFoundError("x", name=name)).where
        for name in ("torch", "jax", "jinja2")
    }

    assert named == {"relicheck[evaluate]", "relicheck[pretrain]", "relicheck[report]"}
    assert {"evaluate", "pretrain", "report"} <= extras.keys()
