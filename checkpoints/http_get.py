"""One HTTP request: the only module that opens a connection, and only for `relicheck fetch`."""

import email.utils
import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from typing import IO, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

MOST_REDIRECTS = 5
OFFLINE = "it is not here, and RELICHECK_OFFLINE forbids the network"
_TEMPORARY = frozenset({408, 425, 429, 500, 502, 503, 504})
_ELSEWHERE = "redirects to an address that is neither http nor https"
_HINTS = {
    401: "the file is not public",
    403: "the server refuses: the file is not public, or was asked for too often",
    404: "the file is no longer there",
    410: "the file is no longer there",
}


def offline() -> bool:
    """Return whether RELICHECK_OFFLINE forbids the network."""
    return os.environ.get("RELICHECK_OFFLINE", "").lower() not in ("", "0", "no", "false")


class Failure(Exception):
    """Why a request gave no file. `temporary`: the same request may do better later."""

    def __init__(
        self, reason: str, *, temporary: bool = False, retry_after: float | None = None
    ) -> None:
        super().__init__(reason)
        self.reason, self.temporary, self.retry_after = reason, temporary, retry_after


class RangeRefused(Failure):
    """The file ends before the range that was asked for: it is not the one that was begun."""


def check_redirect(old: str, new: str) -> None:
    """Return if a server at `old` may send us to `new`.

    Raises:
        Failure: elsewhere than http or https, or from https down to http.
    """
    before, after = urlsplit(old).scheme, urlsplit(new).scheme
    if after not in ("http", "https"):
        raise Failure(f"the server {_ELSEWHERE}")
    if (before, after) == ("https", "http"):
        raise Failure(f"the server redirects from https to plain http ({new[:200]})")


class _Redirects(HTTPRedirectHandler):
    """Follows a few redirects, each one checked; headers (Range) go along."""

    max_redirections = MOST_REDIRECTS
    max_repeats = 2

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: object, newurl: str
    ) -> Request | None:
        """Return the request for the next address."""
        check_redirect(req.full_url, newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)  # type: ignore[arg-type]


def _opener() -> OpenerDirector:
    # Not build_opener: its file:, ftp: and data: handlers would follow an address there.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        _Redirects(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


@contextmanager
def get(address: str, headers: Mapping[str, str], timeout: float) -> Iterator[HTTPResponse]:
    """Yield the answer to a GET of `address`: status 200 or 206, its body not read.

    Errors of reading the body inside the block are turned into `Failure` as well.

    Args:
        headers: Range and If-Range, where a download goes on.
        timeout: seconds without a byte after which the server counts as gone.

    Raises:
        Failure: no connection, another status, too many or unsafe redirects.
    """
    if offline():
        raise Failure(OFFLINE)
    if urlsplit(address).scheme not in ("http", "https"):
        raise Failure(f"{address[:200]} is neither http nor https")
    # Compressed on the way, the bytes would be other than those whose length is declared.
    sent = {"User-Agent": "relicheck", "Accept-Encoding": "identity", **headers}
    try:
        with _answer(Request(address, headers=sent), timeout) as answer:
            yield answer
    except (HTTPException, OSError) as error:
        raise _failure(error) from error


def _answer(request: Request, timeout: float) -> HTTPResponse:
    try:
        return cast(HTTPResponse, _opener().open(request, timeout=timeout))
    except HTTPError as error:
        with error:
            raise _status(error) from error


def _status(error: HTTPError) -> Failure:
    if error.code == 416:
        return RangeRefused("the server has no such range of the file", temporary=True)
    if 300 <= error.code < 400:
        forbidden = "not allowed" in str(error.reason)  # by urllib: file:, data:
        many = f"redirects in a circle, or more than {MOST_REDIRECTS} times"
        return Failure(f"the server {_ELSEWHERE if forbidden else many}")
    hint = _HINTS.get(error.code, error.reason or "no reason given")
    return Failure(
        f"the server answers {error.code} ({hint})",
        temporary=error.code in _TEMPORARY,
        retry_after=_seconds(error.headers.get("Retry-After")),
    )


def _seconds(retry_after: str | None) -> float | None:
    if retry_after is None:
        return None
    if retry_after.strip().isdigit():
        return float(retry_after)
    try:
        moment = email.utils.parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, moment.timestamp() - time.time())


def _failure(error: Exception) -> Failure:
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, socket.gaierror):
        # Asking again does not help a machine without a network, and nothing was begun.
        return Failure(f"no network, or no such server ({cause.strerror})")
    if isinstance(cause, TimeoutError):
        return Failure("the server stopped sending", temporary=True)
    return Failure(f"the connection failed ({cause or type(cause).__name__})", temporary=True)
