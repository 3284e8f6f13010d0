"""What a run shows while it works."""

import time
from collections.abc import Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

import numpy as np

from ..checkpoints.progress import Bar, progress_bar
from .config import PretrainConfig
from .options import RunOptions


class Watch:
    """Takes the facts of every step and shows them; a context manager."""

    def __init__(self, config: PretrainConfig, options: RunOptions, total: int, done: int) -> None:
        self._config, self._options = config, options
        self._total, self._done = total, done
        self._open = ExitStack()
        self._bar: Bar | None = None
        self._since = time.monotonic()

    def __enter__(self) -> Self:
        if self._options.progress:
            bar = self._open.enter_context(
                progress_bar(self._config.method, self._total, at_once=True)
            )
            bar.update(self._done)
            # Nothing moves before the step is compiled, which takes many times a step.
            bar.set_postfix_str("compiling")
            self._bar = bar
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open.close()

    def steps(self, first: int, facts: Mapping[str, np.ndarray]) -> None:
        """Take the facts of the steps from `first` on, [steps] floats by name."""
        now = time.monotonic()
        count = len(facts["loss"])
        rate = count * self._config.batch_size / (now - self._since)
        self._since = now
        if self._bar is not None:
            text = f"loss {facts['loss'][-1]:.3f}, {rate:.0f} images/s"
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(count)
