"""`relicheck evaluate`: measure checkpoints, or judge a file of predictions."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..cli import cache_bytes, json_option, print_json

if TYPE_CHECKING:
    from ...evaluations.record import Record


@click.command("evaluate", short_help="Measure checkpoints on a data set.")
@click.argument("checkpoints", nargs=-1, metavar="CHECKPOINT...")
@click.option("--data", help="A data set's name, or a folder with train/<class>/, test/<class>/.")
@click.option("--evaluators", help="Names, separated by commas. Default: the checkpoint's "
              "own classifier where it fits the classes, else linear,knn.")  # fmt: skip
@click.option("--records", type=click.Path(path_type=Path), default=Path("runs/records"),
              show_default=True, help="Folder that records are kept in.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path), default=Path("runs/features"),
              show_default=True, help="Folder that features are kept in.")  # fmt: skip
@click.option("--cache-size", callback=cache_bytes, metavar="SIZE",
              help="What that folder may hold, such as 50G; what was not used for longest goes "
              "first. Default: no bound.")  # fmt: skip
@click.option("--precision", type=click.Choice(["float32", "tf32", "bfloat16", "float16"]),
              default="float32", show_default=True,
              help="Of the features' arithmetic. A claim is judged in float32 only.")  # fmt: skip
@click.option("--workers", type=click.IntRange(min=1),
              help="Threads that decode images; no number depends on it.")  # fmt: skip
@click.option("--data-root", type=click.Path(path_type=Path),
              help="Folder of data sets. Default: $RELICHECK_DATA, else ./data.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Score only so many images.")
@click.option("--seed", "seeds", type=click.IntRange(min=0), multiple=True,
              help="Of stochastic evaluators; may be repeated. Default: 0.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="EVALUATOR.FIELD=VALUE",
              help="Change a field of a protocol, such as knn.k=10.")  # fmt: skip
@click.option("--predictions", type=click.Path(path_type=Path),
              help="A .npz or .csv of labels with predictions, top-k or logits.")  # fmt: skip
@click.option("--skip-corrupt", is_flag=True, help="Leave out images that cannot be decoded; no "
              "claim is judged by what is measured so.")  # fmt: skip
@click.option("--dump-config", type=click.Path(dir_okay=False, path_type=Path),
              metavar="FILE", help="Measure nothing: write the configuration that a segmentation "
              "evaluator trains, for mmsegmentation's own tools.")  # fmt: skip
@json_option
def COMMAND(as_json: bool, **options: Any) -> None:
    """Measure CHECKPOINTs on a data set and print the records.

    A CHECKPOINT is a file, a published name (`relicheck list checkpoints`), or raw_pixels,
    the baseline without a network. Finished measurements are found again in --records.

    \b
    relicheck evaluate simclr.safetensors raw_pixels --data digits --evaluators linear,knn
    relicheck evaluate --predictions mine.npz --data imagenet
    """
    if options["dump_config"] is not None:
        _dump(options)
        path = str(options["dump_config"])
        print_json({"config": path}) if as_json else click.echo(path)
        return
    records = _predicted(options) if options["predictions"] else _measured(options)
    if as_json:
        print_json([_as_json(record, options["records"]) for record in records])
    else:
        click.echo(_table(records, options["records"]))


def _dump(options: dict[str, Any]) -> None:
    """Write the configuration of one evaluator on one checkpoint."""
    from ...checkpoints.files import write_text
    from ...evaluations.segmentation.dump import configuration

    named = (options["evaluators"] or "segmentation").split(",")
    if len(options["checkpoints"]) != 1 or len(named) != 1 or not options["data"]:
        raise click.UsageError("--dump-config takes one CHECKPOINT, --data and one evaluator.")
    text = configuration(
        options["checkpoints"][0],
        options["data"],
        named[0].strip(),
        data_root=options["data_root"],
        overrides=overrides_of(options["settings"]),
        seed=(options["seeds"] or (0,))[0],
        limit=options["limit"],
    )
    write_text(options["dump_config"], text)


def _measured(options: dict[str, Any]) -> "list[Record]":
    from ...evaluations.evaluate import evaluate

    if not options["checkpoints"]:
        raise click.UsageError("Name a CHECKPOINT, raw_pixels, or a file with --predictions.")
    if not options["data"]:
        raise click.UsageError("Name a data set with --data, such as --data digits.")
    named = options["evaluators"]
    records: list[Record] = []
    for checkpoint in options["checkpoints"]:
        records += evaluate(
            checkpoint,
            options["data"],
            [name.strip() for name in named.split(",")] if named is not None else None,
            records=options["records"],
            data_root=options["data_root"],
            cache=options["cache"],
            cache_bytes=options["cache_size"],
            precision=options["precision"],
            workers=options["workers"],
            seeds=options["seeds"] or (0,),
            limit=options["limit"],
            overrides=overrides_of(options["settings"]),
            skip_corrupt=options["skip_corrupt"],
        )
    return records


def _predicted(options: dict[str, Any]) -> "list[Record]":
    if options["checkpoints"]:
        raise click.UsageError("Name either a CHECKPOINT or --predictions, not both.")
    return predicted(options["predictions"], options["data"] or "unnamed", options["records"])


def predicted(path: Path, data: str, folder: Path) -> "list[Record]":
    """Return the records of a file of predictions on `data`, kept in `folder`."""
    from ...evaluations.prediction_files import read_predictions
    from ...evaluations.predictions import evaluate_predictions, known_size

    labels, predictions = read_predictions(path)
    expected, classes = known_size(data)
    return evaluate_predictions(
        path,
        path.stem,
        data,
        labels=labels,
        predictions=predictions,
        records=folder,
        expected=expected,
        classes=classes,
    )


def overrides_of(settings: tuple[str, ...]) -> dict[str, object]:
    """Return what `--set EVALUATOR.FIELD=VALUE` says, key to text."""
    pairs = [setting.partition("=") for setting in settings]
    wrong = [setting for setting, pair in zip(settings, pairs, strict=True) if not pair[1]]
    if wrong:
        raise click.UsageError(f"--set {wrong[0]!r}: wanted EVALUATOR.FIELD=VALUE, as in knn.k=10.")
    return {key.strip(): value.strip() for key, _, value in pairs}


def _as_json(record: "Record", folder: Path) -> dict[str, Any]:
    from dataclasses import asdict

    return {"id": record.id, "path": str(folder / f"{record.id}.json"), **asdict(record)}


_HEADINGS = ("Subject", "Evaluator", "Protocol", "Metric", "Value ±", "Images", "Record")


def _table(records: "list[Record]", folder: Path) -> str:
    rows = [_HEADINGS, *(_row(record) for record in records)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
    return "\n".join([*lines, "", f"± is one standard error. Records: {folder}"])


def _row(record: "Record") -> tuple[str, ...]:
    value = f"{record.value:.2f}"
    if record.standard_error is not None:
        value += f" ± {record.standard_error:.2f}"
    images = f"{record.images:,}" + ("" if record.complete else f" of {record.data_images or '?'}")
    metric = f"{record.metric} {record.condition}".rstrip()
    subject = record.subject + (f" #{record.seed}" if record.seed else "")
    return subject, record.evaluator, record.protocol, metric, value, images, record.id
