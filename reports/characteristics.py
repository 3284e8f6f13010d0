"""How often the verdict's rule errs, by simulation, beside two rules in common use.

`decision.decide` itself is called, on numbers drawn as `judge` would read them: percents of whole
images, a claim rounded to its printed digits, a spread seen in the seeds, pooled or assumed. The
other rules see the same draws:

- within 5 % of the claimed number, relatively ("within a few percent of the paper");
- within the 95 % binomial interval of the claimed share, as if the images had been drawn anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..evaluations.paired_tests import holm
from .claim_rules import SEED_DEVIATION
from .decision import Outcome, decide, limits
from .intervals import upper_tails
from .spread import Spread

RELATIVE = 0.05
Z_TWO_SIDED = 1.959963984540054  # 97.5 % quantile of the standard normal
DRAWS = 100_000
SEED = 20_240_601


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One claim and how it is measured again. Percents and percentage points."""

    name: str
    kind: str  # of the claim: what deviation is assumed for one seed
    claimed: float
    margin: float
    deviation: float  # of one seed, the true one
    seeds: int
    images: int | None  # scored; None: a metric that is no share of images
    others: int = 0  # networks under the same protocol, three seeds each, to pool with
    other_deviation: float | None = None  # theirs; None: the same
    # Of an honest re-run's difference that no seed causes: decoders, resizing. What is measured
    # is exact, so at the margin there is none.
    numerics: float = 0.0
    decimals: int = 1  # that the claim is printed to
    within: bool = True  # whether the rule's own assumptions hold, and with them its bounds

    @property
    def spread_from(self) -> str:
        """Return where the rule takes the spread over seeds from, in words."""
        if self.kind not in SEED_DEVIATION:
            return "none: nothing is sampled"
        if self.others:
            return f"pooled with {self.others} networks"
        return "these seeds" if self.seeds > 1 else f"assumed {SEED_DEVIATION[self.kind]:g}"


@dataclass(frozen=True, kw_only=True)
class Draws:
    """What a number of simulated verifications of one scenario came out as: arrays [draws]."""

    difference: np.ndarray  # mean over seeds minus the printed claim
    error: np.ndarray  # standard error that the rule uses
    quantile: float
    degrees: int | None
    printed: np.ndarray  # the claim as printed
    values: np.ndarray  # [draws, seeds] as records hold them
    other_squares: np.ndarray  # sum of squares of the other networks' seeds


Truth = Literal["margin", "honest"]


def draw(
    scenario: Scenario,
    truth: Truth,
    draws: int,
    generator: np.random.Generator,
    shift: float | None = None,
) -> Draws:
    """Return simulated verifications of `scenario`.

    Args:
        truth: "margin": our true mean lies exactly one margin beside the number that was
            claimed, before its rounding. "honest": the claimed number is itself one run of the
            same procedure.
        draws: how many.
        generator: of the random numbers.
        shift: for "margin", another distance from the claim than the margin.
    """
    # Anywhere within a point, so that no place relative to the printed digits is special.
    centre = scenario.claimed + generator.uniform(-0.5, 0.5, draws)
    if truth == "margin":
        claimed = centre
        side = generator.choice([-1.0, 1.0], draws)
        centre = claimed + side * (scenario.margin if shift is None else shift)
    else:
        own = (scenario.deviation**2 + scenario.numerics**2) ** 0.5
        claimed = centre + own * generator.standard_normal(draws)
    noise = generator.standard_normal((draws, scenario.seeds))
    values = centre[:, None] + scenario.deviation * noise
    if scenario.images is not None:
        values = 100 * np.round(values / 100 * scenario.images) / scenario.images
    degrees_of_others = 2 * scenario.others
    theirs = scenario.deviation if scenario.other_deviation is None else scenario.other_deviation
    squares = (
        theirs**2 * generator.chisquare(degrees_of_others, draws)
        if scenario.others
        else np.zeros(draws)
    )
    printed = np.round(claimed, scenario.decimals)
    error, degrees = _error(scenario, values, squares)
    return Draws(
        difference=values.mean(axis=1) - printed,
        error=error,
        quantile=Spread(deviation=0.0, degrees=degrees).quantile,
        degrees=degrees,
        printed=printed,
        values=values,
        other_squares=squares,
    )


