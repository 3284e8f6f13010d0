"""Look claims up."""

from pathlib import Path

import click

from ..cli import json_option, print_json, say


@click.group("claims", invoke_without_command=True, short_help="List and explain the claims.")
@click.option("--dataset", multiple=True, help="Only on this data set.")
@click.option("--method", multiple=True, help="Only about this method.")
@click.option("--paper", multiple=True, help="Only of this paper or repository.")
@click.option("--confidence", type=click.Choice(["seen", "recalled"]), help="Only these.")
@click.option(
    "--status",
    multiple=True,
    type=click.Choice(
        [
            "measurable", "unmeasurable", "recalled", "disputed", "reproduced",
            "not_reproduced", "exceeds", "inconclusive", "protocol_dependent", "consistent",
            "invalid",
        ]
    ),
    help="Only these; a verdict needs --records. Disputed: part of a contradiction.",
)  # fmt: skip
@click.option(
    "--records",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of records: the status of a claim measured there is its verdict.",
)
@json_option
@click.pass_context
def COMMAND(
    ctx: click.Context,
    dataset: tuple[str, ...],
    method: tuple[str, ...],
    paper: tuple[str, ...],
    confidence: str | None,
    status: tuple[str, ...],
    records: Path | None,
    as_json: bool,
) -> None:
    """List the claims of the registry; `relicheck claims show ID` explains one.

    Claims marked "recalled" were written down from memory: shown, never judged.

    \b
    Examples:
      relicheck claims --paper relicv2 --confidence seen
      relicheck claims --dataset objectnet --status measurable
      relicheck claims show relicv2/objectnet/top1/rn50
    """
    if ctx.invoked_subcommand is not None:
        return
    from ..claim_listing import claim_facts, list_text
    from ..claim_registry import load_claims
    from ..claim_status import check_needs_records, judged_by_claim, with_status
    from ..proportion import reproduced
    from ..selection import select_claims

    check_needs_records(status, records)
    claims = load_claims()
    judged = judged_by_claim(records, claims) if records is not None else {}
    chosen = with_status(
        select_claims(
            claims, dataset=dataset, method=method, paper=paper, confidence=confidence or ()
        ),
        status,
        judged,
    )
    if as_json:
        print_json([claim_facts(claim, judged.get(claim.id, ())) for claim in chosen])
        return
    click.echo(list_text(chosen, judged), nl=False)
    shown = [judgement for claim in chosen for judgement in judged.get(claim.id, ())]
    share = reproduced(shown)
    say(f"{len(chosen):,} of {len(claims):,} claims." + (f" {share.sentence}." if shown else ""))


@COMMAND.command("show")
@click.argument("identifier", metavar="ID")
@json_option
def show(identifier: str, as_json: bool) -> None:
    """Explain one claim: source, protocol, cost, margin, power, and what contradicts it.

    ID may be shortened as long as it means one claim: relicv2/objectnet.

    \b
    Example:
      relicheck claims show relicv2/objectnet/top1/rn50
    """
    from ..claim_listing import explain, explained_facts
    from ..claim_registry import load_claims
    from ..selection import find_claim

    claim = find_claim(load_claims(), identifier)
    if as_json:
        print_json(explained_facts(claim))
    else:
        click.echo(explain(claim), nl=False)


@COMMAND.command("contradictions")
@json_option
def contradictions(as_json: bool) -> None:
    """List where the sources contradict each other, with the arithmetic that shows it.

    \b
    Example:
      relicheck claims contradictions
    """
    from ..contradictions import contradictions_text, load_contradictions

    found = load_contradictions()
    if as_json:
        print_json([contradiction.as_dict() for contradiction in found])
    else:
        click.echo(contradictions_text(found).rstrip("\n"))


@COMMAND.command("lint")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
def lint_command(file: Path | None, as_json: bool) -> int:
    """Check a FILE or folder of claims; without one, the registry and its contradictions.

    Every error is listed, not the first alone. Exit code 2: there are errors, and the file
    would be refused; 0: none, whatever the warnings.

    \b
    Example:
      relicheck claims lint our_claims.toml
    """
    from ..claim_lint import lint
    from ..claim_registry import FOLDER

    found = lint(FOLDER if file is None else file)
    if as_json:
        print_json(
            {
                "claims": [claim.id for claim in found.claims],
                "findings": [finding.as_dict() for finding in found.findings],
            }
        )
    else:
        for finding in found.findings:
            click.echo(f"{finding.level}: {finding.text}")
        click.echo(found.sentence)
    return 2 if found.errors else 0
