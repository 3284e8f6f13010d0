"""Reading the registry: the TOML files under `claimed/`, one per paper, checked on load.

A file holds `[defaults]`, then groups of rows::

    [[group]]
    table = "Table 1"                     # the same for every row of the group
    columns = ["id", "method", "value"]   # what differs
    rows = [["byol/imagenet/linear-top1/rn50", "BYOL", "74.3"], ...]

and, for what only one row says, `[override."byol/imagenet/linear-top1/rn50"]`. Files come
in the order of their `order` key, rows in the order of the file.
"""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadClaim, MissingData
from .claim_routes import route
from .claim_rules import (
    FEWEST_STANDARD_ERRORS,
    SEED_DEVIATION,
    best_of,
    claimed_seeds,
    data_name,
    margin,
)
from .claims import CONFIDENCES, KINDS, Claim
from .metrics import METRICS, unit_of

FOLDER = Path(__file__).parent / "claimed"

_SOURCE_FIELDS = (
    "id", "paper", "table", "method", "architecture", "pretrain_data", "task", "dataset",
    "protocol", "metric", "value", "unit", "source", "confidence",
)  # fmt: skip
_OWN_FIELDS = tuple(f.name for f in fields(Claim) if f.name not in (*_SOURCE_FIELDS, "file"))
_LISTS = ("evaluators", "protocols")
_COUNTS = ("claimed_seeds", "best_of")
_NOT_IN_ROWS = ("columns", "rows")


def load_claims(folder: Path = FOLDER) -> tuple[Claim, ...]:
    """Return every claim of the registry, in its order, checked.

    Args:
        folder: of TOML files, or one such file: of claims that are not the registry's.

    Raises:
        BadClaim: a row that cannot be true or cannot be judged: file, row and field.
        MissingData: the folder holds no claims.
    """
    return _load(Path(folder))


def claim_of_row(where: str, row: Mapping[str, Any]) -> Claim:
    """Return the claim of one row of fields, checked; `where` names its file in messages.

    Raises:
        BadClaim: as `load_claims`.
    """
    return _claim(where, row)


@lru_cache(maxsize=8)
def _load(folder: Path) -> tuple[Claim, ...]:
    files = sorted(((_order(body, file), file.name, body) for file, body in _bodies(folder)))
    claims: dict[str, Claim] = {}
    for _, name, body in files:
        for claim in _file_claims(name, body):
            if claim.id in claims:
                raise BadClaim(
                    _at(name, claim.id, "id"),
                    f"the id is taken, by a row of {claims[claim.id].file}",
                    "every id once",
                )
            claims[claim.id] = claim
    if not claims:
        raise MissingData(folder, "holds no claims", "TOML files, one per paper")
    return tuple(claims.values())


