"""A lab gates its releases on its own claims: `tests/reports/lab` is the example, executed.

The sessions run in processes of their own, in a repository that is not this one, with the
plugin as it is installed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from relicheck.checkpoints.common import write_checkpoint
from relicheck.checkpoints.manifest import Manifest
from relicheck.checkpoints.resnet import ResNet
from relicheck.checkpoints.spec import Preprocessing, ResNetSpec

PLUGIN = "relicheck.reports.pytest_plugin"
EXAMPLE = Path(__file__).parent / "lab"
RAN = r"(\d+) (passed|failed|skipped|deselected|xfailed|error)"


def session(folder: Path, *arguments: str, installed: bool = False):
    """Run pytest in `folder`; return its exit code, its output, and its counts by outcome.

    `installed`: with every plugin that is installed, ours found by its entry point.
    """
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("RELICHECK", "PYTEST"))}
    if not installed:
        # The other plugins of this environment take seconds to import.
        clean |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": PLUGIN}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder, capture_output=True, text=True, env=clean,
    )  # fmt: skip
    said = done.stdout + done.stderr
    last = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    return done.returncode, said, {kind: int(n) for n, kind in re.findall(RAN, last)}


def collected(folder: Path, *arguments: str) -> list[str]:
    """Return the ids of the claims that a session would test."""
    said = session(folder, "--co", "-q", *arguments)[1]
    return re.findall(r"^claims\.toml::(\S+)$", said, re.MULTILINE)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The example with what it names: a network and images in two colours."""
    import torch

    folder = tmp_path_factory.mktemp("lab")
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True)
    torch.manual_seed(0)
    spec = ResNetSpec(depth=18, stem="cifar")
    network = ResNet(spec, None).eval()
    manifest = Manifest(
        spec=spec, preprocessing=Preprocessing(image_size=8), method="unstated",
        source="here", licence="ours",
    )  # fmt: skip
    (folder / "weights").mkdir()
    write_checkpoint(folder / "weights" / "ours.safetensors", network.canonical_tensors(), manifest)
    rng = np.random.default_rng(0)
    for split, count in (("train", 12), ("test", 5)):
        for label, colour in (("blackbird", 30), ("canary", 220)):
            home = folder / "images" / "birds" / split / label
            home.mkdir(parents=True)
            for index in range(count):
                noise = rng.integers(-20, 20, (8, 8, 3))
                Image.fromarray((colour + noise).astype(np.uint8)).save(home / f"{index}.png")
    (folder / "test_other.py").write_text("def test_other():\n    pass\n")
    return folder


# The example of the README.


def test_a_lab_gates_its_release_on_its_claims(lab):
    code, said, counts = session(lab, "-m", "benchmark", "-rs", installed=True)
    assert code == 0, said
    assert counts == {"passed": 2, "skipped": 1, "deselected": 1}
    assert "ours/birds/knn: 100.0, 100.00, reproduced" in said
    assert "knn-as-first-printed: 90.0, 100.00, exceeds, as expected" in said
    assert re.search(r"SKIPPED \[1\] claims\.toml:37: needs ImageNet under", said)
    assert len(list((lab / "runs" / "records").glob("*.json"))) == 1  # measured once for both


def test_a_claim_that_is_not_reproduced_fails_with_all_that_one_needs(lab, tmp_path):
    text = (
        (lab / "claims.toml").read_text().replace('"100.0"', '"97.5"').replace('"90.0"', '"100.0"')
    )
    (tmp_path / "wrong.toml").write_text(text)
    code, said, counts = session(
        lab, f"--relicheck-claims={tmp_path / 'wrong.toml'}", "-k", "birds",
        f"--relicheck-records={tmp_path / 'r'}",
    )  # fmt: skip
    # The other one is a known disagreement no more: it is reproduced, and that fails too.
    assert (code, counts["failed"]) == (1, 2)
    assert "ours/birds/knn-as-first-printed: reproduced, not exceeds" in said
    for line in (
        "claim ours/birds/knn",
        "claimed   97.5 %, Our release notes, Table 1",
        "measured  100.0",
        r"margin    0\.15",
        r"reason    \+2.500 points from 97\.5",
        rf"record    {tmp_path}/r/[0-9a-f]{{16}}\.json",
    ):
        assert re.search(line, said), (line, said)
    assert "Traceback" not in said


