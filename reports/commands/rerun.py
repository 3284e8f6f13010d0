"""Run a record again from itself."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..cli import json_option, print_json

if TYPE_CHECKING:
    from ..rerun import Rerun

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("rerun", short_help="Measure a record again, and say what differs.")
@click.argument("record")
@click.option("--records", type=_FOLDER, default=Path("runs/records"), show_default=True,
              help="Where RECORD is, if it is an id.")  # fmt: skip
@click.option("--checkpoint", metavar="FILE", help="Where its weights are now.")
@click.option("--predictions", type=click.Path(path_type=Path, dir_okay=False),
              help="Where its file of predictions is now.")  # fmt: skip
@click.option("--data", help="Its data set or folder, where that has another name now.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Where data sets are now.")
@click.option("--cache", type=_FOLDER, help="Folder of cached features. Default: none is used, "
              "so that images are decoded again.")  # fmt: skip
@json_option
def COMMAND(
    record: str,
    records: Path,
    checkpoint: str | None,
    predictions: Path | None,
    data: str | None,
    data_root: Path | None,
    cache: Path | None,
    as_json: bool,
) -> int:
    """Measure RECORD, a file or an id, again from what it says of itself.

    Exit code 0: the same number from the same weights, data and protocol, whatever else
    differs (packages, device, code: listed); 1: another number, or other weights, data or
    protocol, named; with other weights nothing is measured; 2: it cannot be run again, or
    it was edited.

    \b
    Example:
      relicheck rerun 6f5e16de580b35ee --records runs/records
    """
    from ..rerun import rerun
    from ..scored import record_file

    done = rerun(
        record_file(record, records),
        checkpoint=checkpoint,
        predictions=predictions,
        data=data,
        data_root=data_root,
        cache=cache,
    )
    if as_json:
        print_json(_facts(done))
    else:
        click.echo(_text(done))
    return 0 if done.repeated else 1


def _text(done: "Rerun") -> str:
    record, again = done.record, done.again
    what = f"{record.metric} {record.condition}".rstrip()
    lines = [
        f"{record.id}: {what} of {record.dataset} ({record.split}), {record.subject}, "
        f"{record.protocol}, seed {record.seed}",
        f"then  {record.value!r} {record.unit}, {record.images:,} images",
        "now   not measured" if again is None
        else f"now   {again.value!r} {again.unit}, {again.images:,} images",
    ]  # fmt: skip
    lines += [
        f"{'input' if item.input else 'differs'}  {item.what}: {item.then} -> {item.now}"
        for item in done.differences
    ]
    if done.answers_changed:
        lines.append(f"{done.answers_changed:,} images are answered otherwise.")
    return "\n".join([*lines, _verdict(done)])


def _verdict(done: "Rerun") -> str:
    if done.again is None:
        return "Another measurement: what is marked as input is not the record's."
    if done.repeated:
        return "The same number."
    if done.same_number:
        return "The same number, though of other inputs."
    gap = done.again.value - done.record.value
    known = "" if done.differences else ", and nothing known differs: it does not repeat itself"
    return f"Another number: {gap:+.6g} {done.record.unit}{known}."


def _facts(done: "Rerun") -> dict[str, object]:
    from dataclasses import asdict

    return {
        "record": done.record.id,
        "then": done.record.value,
        "now": None if done.again is None else done.again.value,
        "same_number": done.same_number,
        "repeated": done.repeated,
        "answers_changed": done.answers_changed,
        "differences": [asdict(item) for item in done.differences],
    }
