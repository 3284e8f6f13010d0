"""Chains of commands: in order, several at a time, and stopped together."""

import os
import signal
import subprocess
import sys
import time

import pytest

from relicheck.reports.jobs import JobFailed, run_chains


@pytest.fixture
def three_specs(tmp_path):
    """Three small checkpoints that torch wrote, to be converted: quick, real commands."""
    import torch

    from relicheck.checkpoints.resnet import ResNet
    from relicheck.checkpoints.spec import ResNetSpec

    paths = [tmp_path / f"{index}.pth" for index in range(3)]
    for path in paths:
        network = ResNet(ResNetSpec(depth=18, width_multiplier=1 / 8, stem="cifar"))
        torch.save(network.state_dict(), path)
    return paths


def test_the_commands_of_a_chain_run_in_order_and_every_chain_runs(three_specs, tmp_path):
    once = [["convert", str(p), "--output", f"{p}.safetensors"] for p in three_specs]
    # The second command reads what the first wrote.
    twice = [
        ["convert", f"{p}.safetensors", "--output", f"{p}.again.safetensors"] for p in three_specs
    ]

    run_chains(list(zip(once, twice, strict=True)), jobs=2)

    assert len(list(tmp_path.glob("*.again.safetensors"))) == 3


def test_a_failing_command_stops_its_chain_and_is_named(tmp_path, capfd):
    never = ["convert", "x", "--output", str(tmp_path / "never.safetensors")]

    with pytest.raises(JobFailed, match="relicheck convert absent --output y: ended with exit"):
        run_chains([[["convert", "absent", "--output", "y"], never]], jobs=1)

    assert "absent: there is no such file" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


# A test run in the background has SIGINT ignored, and hands that down to what it starts.
_DEMO = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from relicheck.reports.cli import main
main(["demo", "--output", sys.argv[1]])
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_ends_its_children_and_says_that_work_is_kept(tmp_path, sent):
    demo = subprocess.Popen(
        [sys.executable, "-c", _DEMO, str(tmp_path / "demo")], stderr=subprocess.PIPE, text=True
    )
    children = _wait_for_children(demo.pid)

    demo.send_signal(sent)
    try:
        _, stderr = demo.communicate(timeout=60)
    finally:
        demo.kill()

    assert demo.returncode == 130
    assert "the same command goes on from there" in stderr
    assert "Traceback" not in stderr
    assert not any(_alive(child) for child in children)
    assert not list((tmp_path / "demo").rglob(".*.safetensors.*"))  # no half-written file


def _wait_for_children(pid):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        children = [int(c) for c in _read(f"/proc/{pid}/task/{pid}/children").split()]
        if len(children) >= min(2, os.cpu_count() or 1):
            time.sleep(1)  # into their imports or their first steps
            return children
        time.sleep(0.1)
    raise AssertionError("the demo started no children")


def _alive(pid):
    return bool(_read(f"/proc/{pid}/cmdline"))


def _read(path):
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""