def _error(
    scenario: Scenario, values: np.ndarray, other_squares: np.ndarray
) -> tuple[np.ndarray, int | None]:
    """Return the standard errors of the means, and the degrees of freedom, as `verdict` does."""
    draws, seeds = values.shape
    own = ((values - values.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    degrees = seeds - 1 + 2 * scenario.others
    if degrees:
        return np.sqrt((own + other_squares) / degrees / seeds), degrees
    return np.full(draws, SEED_DEVIATION.get(scenario.kind, 0.0)), None


def outcomes(scenario: Scenario, drawn: Draws) -> np.ndarray:
    """Return the `Outcome` of every draw by the verdict's rule, int8."""
    low, high = limits(drawn.difference, drawn.error, drawn.quantile, _rounding(scenario))
    return decide(low, high, drawn.error, scenario.margin)


def relative_rule(drawn: Draws) -> np.ndarray:
    """Return whether each draw is within 5 % of the claim: [draws] bool."""
    return np.asarray(np.abs(drawn.difference) <= RELATIVE * drawn.printed)


def binomial_rule(scenario: Scenario, drawn: Draws) -> np.ndarray | None:
    """Return whether each draw is in the claim's 95 % binomial interval; None: no share."""
    if scenario.images is None:
        return None
    share = drawn.printed / 100
    half = 100 * Z_TWO_SIDED * np.sqrt(share * (1 - share) / scenario.images)
    return np.asarray(np.abs(drawn.difference) <= half)


def _rounding(scenario: Scenario) -> float:
    return 0.5 * 10.0**-scenario.decimals


@dataclass(frozen=True, kw_only=True)
class Characteristics:
    """Shares of draws, in percent; None: the rule does not apply."""

    scenario: Scenario
    false_reproduced: float  # at the margin
    false_reproduced_relative: float
    false_reproduced_binomial: float | None
    reproduced: float  # an honest re-run: rightly
    inconclusive: float
    false_discrepancy: float  # not reproduced or exceeds
    false_discrepancy_relative: float
    false_discrepancy_binomial: float | None


def characteristics(scenario: Scenario, draws: int = DRAWS, seed: int = SEED) -> Characteristics:
    """Return how often each rule errs on `scenario`, at the margin and for an honest re-run."""
    generator = np.random.default_rng([seed, *scenario.name.encode(), scenario.seeds])
    margin = draw(scenario, "margin", draws, generator)
    honest = draw(scenario, "honest", draws, generator)
    at_margin, honestly = outcomes(scenario, margin), outcomes(scenario, honest)
    wide, binomial = binomial_rule(scenario, margin), binomial_rule(scenario, honest)
    return Characteristics(
        scenario=scenario,
        false_reproduced=_percent(at_margin == Outcome.INSIDE),
        false_reproduced_relative=_percent(relative_rule(margin)),
        false_reproduced_binomial=None if wide is None else _percent(wide),
        reproduced=_percent(honestly == Outcome.INSIDE),
        inconclusive=_percent(honestly == Outcome.OPEN),
        false_discrepancy=_percent(np.isin(honestly, (Outcome.BELOW, Outcome.ABOVE))),
        false_discrepancy_relative=_percent(~relative_rule(honest)),
        false_discrepancy_binomial=None if binomial is None else _percent(~binomial),
    )


def _percent(holds: Any) -> float:
    answers = np.asarray(holds, bool)
    return 100 * int(np.count_nonzero(answers)) / answers.size


@dataclass(frozen=True, kw_only=True)
class TableErrors:
    """Chance, in percent, that a table whose claims all hold shows a discrepancy."""

    claims: int
    truth: Truth
    alone: float  # each verdict by itself
    with_holm: float


def table_errors(
    scenario: Scenario, claims: int, truth: Truth, tables: int = 4_000, seed: int = SEED
) -> TableErrors:
    """Return how often a table of `claims` claims like `scenario` shows a discrepancy."""
    generator = np.random.default_rng([seed, claims, len(truth)])
    drawn = draw(scenario, truth, tables * claims, generator)
    calls = np.isin(outcomes(scenario, drawn), (Outcome.BELOW, Outcome.ABOVE))
    beyond = np.abs(drawn.difference) - _rounding(scenario) - scenario.margin
    p_values = upper_tails(beyond, drawn.error, drawn.degrees).reshape(tables, claims)
    adjusted = np.array([holm(row) for row in p_values.tolist()])
    calls = calls.reshape(tables, claims)
    return TableErrors(
        claims=claims,
        truth=truth,
        alone=_percent(np.any(calls, axis=1)),
        with_holm=_percent(np.any(calls & (adjusted <= 0.05), axis=1)),
    )


def curve(
    scenario: Scenario, shifts: Sequence[float], draws: int = 20_000, seed: int = SEED
) -> dict[str, list[float]]:
    """Return by true distance from the claim how often, in percent, each rule says `reproduced`.

    Keys: `reproduced`, `discrepancy` (this rule), `relative`, `binomial` (said reproduced by
    those).
    """
    result: dict[str, list[float]] = {
        name: [] for name in ("reproduced", "discrepancy", "relative", "binomial")
    }
    for shift in shifts:
        generator = np.random.default_rng([seed, scenario.seeds])
        drawn = draw(scenario, "margin", draws, generator, shift=shift)
        called, binomial = outcomes(scenario, drawn), binomial_rule(scenario, drawn)
        result["reproduced"].append(_percent(called == Outcome.INSIDE))
        result["discrepancy"].append(_percent(np.isin(called, (Outcome.BELOW, Outcome.ABOVE))))
        result["relative"].append(_percent(relative_rule(drawn)))
        if binomial is not None:
            result["binomial"].append(_percent(binomial))
    return result


PROBE = Scenario(
    name="Linear probe, ImageNet",
    kind="probe",
    claimed=77.1,
    margin=0.5,
    deviation=0.1,
    seeds=3,
    images=50_000,
)
SMALL_SET = Scenario(
    name="Linear transfer, 1,880 images (DTD)",
    kind="probe",
    claimed=75.0,
    margin=1.0,
    deviation=0.3,
    seeds=3,
    images=1_880,
)
_TEN_PERCENT = Scenario(
    name="Fine-tuned on 10 % of the labels",
    kind="fine_tune",
    claimed=72.4,
    margin=0.7,
    deviation=0.25,
    seeds=3,
    images=50_000,
)
_ONE_PERCENT = replace(
    _TEN_PERCENT, name="Fine-tuned on 1 % of the labels", claimed=58.1, margin=1.0
)
_RETRAINED = Scenario(
    name="Pretrained again",
    kind="re_pretraining",
    claimed=74.3,
    margin=1.0,
    deviation=0.3,
    seeds=3,
    images=50_000,
)
SCENARIOS = (
    Scenario(
        name="Re-evaluation, ImageNet",
        kind="re_evaluation",
        claimed=76.1,
        margin=0.15,
        deviation=0.0,
        numerics=0.02,
        seeds=1,
        images=50_000,
    ),
    *(replace(PROBE, seeds=seeds) for seeds in (1, 2, 3, 5)),
    *(replace(PROBE, seeds=seeds, others=5) for seeds in (1, 3)),
    *(
        replace(PROBE, name="Linear probe, widest spread admitted", deviation=0.2, seeds=seeds)
        for seeds in (3, 5)
    ),
    replace(PROBE, name="Linear probe, ObjectNet", claimed=25.9, images=18_574),
    SMALL_SET,
    replace(SMALL_SET, others=5),
    *(replace(_TEN_PERCENT, seeds=seeds) for seeds in (1, 3, 5)),
    *(replace(_ONE_PERCENT, seeds=seeds) for seeds in (1, 3)),
    Scenario(
        name="Segmentation, mIoU",
        kind="fine_tune",
        claimed=75.2,
        margin=1.0,
        deviation=0.3,
        seeds=5,
        images=None,
    ),
    *(replace(_RETRAINED, seeds=seeds) for seeds in (1, 3)),
    replace(
        PROBE,
        name="Beyond its assumptions: the assumed deviation is half the true one",
        deviation=0.2,
        seeds=1,
        within=False,
    ),
    replace(
        PROBE,
        name="Beyond its assumptions: this network scatters twice as much as those pooled",
        deviation=0.2,
        other_deviation=0.1,
        others=5,
        within=False,
    ),
)
