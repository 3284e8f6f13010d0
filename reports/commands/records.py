"""Check and join folders of records."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..cli import json_option, print_json, say

if TYPE_CHECKING:
    from ..folder_check import FolderCheck

_FOLDER = click.Path(path_type=Path, file_okay=False)
_DEFAULT = Path("runs/records")
_HEADING = ("Record", "Subject", "Data", "Protocol", "Metric", "Value")


@click.group(
    "records", invoke_without_command=True, short_help="List records, and check them for edits."
)
@click.option("--records", type=_FOLDER, default=_DEFAULT, show_default=True, help="List these.")
@json_option
@click.pass_context
def COMMAND(context: click.Context, records: Path, as_json: bool) -> None:
    """List a folder of records, oldest first; with a command, check it or add to it.

    Every record carries a hash of its content, and the folder's journal chains them.

    \b
    Examples:
      relicheck records --records runs/records
      relicheck records check runs/records
    """
    if context.invoked_subcommand is not None:
        return
    from ...evaluations.record import fields_of
    from ..layout import text_table
    from ..scored import read_scored

    found = [item.record for item in read_scored(records)]
    if as_json:
        print_json([{"id": record.id, **fields_of(record)} for record in found])
        return
    rows = [
        (
            record.id, record.subject, f"{record.dataset} ({record.split})", record.protocol,
            f"{record.metric} {record.condition}".rstrip(), f"{record.value:.2f} {record.unit}",
        )
        for record in found
    ]  # fmt: skip
    click.echo(text_table(_HEADING, rows), nl=False)


@COMMAND.command("check")
@click.argument("folder", type=_FOLDER, default=_DEFAULT)
@click.option("--head", metavar="HASH", help="The journal's head as it was noted elsewhere.")
@json_option
def check(folder: Path, head: str | None, as_json: bool) -> int:
    """Name every edited number, removed record and exchanged file of answers in FOLDER.

    Each record is held against its content's hash, the journal of the folder, the answers
    per image beside it and the number that they give. Who rewrites all of these is found
    by --head alone: this command prints it, and it is worth noting where others see it.
    Exit code 0: all is as it was written; 1: something is not; 2: no such folder.

    \b
    Example:
      relicheck records check runs/records
    """
    from ..folder_check import check_folder

    found = check_folder(folder, head)
    if as_json:
        print_json(_facts(found))
    else:
        for finding in found.findings:
            click.echo(f"{finding.kind:<8} {finding.name}: {finding.said}")
        click.echo(_summary(found))
        _say_notes(found)
    return 1 if found.findings else 0


@COMMAND.command("add")
@click.argument("files", type=click.Path(path_type=Path, dir_okay=False), nargs=-1, required=True)
@click.option("--records", type=_FOLDER, default=_DEFAULT, show_default=True, help="Add them here.")
def add(files: tuple[Path, ...], records: Path) -> None:
    """Copy record FILES with what lies beside them to a folder, and into its journal.

    Each is checked before; a file that is not a whole record stops the command, and what
    came before it is added. Files that were copied by hand are entered by naming them.

    \b
    Example:
      relicheck records add elsewhere/*.json --records runs/records
    """
    from ...evaluations.per_image import CORRECT
    from ...evaluations.record import read_beside, read_record, write_record
    from ..records import check_kept

    for file in files:
        record = read_record(file)
        check_kept(file.parent, record)
        arrays = read_beside(file)
        write_record(records, record, arrays.pop(CORRECT, None), arrays)
        click.echo(f"{record.id}: {record.metric} {record.value:.2f} of {record.subject}")


def _summary(found: "FolderCheck") -> str:
    count = f"{found.records:,} record" + ("" if found.records == 1 else "s")
    bad = len(found.findings)
    verdict = (
        "all as they were written" if not bad else f"{bad} thing{'s'[: bad > 1]} not as written"
    )
    return (
        f"{found.folder}: {count}, {found.entered:,} in the journal, {found.recomputed:,} with "
        f"answers per image; {verdict}.\nhead {found.head}"
    )


_MOST_NAMED = 5


def _say_notes(found: "FolderCheck") -> None:
    def listed(names: tuple[str, ...]) -> str:
        more = len(names) - _MOST_NAMED
        return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")

    if found.not_entered:
        say(
            f"Not in the journal, so copied here or written by hand: {listed(found.not_entered)}. "
            "relicheck records add enters them."
        )
    if found.strays:
        say(f"Belong to no record: {listed(found.strays)}.")


def _facts(found: "FolderCheck") -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(found), "folder": str(found.folder)}
