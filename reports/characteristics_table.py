"""The committed table of how often a verdict errs, beside two rules in common use."""

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from .characteristics import (
    DRAWS,
    PROBE,
    SCENARIOS,
    Characteristics,
    TableErrors,
    characteristics,
    table_errors,
)
from .layout import csv_table, markdown_table
from .power import power

_TABLE_CLAIMS = 24
_WIDEST = replace(PROBE, name="widest", deviation=0.2)

_HEADER = (
    "Claim measured again", "Margin", "Deviation a seed", "Seeds", "Spread from",
    "Reproduced (%)", "Inconclusive (%)", "False discrepancy (%)", "5 % rule (%)",
    "Binomial rule (%)",
)  # fmt: skip
_AT_MARGIN = (
    "Claim measured again", "Seeds", "Spread from", "False reproduced (%)", "5 % rule (%)",
    "Binomial rule (%)",
)  # fmt: skip

_INTRODUCTION = f"""\
Simulated, {DRAWS:,} verifications a row; the rule is the one that `relicheck verify` calls
(`reports/decision.py`), the numbers are percents of whole images, the claim is rounded to one
decimal. Two bounds, which the tests hold: *false reproduced* at the margin at most 5 %, *false
discrepancy* (not reproduced, or exceeds) of an honest re-run at most 1 %. The rows "Beyond its
assumptions" show what the bounds rest on and where they end.

![By true difference: how often each rule says reproduced](operating_characteristics.svg)

Two other rules see the same draws. *5 % rule*: reproduced if within 5 % of the claimed number,
relatively; it calls everything here reproduced. *Binomial rule*: reproduced if within the 95 %
interval of the claimed share over the test images, as if they had been drawn anew. They are the
same images, so it is far too wide on a small test set and blind to seeds on a large one.
"""


def characteristics_table() -> tuple[str, str]:
    """Return the study as Markdown and CSV: the same on every machine."""
    rows = [characteristics(scenario) for scenario in SCENARIOS]
    parts = [
        _INTRODUCTION,
        "## Exactly at the margin: how often is a claim that fails called reproduced?\n",
        markdown_table(_AT_MARGIN, [_margin_row(row) for row in rows]),
        "## An honest re-run: how often is a claim that holds called a discrepancy?\n\n"
        "The claimed number is itself one run of the same procedure, with the same deviation.\n",
        markdown_table(_HEADER, [_honest_row(row) for row in rows]),
        f"## A table of {_TABLE_CLAIMS} claims that all hold: how often does it show a "
        "discrepancy?\n\nThree seeds each, independent claims.\n",
        markdown_table(
            ("Truth of each claim", "Each verdict alone (%)", "After Holm (%)"),
            [_table_row(errors, where) for errors, where in _tables()],
        ),
        "## How many seeds decide\n\n"
        "Probability that an honest re-run is called reproduced, by integration "
        "(`reports/power.py`), the claim printed to one decimal, the spread from these seeds.\n",
        markdown_table(*_power_rows()),
    ]
    return "\n".join(parts), _csv(rows)


@lru_cache(maxsize=1)
def _tables() -> tuple[tuple[TableErrors, str], ...]:
    return (
        (table_errors(PROBE, _TABLE_CLAIMS, "margin"), "exactly at the margin, deviation 0.1"),
        (table_errors(_WIDEST, _TABLE_CLAIMS, "margin"), "exactly at the margin, deviation 0.2"),
        (table_errors(PROBE, _TABLE_CLAIMS, "honest"), "an honest re-run, deviation 0.1"),
        (table_errors(_WIDEST, _TABLE_CLAIMS, "honest"), "an honest re-run, deviation 0.2"),
    )


def _table_row(errors: TableErrors, where: str) -> tuple[str, ...]:
    return where, f"{errors.alone:.1f}", f"{errors.with_holm:.1f}"


def _margin_row(row: Characteristics) -> tuple[str, ...]:
    scenario = row.scenario
    return (
        scenario.name,
        str(scenario.seeds),
        scenario.spread_from,
        f"{row.false_reproduced:.1f}",
        f"{row.false_reproduced_relative:.1f}",
        _share(row.false_reproduced_binomial, 1),
    )


def _honest_row(row: Characteristics) -> tuple[str, ...]:
    scenario = row.scenario
    return (
        scenario.name,
        f"{scenario.margin:g}",
        f"{scenario.deviation:g}",
        str(scenario.seeds),
        scenario.spread_from,
        f"{row.reproduced:.1f}",
        f"{row.inconclusive:.1f}",
        f"{row.false_discrepancy:.2f}",
        f"{row.false_discrepancy_relative:.2f}",
        _share(row.false_discrepancy_binomial, 2),
    )


def _share(value: float | None, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _power_rows() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    seeds = (2, 3, 4, 5, 10)
    header = ("Margin", "Deviation a seed", *(f"{n} seeds" for n in seeds))
    rows = [
        (f"{margin:g}", f"{deviation:g}", *(_power(margin, deviation, n) for n in seeds))
        for margin, deviation in ((0.5, 0.05), (0.5, 0.1), (0.5, 0.2), (0.7, 0.25), (1.0, 0.3))
    ]
    return header, rows


def _power(margin: float, deviation: float, seeds: int) -> str:
    chance = power(
        margin,
        deviation,
        seeds,
        degrees=seeds - 1,
        rounding=0.05,
        claim_deviation=deviation,
    )
    return f"{chance:.3f}"


_FIELDS = (
    "scenario", "margin", "deviation", "seeds", "spread_from", "within_assumptions",
    "false_reproduced", "false_reproduced_relative", "false_reproduced_binomial",
    "honest_reproduced", "honest_inconclusive", "false_discrepancy",
    "false_discrepancy_relative", "false_discrepancy_binomial",
)  # fmt: skip


def _csv(rows: Sequence[Characteristics]) -> str:
    return csv_table(
        _FIELDS,
        [
            (
                row.scenario.name,
                f"{row.scenario.margin:g}",
                f"{row.scenario.deviation:g}",
                str(row.scenario.seeds),
                row.scenario.spread_from,
                str(row.scenario.within).lower(),
                *(
                    _share(value, 3)
                    for value in (
                        row.false_reproduced,
                        row.false_reproduced_relative,
                        row.false_reproduced_binomial,
                        row.reproduced,
                        row.inconclusive,
                        row.false_discrepancy,
                        row.false_discrepancy_relative,
                        row.false_discrepancy_binomial,
                    )
                ),
            )
            for row in rows
        ],
    )
