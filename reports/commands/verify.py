"""Hold claims against measurements."""

from pathlib import Path

import click

from ..cli import cache_bytes, json_option, print_json, say


@click.command("verify", short_help="Judge claims, or say what each of them needs.")
@click.option(
    "--dataset", multiple=True, help="Claims on this data set: objectnet, imagenet-r, ..."
)
@click.option("--method", multiple=True, help="Claims about this method: relicv2, byol, ...")
@click.option("--paper", multiple=True, help="Claims made in this paper or repository.")
@click.option("--claim", "ids", multiple=True, help="One claim by its id; may be repeated.")
@click.option(
    "--checkpoint",
    "checkpoints",
    multiple=True,
    metavar="[NAME=]FILE",
    help="Weights to measure. NAME: a method or a claim's id, where the file does not say it.",
)
@click.option(
    "--predictions",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file of predictions to hold against the claims.",
)
@click.option("--data-root", type=click.Path(path_type=Path), help="Instead of $RELICHECK_DATA.")
@click.option(
    "--records",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs/records"),
    show_default=True,
    help="Where measurements are kept and found again.",
)
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of cached features, to keep and to use instead of images.",
)
@click.option("--cache-size", callback=cache_bytes, metavar="SIZE",
              help="What that folder may hold, such as 50G; what was not used for longest goes "
              "first. Default: no bound.")  # fmt: skip
@click.option("--seed", "seeds", multiple=True, type=int, default=(0,), help="May be repeated.")
@json_option
def COMMAND(
    dataset: tuple[str, ...],
    method: tuple[str, ...],
    paper: tuple[str, ...],
    ids: tuple[str, ...],
    checkpoints: tuple[str, ...],
    predictions: Path | None,
    data_root: Path | None,
    records: Path,
    cache: Path | None,
    cache_size: int | None,
    seeds: tuple[int, ...],
    as_json: bool,
) -> int:
    """Print the claims selected beside what is measured, with a verdict for each.

    What cannot be measured is listed with what is missing and where to get it. Exit code
    0: no claim was contradicted; 1: at least one was (not reproduced, or exceeded: a
    discrepancy either way); 2: wrong use, or data or weights that cannot be used.

    \b
    Examples:
      relicheck verify --dataset objectnet
      relicheck verify --claim byol/imagenet/linear-top1/rn50 --checkpoint byol_r50.safetensors
    """
    from ..verify import verify

    judgements = verify(
        dataset=dataset,
        method=method,
        paper=paper,
        ids=ids,
        checkpoints=dict(_named(text) for text in checkpoints),
        predictions=predictions,
        data_root=data_root,
        records=records,
        cache=cache,
        seeds=seeds,
        cache_bytes=cache_size,
    )
    from ..contradictions import disputes_text
    from ..verified import exit_code, judgements_as_json, reasons_text, summary, table_text

    if as_json:
        print_json(judgements_as_json(judgements))
    else:
        click.echo(table_text(judgements), nl=False)
        click.echo(reasons_text(judgements), nl=False)
        click.echo(disputes_text(judgements), nl=False)
        say(summary(judgements))
    return exit_code(judgements)


def _named(text: str) -> tuple[str, str]:
    name, equals, path = text.rpartition("=")
    return (name, path) if equals else ("", text)
