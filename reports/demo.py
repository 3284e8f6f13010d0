"""The whole line, run once: pretrain, export, evaluate, compare, report."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..checkpoints.errors import TrainingFailed
from ..checkpoints.progress import track
from .cli import say
from .compare import Comparison

RECIPE = "digits"
METHODS = ("simclr", "byol", "relic", "relicv2", "supervised")
RANDOM = "random"
RAW_PIXELS = "raw_pixels"
EVALUATORS = ("linear", "knn", "semi_supervised", "robustness")


@dataclass(frozen=True, kw_only=True)
class DemoResult:
    """What the demo made."""

    comparison: Comparison
    text: str  # the tables and sentences, as printed
    report: Path
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return the result for `--json`."""
        from .comparison_tables import value_rows

        header, rows = value_rows(self.comparison)
        return {
            "report": str(self.report),
            "seconds": round(self.seconds, 1),
            "table": [dict(zip(header, row, strict=True)) for row in rows],
            "every_method_beats_random": self.comparison.every_method_beats_the_baseline,
        }


def run_demo(
    data: str,
    output: Path,
    *,
    data_root: Path | None = None,
    epochs: int | None = None,
    seed: int = 0,
    jobs: int | None = None,
) -> DemoResult:
    """Pretrain, measure and compare the five methods; write the report under `output`.

    What an earlier run of the same arguments finished is taken as it is.

    Raises:
        TrainingFailed: a network could not be pretrained; its own message is on stderr.
    """
    from ..evaluations.dataset import open_split

    started = time.monotonic()
    # Opened here first: a wrong name or folder is one message, not six.
    for split in ("train", "test"):
        open_split(data, split, data_root)
    checkpoints = {m: output / "checkpoints" / f"{m}.safetensors" for m in (*METHODS, RANDOM)}
    say(f"Pretraining {len(METHODS)} methods and a random backbone on {data}")
    commands = [
        _pretrain_command(method, data, path, data_root, epochs, seed)
        for method, path in checkpoints.items()
    ]
    _run_all(commands, jobs or os.cpu_count() or 1)
    say(f"Measuring them, and raw pixels, by {', '.join(EVALUATORS)}")
    _evaluate_all([*checkpoints.values(), RAW_PIXELS], data, output, data_root)
    return _report(output, started)


def _pretrain_command(
    method: str, data: str, output: Path, data_root: Path | None, epochs: int | None, seed: int
) -> list[str]:
    command = [sys.executable, "-m", "relicheck", "pretrain", RECIPE, "--method", method]
    command += ["--data", data, "--output", str(output), "--seed", str(seed)]
    if data_root is not None:
        command += ["--data-root", str(data_root)]
    if epochs is not None:
        command += ["--set", f"epochs={epochs}"]
    return command


def _run_all(commands: Sequence[Sequence[str]], jobs: int) -> None:
    """Run the commands, `jobs` at a time; stop the others when one fails or on Ctrl-C.

    One process per network: the compiler and the small steps of one network leave most of
    a second core idle.
    """
    waiting = deque(enumerate(commands))
    with _children() as running:
        while waiting or running:
            while waiting and len(running) < jobs:
                place, command = waiting.popleft()
                running.append(_start(command, place % jobs, jobs))
            time.sleep(0.05)
            for child in [c for c in running if c.poll() is not None]:
                running.remove(child)
                if child.returncode:
                    raise TrainingFailed(
                        " ".join(map(str, child.args)),  # type: ignore[arg-type]
                        f"ended with exit code {child.returncode}",
                        todo="Its own message stands above.",
                    )


def _start(command: Sequence[str], place: int, jobs: int) -> "subprocess.Popen[bytes]":
    threads = str(max(1, (os.cpu_count() or 1) // jobs))
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": threads,
        # Each child's bar gets a line of its own.
        "TQDM_POSITION": str(place),
    }
    # In a group of its own, so that Ctrl-C reaches it once, through us, and not twice.
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, env=environment, start_new_session=True
    )


@contextmanager
def _children() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """Yield a list of running children; whatever ends the block, none outlives it."""
    running: list[subprocess.Popen[bytes]] = []
    try:
        yield running
    finally:
        for child in running:
            # What Ctrl-C sends: the child saves its state before it ends.
            child.send_signal(signal.SIGINT)
        for child in running:
            child.wait()


def _evaluate_all(
    subjects: Sequence[str | Path], data: str, output: Path, data_root: Path | None
) -> None:
    from ..evaluations.evaluate import evaluate

    for subject in track(subjects, "networks measured", total=len(subjects)):
        evaluate(
            subject,
            data,
            EVALUATORS,
            records=output / "records",
            data_root=data_root,
            cache=output / "features",
        )


def _report(output: Path, started: float) -> DemoResult:
    from .compare import compare
    from .comparison_tables import comparison_text
    from .page import Report
    from .report_files import write_report
    from .scored import read_scored

    scored = read_scored(output / "records")
    comparison = compare(scored, RANDOM)
    report = write_report(
        output,
        Report(
            title=f"relicheck demo on {comparison.dataset}",
            scored=scored,
            commands=[f"relicheck demo --data {comparison.dataset}"],
        ),
    )
    text = f"{comparison_text(comparison)}\nReport: {report.resolve()}"
    return DemoResult(
        comparison=comparison, text=text, report=report, seconds=time.monotonic() - started
    )
