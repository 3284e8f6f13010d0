"""Look claims up."""

import click

from ..cli import json_option, print_json


@click.group("claims", invoke_without_command=True, short_help="List and explain the claims.")
@click.option("--dataset", multiple=True, help="Only on this data set.")
@click.option("--method", multiple=True, help="Only about this method.")
@click.option("--paper", multiple=True, help="Only of this paper or repository.")
@click.option("--confidence", type=click.Choice(["seen", "recalled"]), help="Only these.")
@json_option
@click.pass_context
def COMMAND(
    ctx: click.Context,
    dataset: tuple[str, ...],
    method: tuple[str, ...],
    paper: tuple[str, ...],
    confidence: str | None,
    as_json: bool,
) -> None:
    """List the claims of the registry; `relicheck claims show ID` explains one.

    Claims marked "recalled" were written down from memory: shown, never judged.

    \b
    Examples:
      relicheck claims --paper relicv2 --confidence seen
      relicheck claims show relicv2/objectnet/top1/rn50
    """
    if ctx.invoked_subcommand is not None:
        return
    from ..claim_listing import claim_facts, list_text
    from ..claim_registry import load_claims
    from ..selection import select_claims

    chosen = select_claims(
        load_claims(), dataset=dataset, method=method, paper=paper, confidence=confidence or ()
    )
    if as_json:
        print_json([claim_facts(claim) for claim in chosen])
    else:
        click.echo(list_text(chosen), nl=False)


@COMMAND.command("show")
@click.argument("identifier", metavar="ID")
@json_option
def show(identifier: str, as_json: bool) -> None:
    """Explain one claim: source, protocol, what would settle it, and its margin.

    \b
    Example:
      relicheck claims show relicv2/objectnet/top1/rn50
    """
    from ..claim_listing import claim_facts, explain
    from ..claim_registry import load_claims
    from ..selection import find_claim

    claim = find_claim(load_claims(), identifier)
    if as_json:
        print_json(claim_facts(claim))
    else:
        click.echo(explain(claim), nl=False)
