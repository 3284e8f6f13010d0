"""What is there of the data sets, for people and for programs."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..evaluations.checking import SplitCheck
from ..evaluations.presence import Presence, roots_text

_NAMED_FILES = 3  # of those lacking, in the table; all of them where a data set is named
_NAMED_CORRUPT = 20


def status_text(found: Sequence[Presence], root: Path | None, full: bool = False) -> str:
    """Return one line per data set, its address and layout where it is not there.

    Args:
        found: what was looked for.
        root: where it was looked for; None: the data roots.
        full: say everything of each, whatever its state.
    """
    width = max(len(presence.name) for presence in found)
    lines = []
    for presence in found:
        size = "" if presence.state == "shipped" else size_text(presence.bytes)
        line = f"{presence.name:<{width}}  {presence.state:<10}  {size:>7}"
        lines.append(f"{line}  {_where(presence, full)}".rstrip())
        if full and presence.state != "shipped":
            others = presence.layouts if presence.state == "missing" else ()
            lines.append(f"  layout   {presence.layout}")
            lines += [f"  or       {other}" for other in others if other != presence.layout]
            lines.append(f"  address  {presence.address}")
    counts = {s: sum(p.state == s for p in found) for s in ("there", "incomplete", "missing")}
    summary = ", ".join(f"{count} {state}" for state, count in counts.items())
    lines += ["", f"{summary}; looked under {roots_text(root)}. Sizes are of the downloads."]
    return "\n".join(lines) + "\n"


def _where(presence: Presence, full: bool) -> str:
    if presence.state == "missing":
        return presence.address
    if presence.state == "shipped":
        return f"comes with a dependency: {presence.address}"
    shown = presence.lacking if full else presence.lacking[:_NAMED_FILES]
    needed = [str(lack) for lack in shown if lack.needed]
    if presence.state == "incomplete":
        more = len(presence.lacking) - len(shown)
        rest = f" and {more} more" if more else ""
        return f"{presence.where} lacks {', '.join(needed)}{rest}; {presence.address}"
    optional = ", ".join(str(lack) for lack in presence.optional)
    return f"{presence.where}" + (f" (not there, not scored: {optional})" if optional else "")


def size_text(size: int) -> str:
    """Return bytes as people say them, in powers of 1000: `6.4 GB`.

    >>> size_text(170_052_171)
    '170 MB'
    """
    shown, unit = float(size), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if shown < 1000:
            break
        shown, unit = shown / 1000, larger
    return f"{shown:.0f} {unit}" if shown >= 100 or unit == "B" else f"{shown:.1f} {unit}"


def presence_facts(presence: Presence) -> dict[str, Any]:
    """Return a presence as JSON holds it."""
    return {**asdict(presence), "lacking": [asdict(lack) for lack in presence.lacking]}


def split_text(check: SplitCheck) -> str:
    """Return what one split's check has shown, a corrupt file a line."""
    if check.problem:
        return f"{check.split}: cannot be opened. {check.problem}\n"
    wanted = "" if check.expected is None else f" of {check.expected:,}"
    count = f"{check.images:,}{wanted} images"
    if not check.corrupt:
        seen = ", unchanged since they were read" if check.remembered else ", all decoded"
        return f"{check.split}: {count}{seen}; {check.fingerprint}\n"
    named = [f"  {bad.identity}: {bad.reason}" for bad in check.corrupt[:_NAMED_CORRUPT]]
    if len(check.corrupt) > _NAMED_CORRUPT:
        named.append(f"  ... and {len(check.corrupt) - _NAMED_CORRUPT} more: --json lists all")
    return "\n".join([f"{check.split}: {count}, {len(check.corrupt)} corrupt:", *named]) + "\n"


def check_facts(check: SplitCheck) -> dict[str, Any]:
    """Return a split's check as JSON holds it."""
    return {**asdict(check), "good": check.good}
