"""The claims: what a paper says a network reaches, as data.

A claim keeps the source's own words and the value as printed; what relicheck adds (which
data set, evaluator and margin would settle it) is derived by `claim_rules` or stated in
the row. A measured number never changes a claim or its margin.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, get_args

Kind = Literal["recomputation", "re_evaluation", "probe", "fine_tune", "re_pretraining"]
Confidence = Literal["seen", "recalled"]

KINDS: tuple[str, ...] = get_args(Kind)
CONFIDENCES: tuple[str, ...] = get_args(Confidence)


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One published number and what would settle it."""

    # as the source has it
    id: str
    paper: str
    table: str
    method: str
    architecture: str
    pretrain_data: str
    task: str
    dataset: str  # as the source words it: "ImageNetV2 matched-frequency"
    protocol: str  # as the source words it
    metric: str  # a key of `metrics.METRICS`
    value: str  # as printed: its decimals say how far it was rounded
    unit: str  # "%", "points" or "as printed"
    source: str
    confidence: Confidence  # recalled claims are shown, never judged
    # what would settle it
    kind: Kind
    data: str  # name in the registry of data sets: "imagenetv2_matched_frequency"
    evaluators: tuple[str, ...]  # names in the registry of evaluators; empty: see `unmeasurable`
    protocols: tuple[str, ...]  # admissible protocol ids; empty: any of these evaluators'
    unmeasurable: str  # why no evaluator of ours measures it; "" where one does
    margin: float  # in the claim's unit: how far a measurement may lie off
    margin_reason: str
    subject: str = ""  # "published:NAME", "predictions:FILE:MODEL:SET" or "": whoever's checkpoint
    condition: str = ""  # as in a record: "gaussian_noise/3"
    expected_verdict: str = ""  # a known true disagreement, asserted by the benchmark
    expected_reason: str = ""
    # What the source's number is itself: a mean over seeds, or the best of several.
    claimed_seeds: int = 1
    best_of: int = 1  # runs, epochs or settings, chosen by the very images it is claimed for
    best_of_what: str = ""  # of what, and where it is said; with `best_of` above 1
    file: str = ""  # the registry's file that holds it

    @property
    def number(self) -> float:
        """The value as a number, in `unit`."""
        return float(self.value)

    @property
    def rounding(self) -> float:
        """Half of the last printed digit: 0.05 for "25.9", 0.5 for "26"."""
        exponent = Decimal(self.value).as_tuple().exponent
        return float(Decimal(5).scaleb(int(exponent) - 1))

    @property
    def recalled(self) -> bool:
        """Whether nobody re-read the source: shown as such, never judged."""
        return self.confidence == "recalled"
