"""The page from its templates, styles and scripts, all of them in one file."""

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from .content import page_content
from .report import Report

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent
STYLES = ("page.css", "claims.css", "figures.css", "print.css")
# The first runs in the head: the choice of light or dark must be made before anything is drawn.
FIRST_SCRIPT, SCRIPTS = "theme.js", ("details.js", "claims.js")


def render_page(report: Report) -> str:
    """Return the page; the same report gives the same bytes.

    Everything that comes from a record or a claim is escaped. A content security policy in
    the page names its own style and scripts by their hashes and forbids everything else: a
    script that came in with a name would not run, and nothing is loaded from anywhere.

    Raises:
        ModuleNotFoundError: jinja2 is not installed.
    """
    from markupsafe import Markup

    style = "\n".join(_read(name) for name in STYLES)
    first = _read(FIRST_SCRIPT)
    last = "\n".join(_read(name) for name in SCRIPTS)
    content = page_content(report)
    return (
        _environment()
        .get_template("page.html")
        .render(
            **content,
            style=Markup(style),
            first_script=Markup(first),
            last_script=Markup(last) if content["claim_data"] else "",
            policy=_policy(style, first, last),
        )
    )


def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _policy(style: str, *scripts: str) -> str:
    allowed = " ".join(map(_digest, scripts))
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {allowed}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
