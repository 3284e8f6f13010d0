"""Pack a claim or a record for somebody who has neither data nor weights."""

from pathlib import Path

import click

from ..cli import json_option, print_json

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("bundle", short_help="Pack a claim with its records into one file.")
@click.argument("what", metavar="CLAIM|RECORD")
@click.option("--output", "-o", type=click.Path(path_type=Path, dir_okay=False), required=True,
              help="The file to write: FILE.zip.")  # fmt: skip
@click.option("--records", type=_FOLDER, default=Path("runs/records"), show_default=True,
              help="Folder that the records are in.")  # fmt: skip
@click.option("--record", "chosen", multiple=True,
              help="With a CLAIM: take this record, by id or file; may be repeated.")  # fmt: skip
@click.option("--claims", type=click.Path(path_type=Path),
              help="Your own claims: a TOML file or a folder of them.")  # fmt: skip
@json_option
def COMMAND(
    what: str,
    output: Path,
    records: Path,
    chosen: tuple[str, ...],
    claims: Path | None,
    as_json: bool,
) -> int:
    """Pack a CLAIM (its id) with the records that speak of it, or one RECORD (id or file).

    The file holds claim, verdict, records with their answers per image, protocols and the
    manifest of the weights, and neither weights nor images. Whoever has it checks it with
    `relicheck check FILE`. Equal contents give equal bytes; the hash printed names them.

    \b
    Example:
      relicheck bundle akamaster/resnet20/cifar10/top1-error -o resnet20.zip
    """
    from ..bundle import bundle_claim, bundle_record, write_bundle
    from ..claim_registry import FOLDER, load_claims
    from ..scored import record_file
    from ..selection import find_claim

    if _is_record(what, records):
        if chosen:
            raise click.UsageError("--record goes with a CLAIM.")
        content = bundle_record(record_file(what, records))
    else:
        claim = find_claim(load_claims(claims if claims is not None else FOLDER), what)
        content = bundle_claim(claim, records, [record_file(name, records) for name in chosen])
    digest = write_bundle(output, content)
    if as_json:
        print_json({"bundle": str(output), "sha256": digest, "bytes": len(content)})
    else:
        click.echo(f"{output}: {len(content):,} bytes, sha256 {digest}")
    return 0


def _is_record(what: str, records: Path) -> bool:
    return what.endswith(".json") or (records / f"{what}.json").is_file()
