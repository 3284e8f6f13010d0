"""An interrupt is taken where it can be, and never lost."""

import subprocess
import sys
import time

import pytest

# Each script interrupts itself at the worst place, then works on for ten seconds.
_BEGIN = """
import gc, os, signal, sys, time
from relicheck.reports.interruption import take_interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)
take_interrupts()
def work():
    try:
        for _ in range(1000):
            time.sleep(0.01)
    except KeyboardInterrupt:
        print("interrupted at work"); sys.exit(130)
"""
_IN_AN_IMPORT = """
sys.path.insert(0, sys.argv[1])
import interrupted_while_imported
print("imported")
work()
"""
_IN_A_DESTRUCTOR = """
class Leaves:
    def __del__(self):
        os.kill(os.getpid(), sent); sum(range(1000)); print("destroyed")
leaves = Leaves(); del leaves
work()
"""
_IN_A_CALLBACK = """
def callback(phase, info):
    if phase == "start":
        os.kill(os.getpid(), sent); sum(range(1000))
gc.callbacks.append(callback); gc.collect(); gc.callbacks.clear()
work()
"""


@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM"])
@pytest.mark.parametrize(
    ("place", "printed"),
    [
        (_IN_AN_IMPORT, "imported\ninterrupted at work\n"),
        (_IN_A_DESTRUCTOR, "destroyed\ninterrupted at work\n"),
        (_IN_A_CALLBACK, "interrupted at work\n"),
        ("os.kill(os.getpid(), sent)\nwork()", None),
    ],
    ids=["import", "destructor", "callback", "anywhere"],
)
def test_an_interrupt_waits_for_a_place_that_can_take_it(tmp_path, sent, place, printed):
    (tmp_path / "interrupted_while_imported.py").write_text(
        f"import os, signal\nos.kill(os.getpid(), signal.{sent})\nsum(range(1000))\n"
    )
    script = f"{_BEGIN}\nsent = signal.{sent}\n{place}"
    started = time.monotonic()

    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=60
    )

    if printed is None:
        # Ordinary code is interrupted on the spot, as Python does it.
        assert "KeyboardInterrupt" in ended.stderr
    else:
        assert (ended.stdout, ended.stderr, ended.returncode) == (printed, "", 130)
    assert time.monotonic() - started < 9


def test_a_timer_that_a_library_left_behind_does_not_keep_the_process(tmp_path):
    script = """
import signal, sys, threading
from relicheck.reports import cli
threading.Timer(120, print).start()
def interrupted(**_): raise KeyboardInterrupt
cli._group.main = interrupted
cli.main([])
"""

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=60)

    assert ended.returncode == 130
