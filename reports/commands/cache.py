"""`relicheck cache`: what features are kept, and their removal."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..cli import cache_bytes, json_option, print_json, say

if TYPE_CHECKING:
    from ...evaluations.cached import Cached


@click.command("cache", short_help="Show and clear the cached features.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--cache", "folder", type=click.Path(path_type=Path), default=Path("runs/features"),
              show_default=True, help="Folder that features are kept in.")  # fmt: skip
@click.option("--clear", is_flag=True, help="Remove what is shown, except what is in use.")
@click.option("--cache-size", callback=cache_bytes, metavar="SIZE",
              help="With --clear: remove only until so much is left, such as 50G; what was not "
              "used for longest goes first.")  # fmt: skip
@json_option
def COMMAND(
    names: tuple[str, ...], folder: Path, clear: bool, cache_size: int | None, as_json: bool
) -> None:
    """Show the features that `evaluate` and `verify` keep; --clear removes them.

    Each NAME chooses: a data set, or the beginning of an entry's name. Without a NAME,
    all are chosen.

    \b
    relicheck cache
    relicheck cache --clear digits
    relicheck cache --clear --cache-size 50G
    """
    from ...evaluations.cached import cached, clear_cached

    if cache_size is not None and not clear:
        raise click.UsageError("--cache-size says how much --clear leaves: add --clear.")
    found = cached(folder, names)
    if not clear:
        if as_json:
            print_json([entry.as_json() for entry in found])
        else:
            click.echo(_table(found, folder))
        return
    removed, kept = clear_cached(found, cache_size)
    if as_json:
        print_json(
            {
                "removed": [entry.as_json() for entry in removed],
                "in_use": [entry.as_json() for entry in kept],
            }
        )
        return
    for entry in kept:
        say(f"{entry.name}: in use, not removed")
    click.echo(f"removed {len(removed)} of {len(found)}: {_size(removed)} of {folder}")


_HEADINGS = ("Entry", "Data set", "Split", "View", "Network", "Images x dim", "Size",
             "Last used", "State")  # fmt: skip


def _table(found: "list[Cached]", folder: Path) -> str:
    if not found:
        return f"Nothing is cached in {folder}."
    rows = [_HEADINGS, *(_row(entry) for entry in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "", f"{len(found)} in {folder}: {_size(found)}"])


def _row(entry: "Cached") -> tuple[str, ...]:
    from ...evaluations.byte_sizes import show_bytes

    shape = f"{entry.images:,} x {entry.dim:,}" if entry.images is not None else "-"
    return (
        entry.name, entry.dataset or "-", entry.split or "-", entry.view, entry.network or "-",
        shape, show_bytes(entry.bytes), entry.last_used or "-", entry.state,
    )  # fmt: skip


def _size(found: "list[Cached]") -> str:
    from ...evaluations.byte_sizes import show_bytes

    return show_bytes(sum(entry.bytes for entry in found))
