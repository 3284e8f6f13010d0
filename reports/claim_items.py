"""Claims as items of a pytest session; what `pytest_plugin` registers once claims are named.

Like the command line, it imports the libraries that measure only when a claim is measured.
"""

from collections.abc import Generator, Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from ..checkpoints.errors import BadClaim, MissingData, RelicheckError
from .claim_registry import load_claims
from .claims import Claim
from .measuring import Measuring
from .pytest_plugin import WORKER_KEY
from .selection import select_claims
from .verdict import Judgement, Verdict
from .verify import verify_claim

_OPEN = (Verdict.INCONCLUSIVE, Verdict.CONSISTENT, Verdict.PROTOCOL_DEPENDENT)
_CLAIMED = "relicheck claimed / measured / verdict"  # a property that reports carry


class Claims:
    """The claims of one session: which files, which of their claims, and what measures them."""

    def __init__(self, config: pytest.Config, paths: Iterable[Path], wanted: bool) -> None:
        self.config = config
        self.wanted = wanted  # whether they are tested though no path leads to them
        self.named = tuple(paths)
        self.files = tuple(_files(self.named))

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of xdist what this process knows of the command line."""
        node.workerinput[WORKER_KEY] = self.wanted

    def pytest_report_header(self) -> str:
        """Say which claims are tested, or how to have them tested."""
        shown = ", ".join(str(path) for path in self.named)
        return f"relicheck: claims of {shown}" + ("" if self.wanted else " (run with -m benchmark)")

    def pytest_collect_file(
        self, file_path: Path, parent: pytest.Collector
    ) -> pytest.Collector | None:
        """Return the collector of one of the files; None for any other file."""
        path = file_path
        if path.resolve() not in self.files:
            return None
        # A file that a path of the command line leads to is tested; one that merely lies
        # where tests are waits until claims are wanted.
        if not self.wanted and not parent.session.isinitpath(path):
            return None
        collector: pytest.Collector = ClaimsFile.from_parent(parent, path=path, claims=self)
        return collector

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Append the claims that no path led to; before marks and names are selected by."""
        if not self.wanted:
            return
        there = {item.path.resolve() for item in items if isinstance(item, ClaimItem)}
        for path in self.files:
            if path not in there:
                node: ClaimsFile = ClaimsFile.from_parent(session, path=path, claims=self)
                items += session.genitems(node)

    def of(self, path: Path) -> list[Claim]:
        """Return the claims of one file that the options select.

        Raises:
            RelicheckError: a claim cannot be true, or an option meets none.
        """
        return [claim for claim in load_claims(path) if claim.id in self.selected]

    @cached_property
    def selected(self) -> frozenset[str]:
        """The ids that the options select; all of them where none is given."""
        claims: dict[str, Claim] = {}
        for path in self.files:
            for claim in load_claims(path):
                if claim.id in claims:
                    raise BadClaim(
                        f"{path.name}, row {claim.id}, id",
                        f"the id is taken, by a row of {claims[claim.id].file}",
                        "every id once",
                    )
                claims[claim.id] = claim
        chosen = select_claims(
            tuple(claims.values()),
            dataset=self._option("dataset"),
            method=self._option("method"),
            paper=self._option("paper"),
            ids=self._option("claim"),
        )
        return frozenset(claim.id for claim in chosen)

    @cached_property
    def measuring(self) -> Measuring:
        """What measures them: whatever several claims share is measured once.

        Raises:
            RelicheckError: a checkpoint is none, or none of the claims is about it.
        """
        found = Measuring(
            checkpoints=dict(_named(text, folder) for text, folder in self._checkpoints()),
            data_root=self._folder("data"),
            records=self._folder("records") or self.config.rootpath / "runs" / "records",
            cache=self._folder("cache"),
            seeds=tuple(self.config.getoption("--relicheck-seed")) or (0,),
            named=bool(self._option("claim")),
        )
        found.check_usable([claim for path in self.files for claim in self.of(path)])
        return found

    @property
    def strict(self) -> bool:
        """Whether what is not measured or not decided fails."""
        return bool(self.config.getoption("--relicheck-strict"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a skip name the line of the claim, and not the line here that skips."""
        report = yield
        if isinstance(item, ClaimItem) and isinstance(report.longrepr, tuple):
            path, line, _ = item.reportinfo()
            report.longrepr = (str(path), line + 1, report.longrepr[2])
        return report

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print claimed beside measured for every claim that was measured."""
        reporter = terminalreporter
        lines = [
            value
            for reports in reporter.stats.values()
            for report in reports
            for name, value in getattr(report, "user_properties", ())
            if name == _CLAIMED and getattr(report, "when", "") == "call"
        ]
        if lines:
            reporter.write_sep("=", "claims: claimed, measured, verdict")
            for line in lines:
                reporter.write_line(line)

    def _option(self, name: str) -> list[str]:
        return list(self.config.getoption(f"--relicheck-{name}"))

    def _checkpoints(self) -> list[tuple[str, Path]]:
        """Return what names checkpoints, with the folder that each is named from."""
        given = [(text, Path()) for text in self._option("checkpoint")]
        from_ini = self.config.getini("relicheck_checkpoints")
        return given or [(text, _ini_folder(self.config)) for text in from_ini]

    def _folder(self, name: str) -> Path | None:
        given = self.config.getoption(f"--relicheck-{name}")
        if given:
            return Path(given).absolute()
        stated = self.config.getini(f"relicheck_{name}")
        return _ini_folder(self.config) / stated if stated else None


class ClaimsFile(pytest.File):
    """A TOML file of claims: one item for each that is selected."""

    def __init__(self, *, claims: Claims, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.claims = claims

    def collect(self) -> Iterator["ClaimItem"]:
        """Yield the items. A claim that cannot be true is an error of collection."""
        try:
            chosen = self.claims.of(self.path)
        except RelicheckError as error:
            raise self.CollectError(f"relicheck: {error}") from error
        lines = self.path.read_text(encoding="utf-8").splitlines()
        for claim in chosen:
            found = (n for n, line in enumerate(lines) if f'"{claim.id}"' in line)
            yield ClaimItem.from_parent(
                self, name=claim.id, claim=claim, claims=self.claims, line=next(found, 0)
            )


class NotReproduced(Exception):
    """A claim does not hold as stated; the message has claim, measurement and verdict."""


class ClaimItem(pytest.Item):
    """One claim: skipped with what is missing, failed where the verdict is not the expected."""

    def __init__(self, *, claim: Claim, claims: Claims, line: int, **keywords: Any) -> None:
        super().__init__(**keywords)
        self.claim, self.claims, self.line = claim, claims, line
        self.add_marker("benchmark")
        self.add_marker("relicheck")
        self.extra_keyword_matches |= {claim.data, claim.method, claim.metric}

    def runtest(self) -> None:
        """Measure and judge; see the class."""
        claim, strict = self.claim, self.claims.strict
        judgement = verify_claim(claim, self._measuring())
        if judgement.verdict is Verdict.NOT_MEASURED:
            if strict and not claim.recalled:
                raise NotReproduced(f"{claim.id}: not measured\n{judgement.reason}")
            pytest.skip(judgement.reason)
        self.user_properties.append((_CLAIMED, _line(judgement)))
        wanted = claim.expected_verdict or Verdict.REPRODUCED
        if judgement.verdict == wanted:
            return
        if judgement.verdict in _OPEN and not claim.expected_verdict and not strict:
            pytest.xfail(f"{judgement.verdict}: {judgement.reason}")
        raise NotReproduced(describe(judgement, self.claims.measuring.records))

    def _measuring(self) -> Measuring:
        try:
            return self.claims.measuring
        except MissingData as error:
            # The ini file says where weights lie once they are there; the command line means it.
            if self.claims.strict or self.config.getoption("--relicheck-checkpoint"):
                raise
            pytest.skip(str(error))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Return a failure as people read it: no traceback where a message says it all."""
        if isinstance(excinfo.value, NotReproduced | RelicheckError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the claim stands."""
        return self.path, self.line, f"claim {self.claim.id}"


def describe(judgement: Judgement, records: Path) -> str:
    """Return claimed, measured, interval, margin and where the records are, in lines."""
    claim = judgement.claim
    interval = judgement.interval and "{:+.4f} to {:+.4f}".format(*judgement.interval)
    lines = (
        f"{claim.id}: {judgement.verdict}, not {claim.expected_verdict or Verdict.REPRODUCED}",
        f"claimed   {claim.value} {claim.unit}, {claim.paper}, {claim.table}",
        f"measured  {judgement.measured}",
        f"interval  {interval} (90 %, of measured minus claimed)",
        f"margin    {claim.margin:g}: {claim.margin_reason}",
        f"reason    {judgement.reason}",
        *(f"record    {records / record.id}.json" for record in judgement.records),
    )
    return "\n".join(lines)


def _line(judgement: Judgement) -> str:
    claim = judgement.claim
    measured = "nothing" if judgement.measured is None else f"{judgement.measured:.2f}"
    verdict = str(judgement.verdict).replace("_", " ")
    known = ", as expected" if judgement.verdict == claim.expected_verdict else ""
    return f"{claim.id}: {claim.value}, {measured}, {verdict}{known}"


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir() and (found := sorted(path.glob("*.toml"))):
            yield from (file.resolve() for file in found)
        elif path.is_file():
            yield path.resolve()
        else:
            raise pytest.UsageError(
                f"relicheck: {path}: no claims are there. Wanted: a TOML file of claims, or a "
                "folder of them."
            )


def _ini_folder(config: pytest.Config) -> Path:
    return config.inipath.parent if config.inipath is not None else config.rootpath


def _named(text: str, folder: Path) -> tuple[str, str]:
    name, equals, path = text.rpartition("=")
    found = folder / path
    # A published checkpoint is named, and is no file.
    return (name if equals else ""), str(found if found.exists() else path)
