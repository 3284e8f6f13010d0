"""Run the whole line once, on real images, in minutes."""

from pathlib import Path

import click

from ..cli import json_option, print_json


@click.command("demo", short_help="Run the whole line once, on real images, in minutes.")
@click.option(
    "--data",
    default="digits",
    show_default=True,
    help="A data set's name (relicheck list datasets) or a folder with train/ and test/, each "
    "with one folder of images per class.",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("relicheck-demo"),
    show_default=True,
    help="Folder for checkpoints, records and the report.",
)
@click.option("--data-root", type=click.Path(path_type=Path), help="Instead of RELICHECK_DATA.")
@click.option(
    "--epochs",
    type=click.FloatRange(min=0, min_open=True),
    help="Instead of the recipe's own.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Networks worked on at the same time; the number of cores when not given.",
)
@json_option
def COMMAND(
    data: str,
    output: Path,
    data_root: Path | None,
    epochs: float | None,
    seed: int,
    jobs: int | None,
    as_json: bool,
) -> int:
    """Pretrain five small ResNets, measure them beside two baselines, write a report.

    SimCLR, BYOL, ReLIC, ReLICv2 and the supervised baseline are pretrained in JAX, exported
    to the common format, and measured in torch by linear, k-NN and low-label evaluation and
    under corruption, beside a randomly initialised backbone and raw pixels. What a run has
    finished is kept: after an interruption the same command goes on from there.

    Exit code 1: a method did not beat the random backbone by more than the interval.

    \b
    Example:
      relicheck demo --output relicheck-demo
    """
    from ..demo import Demo, run_demo

    demo = Demo(data=data, output=output, data_root=data_root, epochs=epochs, seed=seed)
    result = run_demo(demo, jobs)
    if as_json:
        print_json(result.as_dict())
    else:
        click.echo(result.text)
    return 0 if result.comparison.every_method_beats_the_baseline else 1
