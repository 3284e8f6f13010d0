"""Addresses people are given in place of a file's own, and the pages behind them."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlencode, urlsplit

_DRIVE = re.compile(r"https://drive\.google\.com/(?:file/d/|(?:open|uc)\?(?:.*&)?id=)([\w-]+)")
_DOWNLOAD = "https://drive.usercontent.google.com/download"
_BUCKETS = ("gs://", "https://storage.cloud.google.com/")
_QUOTA = ("quota exceeded", "too many users have viewed or downloaded", "download quota")


def direct(address: str) -> str:
    """Return the address of the file itself.

    Google's buckets are offered as gs://BUCKET/... or through the console, both of which
    want an account; public ones are at storage.googleapis.com/BUCKET/... too. A link to
    a page of Google Drive names a file's id, which its download server takes.
    """
    for bucket in _BUCKETS:
        if address.startswith(bucket):
            return "https://storage.googleapis.com/" + address.removeprefix(bucket)
    if found := _DRIVE.match(address):
        query = {"id": found[1], "export": "download", "confirm": "t"}
        return f"{_DOWNLOAD}?{urlencode(query)}"
    return address


def name_in(address: str) -> str:
    """Return the file name that an address ends in."""
    return unquote(urlsplit(address).path).rpartition("/")[2]


def is_page(content_type: str, first: bytes) -> bool:
    """Return whether an answer that begins with `first` is a page for people, no checkpoint.

    What the server calls it decides only between texts: servers call checkpoints what
    they like, and pages too.
    """
    opening = first.lstrip(b"\xef\xbb\xbf \t\r\n")[:64].lower()
    if opening.startswith((b"<!doctype html", b"<html", b"<head", b"<?xml")):
        return True
    return content_type.lower().startswith("text/html") and b"\0" not in first


def reason_of(page: str) -> str:
    """Return what a page that came in place of a file says, in a few words."""
    text = page.lower()
    if any(words in text for words in _QUOTA):
        return "Google Drive's page that too many people downloaded the file lately: try tomorrow"
    if "virus" in text and "scan" in text:
        return "Google Drive's page that asks whether to download without a virus scan"
    if "accounts.google.com" in text or "sign in" in text:
        return "a page that asks for an account"
    title = re.search(r"<title[^>]*>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    shown = re.sub(r"\s+", " ", title[1]).strip()[:80] if title else ""
    return f"a web page ({shown})" if shown else "a web page"


def confirmed(page: str, asked: str) -> str | None:
    """Return the address behind the "Download anyway" button of Google Drive's page.

    Its form (id `download-form`) holds the file's id, a confirmation and a token of the
    session as hidden fields. None where there is no such form, or where it leads to another
    server than the one that was `asked`.
    """
    form = _Form()
    form.feed(page)
    if form.action is None or urlsplit(form.action)[:2] != urlsplit(asked)[:2]:
        return None
    return f"{form.action}?{urlencode(form.fields)}"


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the form's address and its hidden fields."""
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and found.get("id") == "download-form":
            self.action = found.get("action")
        elif tag == "input" and self.action is not None and found.get("type") == "hidden":
            self.fields[found.get("name", "")] = found.get("value", "")
