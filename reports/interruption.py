"""Ctrl-C and a batch system's SIGTERM, taken where Python code can take them.

Python raises KeyboardInterrupt wherever the main thread happens to be. Inside the import
of a library written in C++ (jaxlib) that ends the process with `terminate called`; inside
a destructor or a callback of the garbage collector it is printed and forgotten. So an
interrupt that arrives in such a place waits until the place is left.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_AGAIN_SECONDS = 0.02
# Frames that must not be left by an exception: imports (`<frozen importlib._bootstrap>`),
# destructors, and jax's callback of the garbage collector.
_IMPORT = "<frozen importlib"
_SWALLOWING = ("__del__", "_xla_gc_callback")


def take_interrupts() -> None:
    """Let SIGINT and SIGTERM raise KeyboardInterrupt in the main thread, at a safe place."""
    # A shell that starts us in the background has SIGINT ignored, and means it.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGALRM, _interrupt)
    sys.unraisablehook = _unraisable


def cancel_timers() -> None:
    """Cancel the timers that an interrupted library left running.

    jax watches each compilation with one of two minutes; interrupted between its start and
    the block that cancels it, it would keep the process from ending for that long.
    """
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def _interrupt(number: int, frame: FrameType | None) -> None:
    if any(_must_finish(outer) for outer in _stack(frame)):
        _try_again()
        return
    raise KeyboardInterrupt


def _stack(frame: FrameType | None) -> Iterator[FrameType]:
    while frame is not None:
        yield frame
        frame = frame.f_back


def _must_finish(frame: FrameType) -> bool:
    code = frame.f_code
    return code.co_filename.startswith(_IMPORT) or code.co_name in _SWALLOWING


def _unraisable(event: Any) -> None:
    # What neither a name nor a file told us: the exception was swallowed, so send it again.
    if isinstance(event.exc_value, KeyboardInterrupt):
        _try_again()
    else:
        sys.__unraisablehook__(event)


def _try_again() -> None:
    signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
