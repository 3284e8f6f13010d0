"""Show what a checkpoint file holds, without converting it."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..cli import json_option, print_json

if TYPE_CHECKING:
    from ...checkpoints.inspection import Inspection

_NAMED = 8  # names of a list; --tensors and --json show all


@click.command("inspect", short_help="Show what a checkpoint file holds.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "format_name", help="Upstream format; detected when not named.")
@click.option("--network", help="Of several in FILE: online, target, ema, ...")
@click.option("--tensors", "all_tensors", is_flag=True, help="List every tensor with its shape.")
@json_option
def COMMAND(
    file: Path, format_name: str | None, network: str | None, all_tensors: bool, as_json: bool
) -> None:
    """Show what FILE holds and what `relicheck convert` would make of it.

    Prints the kind of file, the format, the network, tensors, dtypes, hash, training step,
    licence, what would be converted and what dropped. Nothing in FILE is executed, and the
    tensors' values are not read. Exits with 2 where FILE could not be converted.

    \b
    Example:
      relicheck inspect resnet20-12fca82f.th
    """
    from ...checkpoints.inspection import inspect

    found = inspect(file, format_name, network)
    if as_json:
        print_json(asdict(found))
    else:
        _print(file, found, all_tensors)
    if found.problem:
        raise click.exceptions.Exit(2)


def _print(file: Path, found: "Inspection", all_tensors: bool) -> None:
    dtypes = ", ".join(f"{count} {dtype}" for dtype, count in sorted(found.dtypes.items()))
    rows = {
        "file": str(file),
        "kind": found.container,
        "sha256": found.sha256,
        "tensors": f"{found.tensors} ({found.nbytes / 1e6:.1f} MB; {dtypes})",
        "beside them": ", ".join(f"{k} {v}" for k, v in found.facts.items()) or "nothing",
        "format": found.format or "none known",
    }
    if found.manifest:
        spec = found.manifest.spec
        rows |= {
            "network": f"{spec.name}, {spec.stem} stem, {spec.padding} padding",
            "classes": str(found.manifest.classes or "no classifier"),
            "method": found.manifest.method,
            "licence": found.manifest.licence,
        }
    if found.networks:
        rows["networks"] = f"{', '.join(found.networks)} (--network; the first is the default)"
    rows["converted"] = f"{len(found.converted)} tensors"
    rows["dropped"] = _some(found.dropped)
    rows["warnings"] = "; ".join(found.manifest.warnings if found.manifest else ()) or "none"
    for key, value in rows.items():
        click.echo(f"{key:<12} {value}")
    if all_tensors:
        width = max((len(row.name) for row in found.converted), default=0)
        for row in found.converted:
            click.echo(f"  {row.name:<{width}}  {row.dtype:<9} {list(row.shape)}")
    if found.problem:
        click.echo(f"\nrelicheck convert would refuse it:\n{found.problem}")


def _some(names: tuple[str, ...]) -> str:
    more = f", ... ({len(names)} in all)" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) + more) or "nothing"
