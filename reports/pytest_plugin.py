"""The pytest plugin: claims as tests, in any repository where relicheck is installed.

Found by pytest through the entry point `pytest11`. Claims are named by
`--relicheck-claims PATH` or the ini option `relicheck_claims`: TOML files in the registry's
format, or folders of them. Each claim is one test with the marks `benchmark` and
`relicheck`. Those of the command line run; those of the ini option run where marks are
chosen (`-m benchmark`), so that a plain `pytest` stays as quick as it was.

Unused, this module costs an import of itself: all other hooks and imports are those of
`claim_items`, which is registered where claims are named.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

_MARKS = {
    "benchmark": "one test per claim; needs data or weights, skips where they are absent",
    "relicheck": "a claim held against a measurement by relicheck",
}
# name -> what it takes, and its help: options of the command line; those of _INI are the ini file's
_LISTS = {
    "claims": ("PATH", "test the claims in this TOML file or folder of them; may be repeated"),
    "claim": ("ID", "only this claim; may be repeated"),
    "dataset": ("NAME", "only claims on this data set"),
    "method": ("NAME", "only claims about this method"),
    "paper": ("NAME", "only claims of this paper"),
    "checkpoint": ("[NAME=]FILE", "weights to measure; NAME: a method or a claim's id"),
    "seed": ("N", "of what is trained or drawn; may be repeated (default: 0)"),
}
_TEXTS = {
    "records": "folder that measurements are kept and found in (default: runs/records)",
    "data": "folder of data sets, instead of $RELICHECK_DATA",
    "cache": "folder of cached features",
}
_INI = {
    "claims": ("paths", "claims files or folders, tested with -m benchmark"),
    "checkpoints": ("linelist", "[NAME=]FILE, one on each line, as --relicheck-checkpoint"),
    "records": ("string", "as --relicheck-records, from the ini file's folder"),
    "data": ("string", "as --relicheck-data, from the ini file's folder"),
    "cache": ("string", "as --relicheck-cache, from the ini file's folder"),
}
_STRICT = "fail too where a claim is not measured or not decided: nothing passes by absence"
# Under xdist the workers are told their arguments, and not where these came from.
WORKER_KEY = "relicheck_wanted"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options and the ini options; every name begins with `relicheck`."""
    group = parser.getgroup("relicheck", "claims held against measurements")
    for name, (shown, said) in _LISTS.items():
        kind = int if name == "seed" else str
        group.addoption(
            f"--relicheck-{name}", action="append", default=[], type=kind, metavar=shown, help=said
        )
    for name, said in _TEXTS.items():
        group.addoption(f"--relicheck-{name}", metavar="FOLDER", help=said)
    group.addoption("--relicheck-strict", action="store_true", help=_STRICT)
    for name, (held, said) in _INI.items():
        parser.addini(f"relicheck_{name}", said, type=held)  # type: ignore[arg-type]


def pytest_configure(config: pytest.Config) -> None:
    """Register the marks, unless the repository has them, and look for the claims named."""
    listed = [line.partition(":")[0].partition("(")[0].strip() for line in config.getini("markers")]
    for name, said in _MARKS.items():
        if name not in listed:
            config.addinivalue_line("markers", f"{name}: {said}")
    chosen: list[str] = config.getoption("--relicheck-claims")
    paths = [*map(Path, chosen)] if chosen else list(config.getini("relicheck_claims"))
    asked = bool(chosen) or any(_given(config).values())
    if asked and not paths:
        raise pytest.UsageError(
            "relicheck: options were given, and no claims. "
            "Name a file: --relicheck-claims FILE, or relicheck_claims in the ini file."
        )
    if paths:
        from .claim_items import Claims

        claims = Claims(config, paths, asked or _selects(config))
        config.pluginmanager.register(claims, "relicheck-claims")


def _given(config: pytest.Config) -> Mapping[str, Any]:
    """Return the plugin's options that the command line gave a value."""
    names = [*_LISTS, *_TEXTS, "strict"]
    return {name: config.getoption(f"--relicheck-{name}") for name in names}


def _selects(config: pytest.Config) -> bool:
    """Return whether claims of the ini file are wanted: marks are chosen, and no paths are."""
    worker: Mapping[str, Any] = getattr(config, "workerinput", {})
    if WORKER_KEY in worker:
        return bool(worker[WORKER_KEY])
    paths = config.args_source is pytest.Config.ArgsSource.ARGS
    return bool(config.getoption("markexpr", "")) and not paths
