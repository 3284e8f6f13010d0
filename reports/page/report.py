"""What a page shows: the report, and the seam through which other parts of it come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..contradictions import Contradiction
from ..paper_tables import PaperTable
from ..scored import Scored
from ..verdict import Judgement
from .labelled import Labelled


@dataclass(frozen=True, kw_only=True)
class PlainTable:
    """A table of texts: whatever another module has already put into words."""

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]  # the first cell of a row is its heading


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture, embedded in the page."""

    png: bytes  # small: it is embedded whole
    caption: str
    description: str  # for people who do not see it


@dataclass(frozen=True, kw_only=True)
class Section:
    """One more section of the page: contradictions, a paper's tables, a gallery of masks."""

    name: str  # its address in the page: lower-case letters, digits and hyphens
    title: str
    text: Sequence[str] = ()  # paragraphs
    tables: Sequence[PlainTable] = ()
    pictures: Sequence[Picture] = ()


@dataclass(frozen=True, kw_only=True)
class Report:
    """Everything the page shows."""

    title: str
    scored: Sequence[Scored] = ()
    judgements: Sequence[Judgement] = ()  # of claims that records speak of
    unmeasured: Sequence[Judgement] = ()  # of all other claims: listed, never in a figure
    baseline: str = "random"
    commands: Sequence[str] = ()  # that repeat the numbers, one line each
    # Labels of the images behind the records, by data fingerprint; where the data are at hand.
    labelled: Mapping[str, Labelled] = field(default_factory=dict)
    contradictions: Sequence[Contradiction] = ()  # between the sources of the claims shown
    paper_tables: Sequence[PaperTable] = ()  # the papers' own, judged cell by cell
    sections: Sequence[Section] = ()
