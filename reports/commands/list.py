"""List what is registered."""

import click

from ..cli import json_option, print_json

_SHOWN = 20  # of a kind, when everything is listed: there are over a thousand claims


@click.command("list", short_help="List what is registered.")
@click.argument("kind", required=False)
@json_option
def COMMAND(kind: str | None, as_json: bool) -> None:
    """List the registered names of KIND, one line each; without KIND, of every kind.

    KIND is one of methods, configs, formats, exports, checkpoints, datasets,
    evaluators, claims, tables.

    \b
    Example:
      relicheck list evaluators
    """
    from ..listing import entries, kinds

    found = {name: entries(name) for name in ([kind] if kind else kinds())}
    if as_json:
        print_json(
            {
                name: [{"name": e.name, "description": e.description} for e in listed]
                for name, listed in found.items()
            }
        )
        return
    for name, listed in found.items():
        shown = listed if kind else listed[:_SHOWN]
        width = max((len(entry.name) for entry in shown), default=0)
        click.echo(f"{name} ({len(listed)})")
        for entry in shown:
            click.echo(f"  {entry.name:<{width}}  {entry.description}".rstrip())
        if len(shown) < len(listed):
            click.echo(f"  ... and {len(listed) - len(shown)} more: relicheck list {name}")
        if not kind:
            click.echo()
