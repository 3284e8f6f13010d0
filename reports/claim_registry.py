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
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..checkpoints.errors import BadClaim, MissingData
from .claim_checks import check_margin, check_types, check_value, check_words, row_at
from .claim_routes import route
from .claim_rules import (
    best_of,
    claimed_seeds,
    data_name,
    margin,
)
from .claims import Claim

FOLDER = Path(__file__).parent / "claimed"

_NOT_IN_ROWS = ("columns", "rows")


def load_claims(folder: Path = FOLDER) -> tuple[Claim, ...]:
    """Return every claim of the registry, in its order, checked.

    Raises:
        BadClaim: a row that cannot be true or cannot be judged: file, row and field.
        MissingData: the folder holds no claims.
    """
    return _load(Path(folder))


@lru_cache(maxsize=8)
def _load(folder: Path) -> tuple[Claim, ...]:
    return read_claims(folder)


def read_claims(path: Path) -> tuple[Claim, ...]:
    """Return the claims of one TOML file, or of a folder of them, checked: anybody's own.

    Raises:
        BadClaim: a row that cannot be true or cannot be judged: file, row and field.
        MissingData: there is no such file or folder, or it holds no claims.
    """
    claims: dict[str, Claim] = {}
    for name, body in read_files(path):
        for row in file_rows(name, body):
            claim = claim_of_row(name, row)
            if claim.id in claims:
                raise taken(name, claim.id, claims[claim.id].file)
            claims[claim.id] = claim
    if not claims:
        raise MissingData(path, "holds no claims", "TOML files, one per paper")
    return tuple(claims.values())


def read_files(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    """Return name and content of the file, or of every TOML file of the folder, in their order.

    Raises:
        BadClaim: a file is not TOML.
        MissingData: there is no such file or folder.
    """
    if not path.exists():
        raise MissingData(path, "there is no such file or folder", "claims in TOML files")
    files = [path] if path.is_file() else sorted(path.glob("*.toml"))
    bodies = []
    for file in files:
        try:
            body = tomllib.loads(file.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadClaim(file.name, f"not valid TOML ({error})") from error
        bodies.append((_order(body, file), file.name, body))
    return [(name, body) for _, name, body in sorted(bodies, key=lambda item: item[:2])]


def taken(file: str, identifier: str, by: str) -> BadClaim:
    """Return the error for an id that another row has."""
    return BadClaim(
        row_at(file, identifier, "id"), f"the id is taken, by a row of {by}", "every id once"
    )


def _order(body: Mapping[str, Any], file: Path) -> int:
    order = body.get("order", 100)
    if not isinstance(order, int):
        raise BadClaim(f"{file.name}, order", f"{order!r}", "a whole number")
    return order


def file_rows(file: str, body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the fields of every row of one file, its override included.

    Raises:
        BadClaim: the file's layout is not that of claims.
    """
    if unknown := sorted(set(body) - {"order", "defaults", "group", "override"}):
        raise BadClaim(file, f"an unknown key {unknown[0]!r}", "order, defaults, group, override")
    overrides = dict(_tables(file, body, "override"))
    for row in _rows(file, body):
        yield row | overrides.pop(str(row.get("id")), {})
    if overrides:
        raise BadClaim(row_at(file, next(iter(overrides)), "override"), "no row has this id")


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


def claim_of_row(file: str, row: Mapping[str, Any]) -> Claim:
    """Return the claim of one row, its missing fields derived.

    Raises:
        BadClaim: it cannot be true or cannot be judged: file, row and field.
    """
    identifier = row.get("id")
    check_types(file, row)
    check_words(file, row)
    check_value(file, row)
    named, condition = data_name(row["dataset"])
    data, way = row.get("data", named), route(dict(row))
    kind = row.get("kind", way.kind)
    allowed = margin(dict(row), kind, data)
    if "margin" in row and not row.get("margin_reason"):
        raise BadClaim(row_at(file, identifier, "margin_reason"), "missing", "why this margin")
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
    check_margin(file, claim)
    return claim
