"""Chains of relicheck's own commands, several chains at a time."""

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from ..checkpoints.errors import RelicheckError

Command = Sequence[str]  # the arguments of one `relicheck` call
_POLL_SECONDS = 0.05


class JobFailed(RelicheckError):
    """A command of a chain ended with an error, which it printed itself."""


def run_chains(chains: Sequence[Sequence[Command]], jobs: int) -> None:
    """Run every chain's commands one after the other, `jobs` chains at a time.

    One process per network, because the compiler and the small steps of one network
    leave most of a second core idle.

    Raises:
        JobFailed: a command failed; the others were stopped as by Ctrl-C, so that what
            they had done is kept.
    """
    waiting = deque(deque(chain) for chain in chains)
    free = deque(range(jobs))
    with _children() as running:
        while waiting or running:
            while waiting and free:
                chain, line = waiting.popleft(), free.popleft()
                running.append(_Running(chain, line, jobs))
            time.sleep(_POLL_SECONDS)
            for job in list(running):
                if job.advance():
                    running.remove(job)
                    free.append(job.line)


class _Running:
    """One chain and the command of it that runs now."""

    def __init__(self, chain: "deque[Command]", line: int, jobs: int) -> None:
        self.line, self._chain, self._jobs = line, chain, jobs
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        self._command = self._chain.popleft()
        environment = {
            **os.environ,
            "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // self._jobs)),
            # Each chain's progress bar has a line of its own on the terminal.
            "TQDM_POSITION": str(self.line),
        }
        return subprocess.Popen(
            [sys.executable, "-m", "relicheck", *self._command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=environment,
            # In a group of its own, so that Ctrl-C reaches it once, through us, not twice.
            start_new_session=True,
        )

    def advance(self) -> bool:
        """Start the next command if the present one ended; return whether all have."""
        code = self.process.poll()
        if code is None:
            return False
        if code:
            raise JobFailed(
                f"relicheck {' '.join(self._command)}",
                f"ended with exit code {code}",
                todo="Its own message stands above. What the others finished is kept.",
            )
        if not self._chain:
            return True
        self.process = self._start()
        return False


@contextmanager
def _children() -> Iterator[list[_Running]]:
    """Yield a list of running jobs; whatever ends the block, none outlives it."""
    running: list[_Running] = []
    try:
        yield running
    finally:
        for job in running:
            # The command line takes it as Ctrl-C and saves its state. Not SIGINT: a shell that
            # started us in the background has it ignored, and children inherit that.
            job.process.terminate()
        for job in running:
            job.process.wait()
