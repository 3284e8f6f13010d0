"""Download published checkpoints and lists of labelled images."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..cli import json_option, print_json, say

if TYPE_CHECKING:
    from ...checkpoints.zoo import Published


@click.command("fetch", short_help="Download published checkpoints and label lists.")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option(
    "--to",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Put each under FOLDER/NAME. Default: weights in $RELICHECK_CACHE, else the user's cache.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be downloaded, and to where.")
@json_option
def COMMAND(names: tuple[str, ...], folder: Path | None, dry_run: bool, as_json: bool) -> None:
    """Download the published checkpoints called NAME (`relicheck list checkpoints`).

    An interrupted download goes on with the same command. What arrives is held against
    the hash that the authors publish; where they publish none, its hash is recorded and
    held against what arrives later. With RELICHECK_OFFLINE=1 nothing is downloaded. The
    name is then enough for every other command: relicheck evaluate NAME ...

    SimCLR's lists of labelled images, simclr_imagenet_1percent and
    simclr_imagenet_10percent, are fetched alike, into the folder metadata.

    \b
    Example:
      relicheck fetch byol_resnet50_1x torchvision_resnet50_v1
    """
    from ...checkpoints.errors import RelicheckError
    from ...checkpoints.zoo import read_published
    from ...evaluations.label_lists import LABEL_LISTS

    entries = [
        name if name in LABEL_LISTS else read_published(name) for name in dict.fromkeys(names)
    ]
    results: list[dict[str, Any]] = []
    failed: list[RelicheckError] = []
    for entry in entries:
        try:
            if isinstance(entry, str):
                result = _list_facts(entry, folder) if dry_run else _fetch_list(entry, folder)
            else:
                result = _facts(entry, folder) if dry_run else _fetch(entry, folder)
        except RelicheckError as error:
            # The others may be on servers that answer.
            failed.append(error)
            continue
        results.append(result)
        if not as_json:
            click.echo("\n".join(_lines(result) if dry_run else [_line(result)]))
    if as_json:
        print_json(results)
    for failure in failed[:-1]:
        say(f"relicheck: {failure}")
    if failed:
        raise failed[-1]


def _fetch(entry: "Published", folder: Path | None) -> dict[str, Any]:
    from ...checkpoints.fetch import fetch

    facts = _facts(entry, folder)
    if not facts["here"]:
        say(f"{entry.name}: {entry.title}, {facts['size']}, licence {facts['licence']}")
    fetched = fetch(entry, folder, say=say)
    return {
        **facts,
        "here": True,
        "new": fetched.new,
        "path": str(fetched.path),
        "sha256": fetched.sha256,
        "bytes": fetched.bytes,
    }


def _facts(entry: "Published", folder: Path | None) -> dict[str, Any]:
    from ...checkpoints.cache import weight_folders
    from ...checkpoints.drive import direct
    from ...checkpoints.fetch import target_of
    from ...checkpoints.zoo import locate_published

    here = locate_published(entry, [folder] if folder else weight_folders())
    terms = ": non-commercial use only" if entry.non_commercial else ""
    return {
        "name": entry.name,
        "title": entry.title,
        "addresses": [direct(address) for address in entry.addresses],
        "path": str(here or target_of(entry, folder)),
        "here": here is not None,
        "size": entry.size or "size not stated",
        "licence": entry.licence + terms,
        "check": entry.check,
        "note": entry.note or entry.refused,
    }


def _fetch_list(name: str, folder: Path | None) -> dict[str, Any]:
    from ...checkpoints.files import sha256_of_file
    from ...evaluations.fetch_lists import fetch_list

    path, new = fetch_list(name, folder, say=say)
    facts = {**_list_facts(name, folder), "here": True, "new": new, "path": str(path)}
    return {**facts, "sha256": sha256_of_file(path), "bytes": path.stat().st_size}


def _list_facts(name: str, folder: Path | None) -> dict[str, Any]:
    from ...evaluations.fetch_lists import located, target_of
    from ...evaluations.label_lists import LABEL_LISTS

    known, here = LABEL_LISTS[name], located(name, folder)
    return {
        "name": name,
        "title": f"SimCLR's {known.file}, names of {known.images:,} training images of ImageNet",
        "addresses": [known.address],
        "path": str(here or target_of(name, folder)),
        "here": here is not None,
        "size": "",
        "licence": "Apache-2.0",
        "check": f"SHA-256 {known.sha256}",
        "note": "",
    }


def _lines(facts: dict[str, Any]) -> list[str]:
    lines = [f"{facts['name']}: {facts['title']}"]
    lines += [f"  from     {address}" for address in facts["addresses"]]
    lines.append(f"  {'is at' if facts['here'] else 'to   '}    {facts['path']}")
    for key in ("size", "licence", "check", "note"):
        if facts[key]:
            lines.append(f"  {key:<8} {facts[key]}")
    return lines


def _line(result: dict[str, Any]) -> str:
    done = "fetched" if result["new"] else "was here"
    return f"{result['name']}  {done}  {result['bytes'] / 1e6:,.1f} MB  {result['path']}"
