"""`relicheck data`: what is there of the data sets, and whether it is whole."""

from pathlib import Path

import click

from ..cli import json_option, print_json, say

_ROOT = click.option(
    "--data-root", type=click.Path(path_type=Path), help="Instead of $RELICHECK_DATA."
)


@click.group("data", invoke_without_command=True, short_help="Say which data sets are there.")
@_ROOT
@json_option
@click.pass_context
def COMMAND(ctx: click.Context, data_root: Path | None, as_json: bool) -> None:
    """Say which data sets are there, where the others are, and whether one is whole.

    Without a subcommand: the status of all of them.

    \b
    Examples:
      relicheck data status
      relicheck data check objectnet
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(status, names=(), data_root=data_root, as_json=as_json)


@COMMAND.command("status")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@_ROOT
@json_option
def status(names: tuple[str, ...], data_root: Path | None, as_json: bool) -> None:
    """Print for every data set, or those named: there, incomplete or missing.

    Files are counted, not read. What is incomplete is named; what is missing comes with
    the size of its download, its address and how it lies on disk.

    \b
    Example:
      relicheck data status cifar10 objectnet
    """
    from ...evaluations.presence import look_for, look_for_all
    from ..data_text import presence_facts, status_text

    found = [look_for(n, data_root) for n in names] if names else list(look_for_all(data_root))
    if as_json:
        print_json([presence_facts(presence) for presence in found])
    else:
        click.echo(status_text(found, data_root, full=bool(names)), nl=False)


@COMMAND.command("check")
@click.argument("name")
@_ROOT
@click.option("--again", is_flag=True, help="Read even what was found whole before.")
@json_option
def check(name: str, data_root: Path | None, again: bool, as_json: bool) -> int:
    """Decode every image of NAME once: its counts, every corrupt file, its fingerprint.

    The hash of the content is kept, and later evaluations take it as the data's
    fingerprint while the files' sizes and times stay the same. After Ctrl-C the same
    command goes on with the split that was not finished. Exit code 1: not whole.

    \b
    Example:
      relicheck data check cifar10
    """
    from ...evaluations.checking import check as check_data
    from ..data_text import check_facts, split_text

    done = []
    for split in check_data(name, data_root, again):
        done.append(split)
        if not as_json:
            click.echo(split_text(split), nl=False)
    if as_json:
        print_json([check_facts(split) for split in done])
    whole = all(split.good for split in done)
    say(f"{name} is whole." if whole else f"{name} is not whole: no claim can be judged by it.")
    return 0 if whole else 1
