"""Check a bundle without data, weights or GPU."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..cli import json_option, print_json

if TYPE_CHECKING:
    from ..bundle_check import BundleCheck


@click.command("check", short_help="Check a bundle: compute and judge it again.")
@click.argument("bundle", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def COMMAND(bundle: Path, as_json: bool) -> int:
    """Compute the numbers in BUNDLE again from its answers per image, and judge them again.

    Needs no data, no weights, no GPU. Every file is held against its hash, and the claim
    against this version's registry. Exit code 0: all agrees, whatever the verdict is; 1:
    something does not, each thing named; 2: not a bundle, or one that is cut off or changed
    so that it cannot be read.

    \b
    Example:
      relicheck check resnet20.zip
    """
    from ..bundle_check import check_bundle

    found = check_bundle(bundle)
    if as_json:
        print_json(_facts(found))
    else:
        click.echo("\n".join(_lines(found)))
    return 1 if found.disagreements else 0


def _lines(found: "BundleCheck") -> list[str]:
    lines = [f"bundle  {found.path}: {found.files} files, sha256 {found.sha256}"]
    for item in found.records:
        record = item.record
        what = f"{record.metric} {record.condition}".rstrip()
        lines.append(
            f"record  {record.id}: {what} of {record.dataset} ({record.split}), {record.subject}, "
            f"{record.protocol}: says {record.value:.4f} {record.unit}; from the answers to "
            f"{record.images:,} images {item.value:.4f}"
        )
    if found.claim is not None and found.judgement is not None:
        claim, judgement = found.claim, found.judgement
        verdict = str(judgement.verdict).replace("_", " ")
        lines.append(f"claim   {claim.id}: {claim.value} {claim.unit} ({claim.paper})")
        lines.append(f"verdict {verdict}: {judgement.reason}")
    lines += [f"note    {note}" for note in found.notes]
    lines += [f"wrong   {said}" for said in found.disagreements]
    count = len(found.disagreements)
    end = (
        "All agrees."
        if not count
        else f"{count} thing{'s'[: count > 1]} disagree{'s'[count > 1 :]}."
    )
    return [*lines, end]


def _facts(found: "BundleCheck") -> dict[str, object]:
    judgement = found.judgement
    return {
        "bundle": str(found.path),
        "sha256": found.sha256,
        "agrees": not found.disagreements,
        "disagreements": found.disagreements,
        "notes": found.notes,
        "claim": None if found.claim is None else found.claim.id,
        "verdict": None if judgement is None else str(judgement.verdict),
        "reason": None if judgement is None else judgement.reason,
        "records": [
            {"id": item.record.id, "says": item.record.value, "computed": item.value}
            for item in found.records
        ],
    }
