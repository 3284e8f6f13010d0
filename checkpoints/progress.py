"""Progress bars: on standard error, and only for what takes longer than two seconds."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")

_QUIET_SECONDS = 1.5
_LOG_SECONDS = 10.0  # between lines where standard error is a file, not a terminal


def _interval() -> float:
    return 0.1 if sys.stderr.isatty() else _LOG_SECONDS


class Bar(Protocol):
    """What the body of a long loop may do with its progress bar."""

    def update(self, n: float = 1) -> object:
        """Count `n` more units as done."""

    def set_postfix_str(self, s: str = "", refresh: bool = True) -> None:
        """Show `s` behind the bar: a loss, a rate."""


def track(items: Iterable[T], description: str, total: int | None = None) -> Iterator[T]:
    """Yield the items and show how many are done."""
    from tqdm import tqdm

    yield from tqdm(
        items,
        desc=description,
        total=total,
        delay=_QUIET_SECONDS,
        mininterval=_interval(),
        leave=False,
        file=sys.stderr,
    )


@contextmanager
def progress_bar(
    description: str, total: int, unit: str = "step", at_once: bool = False
) -> Iterator[Bar]:
    """Yield a bar of `total` units; call its `update(n)`.

    `at_once` shows it before the first update, for what begins with a long step.
    """
    from tqdm import tqdm

    delay = 0.0 if at_once else _QUIET_SECONDS
    with tqdm(
        total=total,
        desc=description,
        unit=unit,
        delay=delay,
        mininterval=_interval(),
        leave=False,
        file=sys.stderr,
    ) as bar:
        yield bar
