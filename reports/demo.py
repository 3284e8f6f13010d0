"""The whole line, run once: pretrain, export, evaluate, compare, report."""

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..checkpoints.files import check_writable
from .cli import say
from .compare import Comparison
from .jobs import Command, run_chains

RANDOM = "random"
RAW_PIXELS = "raw_pixels"
# The longest first, so that no long one is left alone at the end.
METHODS = ("relicv2", "byol", "relic", "simclr", "supervised")
EVALUATORS = ("linear", "knn", "semi_supervised", "robustness")
# Digits are easy: a tenth of the labels (110) let an untrained network reach 89 % (with an
# earlier recipe of 32 pixels), which leaves no room to see pretraining. Three images per
# class are few; three draws of them make up for the luck of one.
LABEL_FRACTION = 0.03
SEEDS = (0, 1, 2)
# Seven of the fifteen types, cheap ones that leave 16 pixels legible.
CORRUPTIONS = (
    "gaussian_noise",
    "shot_noise",
    "defocus_blur",
    "brightness",
    "contrast",
    "pixelate",
    "jpeg_compression",
)
# The length of a demo on other images than digits, however many there are.
_STEPS, _BATCH = 400, 64


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


@dataclass(frozen=True, kw_only=True)
class Demo:
    """What the demo is asked to do."""

    data: str
    output: Path
    data_root: Path | None = None
    epochs: float | None = None  # None: the recipe's own
    seed: int = 0  # of pretraining

    @property
    def recipe(self) -> str:
        """The pretraining recipe: a photograph may be mirrored, a digit may not."""
        return "digits" if self.data == "digits" else "photographs"

    def chain(self, method: str) -> list[Command]:
        """Return the commands that pretrain and measure `method`."""
        if method == RAW_PIXELS:
            return [self._evaluate(RAW_PIXELS)]
        checkpoint = str(self.output / "checkpoints" / f"{method}.safetensors")
        pretrain = ["pretrain", self.recipe, "--method", method, "--output", checkpoint]
        pretrain += ["--data", self.data, "--seed", str(self.seed), *self._root()]
        if self.epochs is not None:
            pretrain += ["--set", f"epochs={self.epochs}"]
        return [pretrain, self._evaluate(checkpoint)]

    def _evaluate(self, subject: str) -> Command:
        command = ["evaluate", subject, "--data", self.data, *self._root()]
        command += ["--evaluators", ",".join(EVALUATORS)]
        command += ["--set", f"semi_supervised.label_fraction={LABEL_FRACTION}"]
        command += ["--set", f"robustness.corruptions={','.join(CORRUPTIONS)}"]
        for seed in SEEDS:
            command += ["--seed", str(seed)]
        command += ["--records", str(self.records), "--cache", str(self.output / "features")]
        return command

    def _root(self) -> list[str]:
        return [] if self.data_root is None else ["--data-root", str(self.data_root)]

    @property
    def records(self) -> Path:
        """Folder of the records."""
        return self.output / "records"


def run_demo(demo: Demo, jobs: int | None = None) -> DemoResult:
    """Pretrain, measure and compare the five methods; write the report under `output`.

    What an earlier run of the same request finished is taken as it is.

    Raises:
        JobFailed: a network could not be pretrained or measured.
        MissingData, BadData, UnknownName: the images cannot be used.
    """
    from ..evaluations.dataset import check_classes, open_split

    started = time.monotonic()
    # Opened here first: a wrong name or folder is one message, not seven.
    train, test = (open_split(demo.data, split, demo.data_root) for split in ("train", "test"))
    check_classes(train, test)
    check_writable(demo.output / "report.html")
    if demo.epochs is None and demo.recipe != "digits":
        demo = replace(demo, epochs=round(_STEPS * _BATCH / len(train), 2))
    say(
        f"Pretraining {len(METHODS)} methods on {len(train)} images of {train.name}, measuring "
        f"them, a random backbone and raw pixels on {len(test)} others."
    )
    rows = (*METHODS, RANDOM, RAW_PIXELS)
    run_chains([demo.chain(method) for method in rows], jobs or os.cpu_count() or 1)
    return _report(demo, test.name, started)


def _report(demo: Demo, dataset: str, started: float) -> DemoResult:
    from .compare import compare
    from .comparison_tables import comparison_text
    from .page import Report
    from .page.labelled import labelled_sets
    from .report_files import write_report
    from .scored import read_scored

    # A folder of records is append-only: an earlier demo on other images may lie there too.
    scored = [item for item in read_scored(demo.records) if item.record.dataset == dataset]
    comparison = compare(scored, RANDOM)
    command = " ".join(["relicheck demo --data", demo.data])
    report = write_report(
        demo.output,
        Report(
            title=f"relicheck demo on {comparison.dataset}",
            scored=scored,
            commands=[command],
            labelled=labelled_sets((item.record for item in scored), demo.data_root),
        ),
    )
    text = f"{comparison_text(comparison)}\nReport: {report.resolve()}"
    return DemoResult(
        comparison=comparison, text=text, report=report, seconds=time.monotonic() - started
    )
