"""Pretrain a ResNet and write it in the common format."""

from pathlib import Path

import click

from ..cli import json_option, print_json


@click.command("pretrain", short_help="Pretrain a backbone by a recipe.")
@click.argument("recipe")
@click.option("--method", help="simclr, byol, relic, relicv2, supervised; random: no training.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The .safetensors file to write.",
)
@click.option("--data", help="Data set or folder of class folders; the recipe's own when absent.")
@click.option("--data-root", type=click.Path(path_type=Path), help="Instead of RELICHECK_DATA.")
@click.option(
    "--set",
    "assignments",
    metavar="KEY=VALUE",
    multiple=True,
    help="Change a field of the config, such as epochs=5 or spec.depth=34. May be repeated.",
)
@click.option("--seed", type=click.IntRange(min=0), help="The config's own when absent.")
@json_option
def COMMAND(
    recipe: str,
    method: str | None,
    output: Path,
    data: str | None,
    data_root: Path | None,
    assignments: tuple[str, ...],
    seed: int | None,
    as_json: bool,
) -> None:
    """Pretrain the backbone of RECIPE (a file of pretrain/configs) on the train split.

    After an interruption the same command goes on where it stopped and ends with the
    same weights. A finished run is not repeated.

    \b
    Example:
      relicheck pretrain digits --method byol --output runs/byol.safetensors
    """
    from ..pretraining import run_recipe

    manifest = run_recipe(
        recipe,
        method,
        output,
        data=data,
        data_root=data_root,
        assignments=assignments,
        seed=seed,
    )
    training = manifest.training or {}
    result = {
        "output": str(output),
        "method": manifest.method,
        "network": manifest.spec.name,
        "images": training.get("images"),
        "epochs": training.get("epochs"),
        "steps": training.get("steps"),
        "final_loss": training.get("final_loss"),
    }
    if as_json:
        print_json(result)
        return
    for key, value in result.items():
        if value is not None:
            shown = f"{value:g}" if isinstance(value, float) else value
            click.echo(f"{key:<14} {shown}")