def test_strict_fails_what_is_not_measured(lab):
    code, said, counts = session(lab, "-m", "benchmark", "--relicheck-strict", "-k", "imagenet")
    assert (code, counts) == (1, {"failed": 1, "deselected": 3})
    assert "ours/imagenet/knn: not measured\nneeds ImageNet" in said


def test_weights_that_are_not_there_yet_are_a_skip_that_names_them(lab, tmp_path):
    for name in ("claims.toml", "pytest.ini"):
        shutil.copy(lab / name, tmp_path)
    code, said, counts = session(tmp_path, "-m", "benchmark", "-rs")
    assert (code, counts) == (0, {"skipped": 3})
    assert "weights/ours.safetensors: there is no such file" in said
    assert session(tmp_path, "-m", "benchmark", "--relicheck-strict")[2] == {"failed": 3}


# When claims run, and when not.


def test_a_plain_session_runs_the_tests_alone_and_says_how_to_run_claims(lab):
    code, said, counts = session(lab)
    assert (code, counts) == (0, {"passed": 1})
    assert re.search(r"relicheck: claims of .*claims\.toml \(run with -m benchmark\)", said)


def test_claims_of_the_command_line_run_without_a_mark(lab):
    code, said, counts = session(
        lab, "--relicheck-claims=claims.toml", "test_other.py", "-k", "imagenet or other"
    )
    assert (code, counts) == (0, {"passed": 1, "skipped": 1, "deselected": 2}), said


def test_a_claims_file_or_a_single_claim_is_a_path_of_pytest(lab):
    assert len(collected(lab, "claims.toml")) == 3
    assert collected(lab, "claims.toml::ours/birds/knn") == ["ours/birds/knn"]


def test_a_file_that_is_named_twice_is_tested_once(lab):
    assert len(collected(lab, "claims.toml", "--relicheck-claims=claims.toml")) == 3
    assert len(collected(lab, ".", "--relicheck-claims=claims.toml")) == 3


def test_a_single_file_of_tests_runs_no_claims_of_the_ini_file(lab):
    assert session(lab, "test_other.py", "-m", "not slow")[2] == {"passed": 1}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        (["--relicheck-dataset", "birds"], {"ours/birds/knn", "ours/birds/knn-as-first-printed"}),
        (["--relicheck-claim", "ours/imagenet/knn"], {"ours/imagenet/knn"}),
        (["-k", "imagenet"], {"ours/imagenet/knn"}),
        (["-m", "relicheck", "-k", "first"], {"ours/birds/knn-as-first-printed"}),
    ],
)
def test_claims_are_selected(lab, options, names):
    assert set(collected(lab, "--relicheck-claims=claims.toml", *options)) == names


# Bad input: a message, no traceback.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("not toml", "not valid TOML"),
        ("[[group]]\ncolumns = ['id']\nrows = [['a']]\n", "metric|missing"),
        ("", "holds no claims"),
    ],
)
def test_a_file_that_holds_no_claims_is_an_error_with_its_reason(tmp_path, text, message):
    (tmp_path / "bad.toml").write_text(text)
    code, said, _ = session(tmp_path, "--relicheck-claims=bad.toml")
    assert code in (2, 4)
    assert re.search(message, said)
    assert "Traceback" not in said


