"""`relicheck compare`: test whether one checkpoint beats another on the same images."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..cli import json_option, print_json

if TYPE_CHECKING:
    from ..pairwise import Pairwise
    from ..scored import Scored


@click.command("compare", short_help="Test whether one checkpoint beats another.")
@click.argument("first", metavar="FIRST")
@click.argument("second", metavar="SECOND")
@click.option("--data", help="Measure both on this data set or folder. Without: FIRST and SECOND "
              "are ids of records.")  # fmt: skip
@click.option("--evaluators", help="With --data: names, separated by commas. Default: as evaluate.")
@click.option("--from", "origin", type=click.Choice(["checkpoints", "predictions", "published"]),
              default="checkpoints", show_default=True,
              help="With --data, what FIRST and SECOND are: checkpoints, files of predictions, or "
              "models in the published tables of predictions.")  # fmt: skip
@click.option("--records", type=click.Path(path_type=Path), default=Path("runs/records"),
              show_default=True, help="Folder that records are kept in.")  # fmt: skip
@click.option("--cache", type=click.Path(path_type=Path), default=Path("runs/features"),
              show_default=True, help="Folder that features are kept in.")  # fmt: skip
@click.option("--data-root", type=click.Path(path_type=Path),
              help="Folder of data sets. Default: $RELICHECK_DATA, else ./data.")  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), help="Score only so many images.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Of stochastic evaluators.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="EVALUATOR.FIELD=VALUE",
              help="Change a field of a protocol, such as knn.k=10.")  # fmt: skip
@json_option
def COMMAND(first: str, second: str, as_json: bool, **options: Any) -> None:
    """Test whether SECOND is better than FIRST on the same images.

    Prints both accuracies, their difference with its 95 % interval (paired bootstrap over
    images), McNemar's exact p value and a verdict. Several measurements at once are adjusted
    for their number (Holm). Records of other images, protocols or parts are refused.

    \b
    relicheck compare supervised.safetensors relicv2.safetensors --data imagenet
    relicheck compare 3f2a90b1c4d5e6f7 0b1c2d3e4f5a6b7c --records runs/records
    relicheck compare resnet50 resnet101 --data imagenet --from published
    """
    from ..pairwise import compare_all, compare_pair

    if options["data"]:
        both = [_measured(name, options) for name in (first, second)]
        pairs = compare_all(*both)
    else:
        if options["evaluators"] or options["limit"] or options["settings"]:
            raise click.UsageError("--evaluators, --limit and --set go with --data.")
        pairs = [compare_pair(*(_recorded(name, options["records"]) for name in (first, second)))]
    if as_json:
        print_json([pair.as_dict() for pair in pairs])
    else:
        click.echo("\n\n".join(_text(pair) for pair in pairs))


def _recorded(name: str, folder: Path) -> "Scored":
    from ..scored import read_one, record_file

    return read_one(record_file(name, folder))


def _measured(name: str, options: dict[str, Any]) -> "list[Scored]":
    from ..scored import read_one

    folder = options["records"]
    if options["origin"] == "checkpoints":
        records = _evaluated(name, options)
    else:
        records = _predicted(name, options)
    return [read_one(folder / f"{record.id}.json") for record in records]


def _evaluated(name: str, options: dict[str, Any]) -> "list[Any]":
    from ...evaluations.evaluate import evaluate
    from .evaluate import overrides_of

    named = options["evaluators"]
    return list(
        evaluate(
            name,
            options["data"],
            [part.strip() for part in named.split(",")] if named else None,
            records=options["records"],
            data_root=options["data_root"],
            cache=options["cache"],
            seeds=(options["seed"],),
            limit=options["limit"],
            overrides=overrides_of(options["settings"]),
        )
    )


def _predicted(name: str, options: dict[str, Any]) -> "list[Any]":
    if options["evaluators"] or options["limit"] or options["settings"]:
        raise click.UsageError("--evaluators, --limit and --set go with --from checkpoints.")
    if options["origin"] == "published":
        from ...evaluations.published_predictions import evaluate_published

        return list(
            evaluate_published(
                name, options["data"], records=options["records"], root=options["data_root"]
            )
        )
    from .evaluate import predicted

    return list(predicted(Path(name), options["data"], options["records"]))


def _text(pair: "Pairwise") -> str:
    from ..layout import text_table
    from ..pairwise import p_text

    record, counts = pair.first, pair.counts
    where = f"{record.dataset}, {record.split}, {counts.images:,} images"
    heading = f"{record.metric} {record.condition}".rstrip() + f" of {where}, {record.protocol}"
    rows = [
        (side, r.subject, f"{r.value:.2f}", "" if r.standard_error is None
         else f"{r.standard_error:.2f}", r.id)
        for side, r in (("first", pair.first), ("second", pair.second))
    ]  # fmt: skip
    low, high = pair.interval
    lines = [
        heading,
        text_table(("", "Subject", "Percent", "±", "Record"), rows).rstrip(),
        f"both right {counts.both:,}, only first {counts.first_only:,}, "
        f"only second {counts.second_only:,}, neither {counts.neither:,}",
        f"second - first: {pair.difference:+.2f} points, 95 % interval "
        f"{low:+.2f} to {high:+.2f}",
        f"McNemar, two-sided: exact p {p_text(pair.p_exact)}, mid-p {p_text(pair.p_mid)}"
        + (f", adjusted (Holm) {p_text(pair.p_adjusted)}" if pair.p_adjusted != pair.p_exact
           else ""),
        *(f"note: {note}" for note in pair.notes),
        pair.sentence,
    ]  # fmt: skip
    return "\n".join(lines)
