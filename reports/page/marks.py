"""How each verdict looks: a shape, a colour and a word, of which any one would do."""

from dataclasses import dataclass

from ..verdict import Verdict


@dataclass(frozen=True)
class Mark:
    """The look of one verdict."""

    shape: str  # a key of `svg.mark`, or "ring", "dash", "bang"
    tone: str  # a class that the style sheet colours
    rank: int  # in the claim table: what needs attention first
    meaning: str  # one sentence for the legend


MARKS = {
    Verdict.NOT_REPRODUCED: Mark(
        "down", "bad", 0, "Measured, and worse than claimed by more than the margin."
    ),
    Verdict.EXCEEDS: Mark(
        "up",
        "over",
        1,
        "Measured, and better than claimed by more than the margin: a discrepancy too.",
    ),
    Verdict.INVALID: Mark("bang", "bad", 2, "A measurement exists that must not be compared."),
    Verdict.PROTOCOL_DEPENDENT: Mark(
        "diamond", "open", 3, "Protocols that the source admits disagree, and it names none."
    ),
    Verdict.INCONCLUSIVE: Mark("square", "open", 4, "The interval crosses the margin."),
    Verdict.CONSISTENT: Mark(
        "ring", "open", 5, "Measured on part of the images: not contradicted, not confirmed."
    ),
    Verdict.REPRODUCED: Mark("circle", "good", 6, "The whole interval lies within the margin."),
    Verdict.NOT_MEASURED: Mark(
        "dash", "none", 7, "Weights, data or an evaluator are missing; the claim says which."
    ),
}


def words(verdict: Verdict) -> str:
    """Return the verdict as it is shown: `not reproduced`."""
    return str(verdict).replace("_", " ")