def _bodies(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    for file in [folder] if folder.is_file() else sorted(folder.glob("*.toml")):
        try:
            yield file, tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadClaim(file.name, f"not valid TOML ({error})") from error


def _order(body: Mapping[str, Any], file: Path) -> int:
    order = body.get("order", 100)
    if not isinstance(order, int):
        raise BadClaim(f"{file.name}, order", f"{order!r}", "a whole number")
    return order


def _file_claims(file: str, body: Mapping[str, Any]) -> Iterator[Claim]:
    if unknown := sorted(set(body) - {"order", "defaults", "group", "override"}):
        raise BadClaim(file, f"an unknown key {unknown[0]!r}", "order, defaults, group, override")
    overrides = dict(_tables(file, body, "override"))
    for row in _rows(file, body):
        row |= overrides.pop(str(row.get("id")), {})
        yield _claim(file, row)
    if overrides:
        raise BadClaim(_at(file, next(iter(overrides)), "override"), "no row has this id")


def _tables(file: str, body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = body.get(name, {})
    if not isinstance(table, dict) or (
        name == "override" and not all(isinstance(value, dict) for value in table.values())
    ):
        raise BadClaim(f"{file}, {name}", "not a table", f"[{name}]")
    return table


def _rows(file: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield one mapping of fields per row: defaults, then the group's, then the row's."""
    defaults, groups = _tables(file, body, "defaults"), body.get("group", [])
    if not isinstance(groups, list) or not all(isinstance(group, dict) for group in groups):
        raise BadClaim(f"{file}, group", "not a list of tables", "[[group]]")
    number = 0
    for group in groups:
        constants = {k: v for k, v in group.items() if k not in _NOT_IN_ROWS}
        columns, rows = group.get("columns"), group.get("rows")
        if not isinstance(columns, list) or not isinstance(rows, list) or "id" not in columns:
            raise BadClaim(f"{file}, group after row {number}", "no columns with 'id', or no rows")
        for cells in rows:
            number += 1
            if not isinstance(cells, list) or len(cells) != len(columns):
                raise BadClaim(
                    f"{file}, row {number}",
                    f"{cells!r}",
                    f"one value for each of {', '.join(map(str, columns))}",
                )
            yield {**defaults, **constants, **dict(zip(columns, cells, strict=True))}


def _at(file: str, row: object, field: str) -> str:
    return f"{file}, row {row}, {field}"


def _claim(file: str, row: Mapping[str, Any]) -> Claim:
    """Return the claim of one row, its missing fields derived. Raises: BadClaim."""
    identifier = row.get("id")
    _check_types(file, row)
    _check_words(file, row)
    _check_value(file, row)
    named, condition = data_name(row["dataset"])
    data, way = row.get("data", named), route(dict(row))
    kind = row.get("kind", way.kind)
    allowed = margin(dict(row), kind, data)
    if "margin" in row and not row.get("margin_reason"):
        raise BadClaim(_at(file, identifier, "margin_reason"), "missing", "why this margin")
    unmeasurable = row.get("unmeasurable", way.unmeasurable)
    chosen, chosen_from = best_of(dict(row))
    evaluators = () if unmeasurable else tuple(row.get("evaluators", way.evaluators))
    derived = {
        "kind": kind,
        "data": data,
        "condition": row.get("condition", condition or way.condition),
        "evaluators": evaluators,
        "protocols": tuple(row.get("protocols", way.protocols)),
        "unmeasurable": unmeasurable,
        "margin": float(row.get("margin", allowed.points)),
        "margin_reason": row.get("margin_reason", allowed.reason),
        "claimed_seeds": row.get("claimed_seeds", claimed_seeds(dict(row))),
        "best_of": row.get("best_of", chosen),
        "best_of_what": row.get("best_of_what", chosen_from),
        "file": file,
    }
    claim = Claim(**{**row, **derived})
    _check_margin(file, claim)
    return claim


def _check_margin(file: str, claim: Claim) -> None:
    # A margin that no measurement could meet is refused here and not found out in the verdict.
    least = claim.rounding if claim.kind != "recomputation" else 0.0
    if claim.unit == "%":
        least = max(least, FEWEST_STANDARD_ERRORS * SEED_DEVIATION.get(claim.kind, 0.0))
    if not claim.margin >= least:
        raise BadClaim(
            _at(file, claim.id, "margin"),
            f"{claim.margin:g}",
            f"at least {least:g} for a {claim.kind} printed as {claim.value}",
            "A smaller one could never be met.",
        )


def _check_types(file: str, row: Mapping[str, Any]) -> None:
    where = row.get("id")
    known = (*_SOURCE_FIELDS, *_OWN_FIELDS)
    for field, value in row.items():
        if field not in known:
            near = get_close_matches(field, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else ""
            raise BadClaim(_at(file, where, field), "an unknown field", ", ".join(known), hint)
        if field in _LISTS:
            fits = isinstance(value, list) and all(isinstance(item, str) for item in value)
            wanted = "a list of names"
        elif field == "margin":
            fits = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
            wanted = "a number above 0"
        elif field in _COUNTS:
            fits = isinstance(value, int) and not isinstance(value, bool) and value >= 1
            wanted = "a whole number of at least 1"
        else:
            fits, wanted = isinstance(value, str), 'text in quotes; a value as printed: "25.9"'
        if not fits:
            raise BadClaim(_at(file, where, field), f"{value!r}", wanted)
    for field in _SOURCE_FIELDS:
        if not row.get(field, "").strip():
            raise BadClaim(_at(file, where, field), "missing", "what the source says")


def _check_words(file: str, row: Mapping[str, Any]) -> None:
    from .verdict import Verdict

    choices: dict[str, Sequence[str]] = {
        "metric": tuple(METRICS),
        "confidence": CONFIDENCES,
        "kind": KINDS,
        "expected_verdict": ("", *Verdict),
    }
    for field, known in choices.items():
        if field in row and row[field] not in known:
            raise BadClaim(
                _at(file, row["id"], field), f"{row[field]!r}", f"one of {', '.join(known)}"
            )
    if row["unit"] != unit_of(row["metric"]):
        raise BadClaim(
            _at(file, row["id"], "unit"),
            f"{row['unit']!r}",
            f"{unit_of(row['metric'])!r} for {row['metric']}",
        )
    if row.get("expected_verdict") and not row.get("expected_reason"):
        raise BadClaim(
            _at(file, row["id"], "expected_reason"), "missing", "why the claim does not hold"
        )
    if row.get("best_of", 1) > 1 and not row.get("best_of_what"):
        raise BadClaim(
            _at(file, row["id"], "best_of_what"), "missing", "of what the best was printed"
        )
    _check_subject(file, row)


def _check_subject(file: str, row: Mapping[str, Any]) -> None:
    subject = row.get("subject", "")
    kind, _, rest = subject.partition(":")
    parts = rest.split(":")
    if subject and not (
        all(parts) and (kind, len(parts)) in (("published", 1), ("predictions", 3))
    ):
        raise BadClaim(
            _at(file, row["id"], "subject"),
            f"{subject!r}",
            "published:NAME or predictions:FILE:MODEL:SET",
        )


def _check_value(file: str, row: Mapping[str, Any]) -> None:
    where, metric = _at(file, row["id"], "value"), METRICS[row["metric"]]
    try:
        value = Decimal(row["value"])
    except InvalidOperation as error:
        raise BadClaim(where, f"{row['value']!r}", "a number as printed") from error
    if not value.is_finite() or not metric.low <= value <= metric.high:
        raise BadClaim(
            where,
            f"{row['value']} {row['unit']}",
            f"{row['metric']} between {metric.low:g} and {metric.high:g}",
        )
