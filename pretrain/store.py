"""Where an unfinished run keeps its state, and when."""

import time
from pathlib import Path
from typing import NamedTuple

from .config import PretrainConfig
from .finished import manifest_of
from .options import RunOptions
from .state import TrainState, load_state, save_state, state_path


class Position(NamedTuple):
    """Where a run stands."""

    state: TrainState
    step: int  # steps taken
    loss: float  # of the last one


class Store:
    """The saved states of one run beside its output."""

    def __init__(
        self, output: Path, config: PretrainConfig, options: RunOptions, digest: str
    ) -> None:
        self.path = state_path(output)
        self._config, self._options, self._digest = config, options, digest
        self._saved = time.monotonic()

    def restore(self, start: TrainState) -> Position:
        """Return where the run stands: at the newest saved state, or at `start`.

        Raises:
            BadCheckpoint: what is there cannot be read or does not fit `start`.
            UsageError: it is of another run.
        """
        if self.path.exists():
            return Position(*load_state(self.path, start, self._digest))
        return Position(start, 0, float("nan"))

    def offer(self, now: Position) -> None:
        """Save `now` if the last time is long enough ago."""
        if time.monotonic() - self._saved > self._options.save_seconds:
            self.save(now)

    def save(self, now: Position) -> None:
        """Save `now`; the state before the first step needs no saving."""
        if now.step:
            facts = {"step": now.step, "run_sha256": self._digest}
            manifest = manifest_of(self._config, self._config.method, facts)
            save_state(self.path, now.state, now.step, now.loss, self._digest, manifest)
        self._saved = time.monotonic()

    def forget(self) -> None:
        """Remove every saved state."""
        self.path.unlink(missing_ok=True)
