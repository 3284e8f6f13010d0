"""Downloading one file: it goes on where it broke off, and never mixes two versions of it.

A server is asked to go on only if it still has the version that was begun (RFC 9110,
Sec. 13.1.5 and 14.2: Range with If-Range); else it answers with the whole file.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPResponse

from .drive import confirmed, direct, is_page, reason_of
from .http_get import Failure, RangeRefused, get
from .partial import Partial
from .progress import progress_bar

_CHUNK = 1 << 18
_HEAD = 512  # bytes in which a page is told from a checkpoint
_MOST_PAGE = 1 << 20
_PROGRESS = 1 << 20  # bytes an attempt must bring to count as a success
_MEGABYTE = 1_000_000
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long a server is asked for."""

    attempts: int = 5  # in a row that bring less than a mebibyte
    first_wait: float = 1.0  # seconds, doubled after each
    longest_wait: float = 60.0  # seconds; a server that asks for more is left alone
    timeout: float = 30.0  # seconds without a byte
    sleep: Callable[[float], None] = time.sleep


def download(
    partial: Partial,
    *,
    patience: Patience,
    say: Callable[[str], None],
    make_room: Callable[[int], None],
) -> None:
    """Receive the file: all the bytes that the server declares.

    Args:
        partial: may hold the beginning from an earlier attempt.
        say: told of each attempt that failed and is repeated.
        make_room: called with the bytes to come; raises where the disk lacks them.

    Raises:
        Failure: the server has no such file, sends something else, or keeps breaking off.
        BadData: the disk is full.
    """
    failed = 0
    while not partial.is_whole:
        before = partial.size
        try:
            _attempt(partial, patience.timeout, make_room)
            return
        except Failure as failure:
            if not failure.temporary:
                raise
            if isinstance(failure, RangeRefused):
                partial.discard()
            failed = 1 if partial.size - before >= _PROGRESS else failed + 1
            if failed >= patience.attempts:
                raise Failure(f"{failure.reason}, {failed} times in a row") from failure
            _wait(failure, failed, patience, say)


def _wait(failure: Failure, failed: int, patience: Patience, say: Callable[[str], None]) -> None:
    seconds = min(patience.first_wait * 2 ** (failed - 1), patience.longest_wait)
    if failure.retry_after is not None:
        if failure.retry_after > patience.longest_wait:
            minutes = failure.retry_after / 60
            raise Failure(f"{failure.reason}; it asks to come back in {minutes:.0f} minutes")
        seconds = max(seconds, failure.retry_after)
    say(f"{failure.reason}; trying again in {seconds:g} s ({failed} of {patience.attempts - 1})")
    patience.sleep(seconds)


def _attempt(partial: Partial, timeout: float, make_room: Callable[[int], None]) -> None:
    place = direct(partial.address)
    try:
        _receive(partial, place, timeout, make_room)
    except _Button as button:
        _receive(partial, button.address, timeout, make_room, pressed=True)


class _Button(Exception):
    """Google Drive wants a button pressed; `address` is what the button asks for."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


def _receive(
    partial: Partial,
    place: str,
    timeout: float,
    make_room: Callable[[int], None],
    pressed: bool = False,
) -> None:
    with get(place, partial.resume_headers(), timeout) as answer:
        start, length = _where(answer, partial)
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise Failure("the server sends the file compressed, which was not asked for")
        first = answer.read(_HEAD) if start == 0 else b""
        if start == 0 and is_page(answer.headers.get("Content-Type", ""), first):
            _refuse_page(first + answer.read(_MOST_PAGE), place, pressed)
        make_room((length or 0) - start)
        if start == 0:
            partial.begin(answer.headers, length)
        partial.append(_chunks(answer, first, partial, length))
    if length is not None and partial.size < length:
        raise Failure(f"broke off after {partial.size:,} of {length:,} bytes", temporary=True)
    if partial.size == 0:
        raise Failure("the server sends an empty file", temporary=True)


def _where(answer: HTTPResponse, partial: Partial) -> tuple[int, int | None]:
    """Return where in the file the answer's bytes belong, and the file's length if declared."""
    if answer.status == 200:
        declared = answer.headers.get("Content-Length", "")
        return 0, int(declared) if declared.isdigit() else None
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    total = int(found[3]) if found and found[3] != "*" else None
    fits = found is not None and int(found[1]) == partial.size and total == partial.notes.length
    if answer.status == 206 and fits:
        return partial.size, total
    raise RangeRefused("the server sends another part than was asked for", temporary=True)


def _refuse_page(page: bytes, place: str, pressed: bool) -> None:
    text = page.decode("utf-8", errors="replace")
    behind = None if pressed else confirmed(text, place)
    if behind is not None:
        raise _Button(behind)
    raise Failure(f"the server sends {reason_of(text)}, not a checkpoint")


def _chunks(
    answer: HTTPResponse, first: bytes, partial: Partial, length: int | None
) -> Iterator[bytes]:
    done, shown = partial.size, 0
    with progress_bar(partial.path.name, (length or 0) // _MEGABYTE, unit="MB") as bar:
        chunk = first or _next(answer, done, length)
        while chunk:
            yield chunk
            done += len(chunk)
            bar.update(done // _MEGABYTE - shown)
            shown, chunk = done // _MEGABYTE, _next(answer, done, length)


def _next(answer: HTTPResponse, done: int, length: int | None) -> bytes:
    # What has arrived, not a full chunk: an interruption loses what was not written yet.
    wanted = _CHUNK if length is None else min(_CHUNK, length - done)
    return answer.read1(wanted) if wanted else b""
