"""One training run with mmengine's Runner, and the scoring that follows; it goes on if killed."""

import contextlib
import copy
import io
import os
import time
import uuid
import zipfile
from pathlib import Path
from typing import Any

from ...checkpoints.progress import Bar, progress_bar
from .bridge import open_bridge, quiet
from .config import Config
from .predicted import Predicted

# Between two savings: what a killed run repeats, at most.
SAVE_SECONDS = 30.0
_STATE = "state.pth"


def train_and_score(config: Config, images: int, folder: Path, title: str) -> Predicted:
    """Return what the trained network predicts for every scored image, at its full size.

    Args:
        config: see `config.config_of`.
        images: that are scored.
        folder: of this run alone: its state is saved here, and found here by a run that goes
            on. It must be empty before the first.
        title: for the progress bar.

    Raises:
        Diverged: the loss is not finite.
        MissingDependency: mmsegmentation is not installed.
    """
    open_bridge()
    # Imported here, not by `custom_imports`: a failure is then an error with its own message.
    from . import mmseg_modules

    folder.mkdir(parents=True, exist_ok=True)
    total = config["train_cfg"]["max_iters"]
    with quiet(), _unheard(), progress_bar(title, total, "iteration") as bar:
        runner = mmseg_modules.runner_of(_to_be_run(config, images, folder))
        state = _State(folder, bar)
        runner.register_hook(mmseg_modules.Following(state.begun, state.stepped))
        runner.train()
        runner.test()
    (metric,) = runner.test_evaluator.metrics
    predicted: Predicted = metric.predicted
    assert len(predicted.confusions) == images, (len(predicted.confusions), images)
    return predicted


def _to_be_run(config: Config, images: int, folder: Path) -> Config:
    """Return `config` with what a run of ours needs beside: nothing of it changes a number."""
    run = copy.deepcopy(config)
    state = folder / _STATE
    goes_on = zipfile.is_zipfile(state)  # a file that is not whole is none
    return run | {
        "train_cfg": {
            "type": "RelicheckGoOnLoop",
            "max_iters": run["train_cfg"]["max_iters"],
        },
        "val_cfg": None,
        "val_dataloader": None,
        "val_evaluator": None,
        "test_evaluator": {
            "type": "RelicheckConfusionOfEveryImage",
            "classes": run["model"]["decode_head"]["num_classes"],
            "images": images,
        },
        "default_hooks": run["default_hooks"] | {"logger": None, "checkpoint": None},
        "work_dir": str(folder / "log"),
        # mmengine keeps loggers and their like by this name, for as long as the process lives.
        "experiment_name": uuid.uuid4().hex,
        "log_level": "ERROR",
        "resume": goes_on,
        "load_from": str(state) if goes_on else None,
    }


def _unheard() -> contextlib.redirect_stdout[io.StringIO]:
    # mmengine prints where it loads from; standard output is for results.
    return contextlib.redirect_stdout(io.StringIO())


class _State:
    """What a killed run goes on from, saved now and then."""

    def __init__(self, folder: Path, bar: Bar) -> None:
        self._folder, self._bar = folder, bar
        self._last = time.monotonic()

    def begun(self, runner: Any) -> None:
        self._bar.update(runner.iter)

    def stepped(self, runner: Any) -> None:
        self._bar.update(1)
        done = runner.iter + 1 == runner.max_iters
        if done or time.monotonic() - self._last >= SAVE_SECONDS:
            runner.save_checkpoint(str(self._folder), f"{_STATE}.part", by_epoch=False)
            os.replace(self._folder / f"{_STATE}.part", self._folder / _STATE)
            self._last = time.monotonic()