def test_percent_against_fraction_in_a_claim_is_refused(lab, tmp_path):
    text = (lab / "claims.toml").read_text().replace('"100.0"', '"1.000"')
    (tmp_path / "share.toml").write_text(text)
    code, said, _ = session(
        lab, f"--relicheck-claims={tmp_path / 'share.toml'}", "-k", "birds and not first"
    )
    assert code == 1
    assert "a fraction was written as it is" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--relicheck-claims=nowhere.toml"], "nowhere.toml: no claims are there"),
        (["--relicheck-claims=images"], "images: no claims are there"),
        (["--relicheck-dataset", "birds", "-c", os.devnull], "options were given, and no claims"),
        (["--relicheck-claim", "ours/birds/kn", "-m", "benchmark"], "ours/birds/knn"),
        (["--relicheck-checkpoint", "x.safetensors", "-m", "benchmark"], "x.safetensors"),
        (["--relicheck-checkpoint", "claims.toml", "-m", "benchmark"], "claims.toml"),
        (["--relicheck-seed", "one", "-m", "benchmark"], "invalid int value: 'one'"),
    ],
)
def test_wrong_options_are_refused_with_a_message(lab, options, message):
    code, said, counts = session(lab, *options)
    assert code in (1, 2, 4)
    assert message in said
    assert "passed" not in counts
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said


def test_one_id_in_two_files_is_refused(lab, tmp_path):
    for name in ("a.toml", "b.toml"):
        shutil.copy(lab / "claims.toml", tmp_path / name)
    code, said, _ = session(tmp_path, "--relicheck-claims=.")
    assert code == 2
    assert re.search(r"the id is taken, by a row of a\.toml", said)


# Beside other plugins, and unused.


def test_a_repository_without_claims_pays_an_import_of_pytest_alone(tmp_path):
    code = (
        "import sys, pytest\n"
        "assert pytest.main(['--co', '-q']) == 5\n"
        "mine = {n for n in sys.modules if n.split('.')[0] == 'relicheck'}\n"
        "heavy = {'numpy', 'torch', 'click', 'jax'} & set(sys.modules)\n"
        "assert mine == {'relicheck', 'relicheck.reports', 'relicheck.reports.pytest_plugin'}\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": PLUGIN},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_plugin_is_found_by_its_entry_point():
    from importlib.metadata import entry_points

    [found] = entry_points(group="pytest11", name="relicheck")
    assert found.value == PLUGIN


def test_marks_of_the_same_name_and_strict_settings_do_not_clash(lab, tmp_path):
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\naddopts = --strict-markers --strict-config\nfilterwarnings = error\n"
        "markers =\n    benchmark(group): of another plugin\n"
    )
    (tmp_path / "test_it.py").write_text(
        "import pytest\n\n@pytest.mark.benchmark\ndef test_it():\n    pass\n"
    )
    shutil.copy(lab / "claims.toml", tmp_path)
    code, said, counts = session(tmp_path, "-m", "benchmark", "--relicheck-claims=claims.toml")
    assert (code, counts) == (0, {"passed": 1, "skipped": 3}), said
    marks = session(tmp_path, "--markers")[1]
    assert marks.count("@pytest.mark.benchmark") == 1


def test_workers_of_xdist_test_the_claims_that_the_session_asked_for(lab):
    pytest.importorskip("xdist")
    code, said, counts = session(lab, "-m", "benchmark", "-n", "2", installed=True)
    assert (code, counts) == (0, {"passed": 2, "skipped": 1}), said
    assert "ours/birds/knn: 100.0, 100.00, reproduced" in said


def test_this_repository_tests_its_registry_by_the_same_plugin():
    import tomllib

    root = Path(__file__).parents[2]
    settings = tomllib.loads((root / "pyproject.toml").read_text())
    options = settings["tool"]["pytest"]["ini_options"]
    assert options["relicheck_claims"] == ["reports/claimed"]
    code, said, _ = session(root, "-q", "--co", "-m", "benchmark", "reports/claimed/akamaster.toml")
    assert code == 0, said
    assert said.count("reports/claimed/akamaster.toml::akamaster/resnet") == 6
