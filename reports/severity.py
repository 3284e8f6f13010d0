"""Accuracy against the severity of the corruption, for the figure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from .columns import belongs
from .paired import Estimate, image_scores, mean_estimate
from .scored import Scored, latest


@dataclass(frozen=True, kw_only=True)
class SeverityCurve:
    """One method's top-1 by severity, the mean over the corruptions of that severity."""

    method: str
    architecture: str
    estimates: tuple[tuple[int, Estimate], ...]  # severity 1 to 5, percent; rising severity


def severity_curves(scored: Iterable[Scored]) -> list[SeverityCurve]:
    """Return one curve per method and architecture with records `corruption/severity`.

    Records without their per-image correctness are left out, and so are severities at
    which a method lacks a corruption that another has: their means would not compare.
    """
    answers: dict[tuple[str, str], dict[int, dict[str, list[Scored]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    wanted: dict[int, set[str]] = defaultdict(set)
    for item in latest(scored):
        corruption, _, severity = item.record.condition.rpartition("/")
        if belongs(item) and corruption and severity.isdigit():
            key = item.record.method, item.record.architecture
            answers[key][int(severity)][corruption].append(item)
            wanted[int(severity)].add(corruption)
    return [
        SeverityCurve(
            method=method,
            architecture=architecture,
            estimates=tuple(
                (severity, _mean([i for items in found.values() for i in items]))
                for severity, found in sorted(by_severity.items())
                if set(found) == wanted[severity]
                and all(i.correct is not None for items in found.values() for i in items)
            ),
        )
        for (method, architecture), by_severity in sorted(answers.items())
    ]


def _mean(items: list[Scored]) -> Estimate:
    answers = [item.correct for item in items if item.correct is not None]
    return mean_estimate(image_scores(answers), len(answers))
