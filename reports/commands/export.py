"""Export a checkpoint of the common format to another library."""

from pathlib import Path

import click

from ..cli import json_option, print_json


@click.command("export", short_help="Export a checkpoint to another library.")
@click.argument("checkpoint", type=click.Path(path_type=Path))
@click.option("--to", "target", required=True, help="torchvision, timm, hugging_face, flax, onnx.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    required=True,
    help="The file to write; for timm and hugging_face a new folder.",
)
@json_option
def COMMAND(checkpoint: Path, target: str, output: Path, as_json: bool) -> None:
    """Export CHECKPOINT, a .safetensors file of the common format, to another library.

    What was written is read back and compared with CHECKPOINT bit for bit. A network that
    the library cannot build (another padding, stem or width) is refused: its weights would
    load and compute something else.

    \b
    Example:
      relicheck export resnet50.safetensors --to hugging_face --output resnet50
    """
    from dataclasses import asdict

    from ...checkpoints.export import export_checkpoint

    result = asdict(export_checkpoint(checkpoint, target, output))
    if as_json:
        print_json(result)
        return
    for key, value in result.items():
        click.echo(f"{key:<14} {'none' if value is None else value}")
