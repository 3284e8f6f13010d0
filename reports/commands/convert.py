"""Convert a checkpoint of any known format to the common one."""

from pathlib import Path

import click

from ..cli import json_option, print_json

_NAMED = 6  # of a list's names


@click.command("convert", short_help="Convert a checkpoint to the common format.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The .safetensors file to write.",
)
@click.option("--format", "format_name", help="Upstream format; detected when not named.")
@click.option("--network", help="Of several in FILE: online, target, ema, ...")
@click.option("--method", help="What trained it, for the manifest: byol, simclr, supervised, ...")
@click.option("--source", help="Where the file comes from, for the manifest.")
@click.option("--licence", help="Its licence, for the manifest.")
@json_option
def COMMAND(
    file: Path,
    output: Path,
    format_name: str | None,
    network: str | None,
    method: str | None,
    source: str | None,
    licence: str | None,
    as_json: bool,
) -> None:
    """Convert FILE to the common format, and prove that it computes the same.

    The network is read from the tensors (depth, width, stem, shortcuts); nothing in FILE
    is executed. Every tensor must fit: nothing missing, nothing left over but the heads
    that the result lists as dropped.

    \b
    Example:
      relicheck convert resnet20-12fca82f.th --output resnet20.safetensors
    """
    from ...checkpoints.convert import convert

    named = {"method": method, "source": source, "licence": licence}
    facts = {key: value for key, value in named.items() if value is not None}
    manifest = convert(file, output, format_name, facts, network)
    training = manifest.training or {}
    result = {
        "output": str(output),
        "network": manifest.spec.name,
        "format": training.get("format", "common"),
        "network_chosen": training.get("network"),
        "padding": manifest.spec.padding,
        "classes": manifest.classes,
        "dropped": training.get("dropped", []),
        "source_sha256": manifest.source_sha256,
        "licence": manifest.licence,
        "warnings": list(manifest.warnings),
    }
    if as_json:
        print_json(result)
        return
    for key, value in result.items():
        click.echo(f"{key.replace('_', ' '):<14} {_shown(value)}")


def _shown(value: object) -> str:
    if not isinstance(value, list):
        return "-" if value is None else str(value)
    more = f", ... ({len(value)} in all; --json lists them)" if len(value) > _NAMED else ""
    return (", ".join(value[:_NAMED]) + more) or "nothing"
