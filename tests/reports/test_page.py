"""The page: self-contained, escaped, in order, the same bytes each time."""

import base64
import hashlib
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from relicheck.checkpoints.errors import BadRecord, MissingData, UnknownName
from relicheck.evaluations.record import write_record
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.page import Picture, PlainTable, Report, Section, render_page
from relicheck.reports.report_files import report_of, write_report
from relicheck.reports.scored import read_scored
from relicheck.reports.verdict import Judgement, Verdict

_VOID = {"meta", "link", "br", "hr", "img", "input"}


class Reader(HTMLParser):
    """Collects what the tests ask about, and holds that every element is closed."""

    def __init__(self, page):
        super().__init__()
        self.open, self.tags, self.headings, self.ids, self.addresses = [], [], [], [], []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        for name, value in attributes:
            if name == "id":
                self.ids.append(value)
            if name in ("src", "href", "xlink:href", "data", "action", "srcset", "poster"):
                self.addresses.append(value)
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in _VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        if tag in _VOID:
            return
        assert self.open.pop() == tag


@pytest.fixture
def records(scored):
    made = [
        scored(method, evaluator, answers)
        for method, answers in (("byol", "1110" * 9), ("random", "0100" * 9))
        for evaluator in ("linear", "knn")
    ]
    return made + [
        scored(method, "robustness", answers * 9, condition=f"noise/{severity}")
        for method, answers in (("byol", "1100"), ("random", "0100"))
        for severity in (1, 2)
    ]


@pytest.fixture
def judgement(claim):
    return Judgement(
        claim=claim(), verdict=Verdict.NOT_MEASURED, reason="needs ObjectNet & more <here>"
    )


def test_the_page_loads_nothing_from_elsewhere(records, judgement):
    page = render_page(Report(title="t", scored=records, judgements=[judgement]))
    reader = Reader(page)

    assert all(a.startswith(("#", "data:")) for a in reader.addresses)
    assert {tag for tag, a in reader.tags if "src" in a} <= {"img"}
    assert "@import" not in page
    assert not re.search(r"url\((?!#)", page)


def test_the_policy_allows_the_pages_own_style_and_scripts_alone(judgement):
    page = render_page(Report(title="t", judgements=[judgement]))

    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', page)
    own = [*re.findall(r"<style>(.*?)</style>", page, re.DOTALL)]
    own += re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    hashes = {base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in own}
    assert len(own) == 3
    assert set(re.findall(r"&#39;sha256-([^&]+)&#39;", policy)) == hashes
    assert policy.startswith("default-src &#39;none&#39;")
    assert "unsafe" not in policy


def test_headings_begin_at_one_and_never_skip_a_level(records, judgement):
    headings = Reader(
        render_page(Report(title="t", scored=records, judgements=[judgement]))
    ).headings

    assert headings.count(1) == 1
    assert headings[0] == 1
    assert all(b <= a + 1 for a, b in pairwise(headings))


def test_every_table_has_a_caption_and_every_header_cell_a_scope(records, judgement):
    reader = Reader(render_page(Report(title="t", scored=records, judgements=[judgement])))

    tags = [tag for tag, _ in reader.tags]
    assert tags.count("table") == tags.count("caption") == 4
    assert all("scope" in a for tag, a in reader.tags if tag == "th")


def test_no_identifier_occurs_twice_and_every_link_has_its_target(records):
    other = [replace(i, record=replace(i.record, dataset="pacs")) for i in records]
    reader = Reader(render_page(Report(title="t", scored=records + other)))

    assert len(reader.ids) == len(set(reader.ids))
    links = {a[1:] for a in reader.addresses if a.startswith("#")}
    assert links <= set(reader.ids)


def test_figures_are_described_in_words_with_their_numbers(records):
    page = render_page(Report(title="t", scored=records))
    reader = Reader(page)

    pictures = [a for tag, a in reader.tags if tag == "svg" and a.get("role") == "img"]
    described = re.findall(r'<desc id="([^"]+)">([^<]+)</desc>', page)
    assert len(pictures) == len(described) == 4  # linear, k-NN, corruption, severity
    assert [a["aria-describedby"] for a in pictures] == [name for name, _ in described]
    assert {a["aria-labelledby"] for a in pictures} <= set(reader.ids)
    assert described[0][1].startswith("Linear top-1 in percent by method: byol 75.0 ±")
    assert "severity 1 50.0" in described[3][1]


def test_a_hostile_name_is_shown_and_not_run(scored, claim):
    evil = "<script>alert(1)</script>"
    report = Report(
        title=evil,
        scored=[scored(evil, notes=(evil,), dataset=evil), scored("random", dataset=evil)],
        judgements=[
            Judgement(claim=claim(method=evil), verdict=Verdict.INVALID, reason=evil),
        ],
        commands=[evil],
    )

    page = render_page(report)

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "\\u003cscript>alert(1)" in page  # in the data that the page's script reads
    Reader(page)


def test_a_page_without_records_says_so():
    page = render_page(Report(title="nothing yet"))

    Reader(page)
    assert "There are no records." in page
    assert "No measurement of this report belongs to a registered claim." in page


def test_a_missing_measurement_is_called_missing(scored):
    page = render_page(Report(title="t", scored=[scored("byol"), scored("random")]))

    assert re.search(r'class="missing">missing<span class="note">not measured', page)


def test_every_verdict_has_a_badge_in_words(claim):
    judgements = [
        Judgement(claim=claim(id=str(verdict)), verdict=verdict, reason="r") for verdict in Verdict
    ]

    page = render_page(Report(title="t", judgements=judgements))

    for verdict in Verdict:
        words = str(verdict).replace("_", " ")
        assert re.search(rf'<use href="#sign-{verdict}"/></svg>{words}</span>', page)
        assert f'<symbol id="sign-{verdict}"' in page


def test_the_same_report_gives_the_same_bytes(records, judgement):
    first, second = (
        render_page(Report(title="t", scored=order, judgements=[judgement]))
        for order in (records, records)
    )

    assert first == second
    assert "\r" not in first


def test_reasons_of_claims_are_on_the_page(judgement):
    page = render_page(Report(title="t", judgements=[judgement]))

    assert "needs ObjectNet &amp; more &lt;here&gt;" in page
    assert "<b>1</b> <span>not measured</span>" in page


def test_provenance_shows_hashes_protocols_and_seeds(scored):
    page = render_page(
        Report(title="t", scored=[scored("byol", seed=s, protocol_fields={"k": 5}) for s in (0, 7)])
    )

    assert ">0, 7</td>" in page
    assert "linear_test/1" in page
    assert "k 5" in page


def test_earlier_records_are_counted_and_not_shown(scored):
    old = scored("byol", answers="0000", weights_sha256="0" * 64)

    page = render_page(Report(title="t", scored=[old, scored("byol", answers="1111")]))

    assert "1 earlier record of the same measurements" in page
    assert "000000000000" not in page


def test_the_headline_counts_what_was_measured_completely(claim):
    judgements = [
        Judgement(claim=claim(id=f"{n}"), verdict=verdict, reason="r")
        for n, verdict in enumerate(
            [Verdict.REPRODUCED] * 3 + [Verdict.EXCEEDS, Verdict.NOT_MEASURED, Verdict.CONSISTENT]
        )
    ]

    page = render_page(Report(title="t", judgements=judgements))

    # Three of four: a part of the images and what was not measured do not count.
    assert "<strong>3</strong> of 4<span>" in page
    # scipy.stats.binomtest(3, 4).proportion_ci(method="wilson")
    assert "75.0 %, 95 % Wilson interval 30.1 to 95.4 %" in page


def test_another_part_of_the_report_can_bring_a_section_of_its_own():
    section = Section(
        name="masks",
        title="Masks & more",
        text=["One <paragraph>."],
        tables=[PlainTable(caption="c", header=["a", "b"], rows=[["1", "<2>"]])],
        pictures=[Picture(png=b"png", caption="a mask", description="a road, found")],
    )

    page = render_page(Report(title="t", sections=[section]))

    Reader(page)
    assert '<a href="#masks">Masks &amp; more</a>' in page
    assert "One &lt;paragraph&gt;." in page
    assert "<td>&lt;2&gt;</td>" in page
    assert 'src="data:image/png;base64,cG5n" alt="a road, found"' in page


@pytest.fixture
def folder(tmp_path, records):
    for item in records:
        write_record(tmp_path / "records", item.record, item.correct)
    return tmp_path / "records"


def test_a_folder_of_records_becomes_a_page_tables_and_a_picture(folder, tmp_path):
    report, compared = report_of(folder)

    page = write_report(tmp_path / "out", report)

    assert page == tmp_path / "out" / "report.html"
    assert sorted(f.name for f in (tmp_path / "out").iterdir()) == [
        "accuracy-digits.png", "claims.csv", "claims.md", "comparison.csv", "comparison.md",
        "report.html",
    ]  # fmt: skip
    assert len(compared) == 1
    assert any(c.startswith("relicheck evaluate byol.safetensors") for c in report.commands)


def test_writing_again_gives_the_same_files(folder, tmp_path):
    for name in ("one", "two"):
        write_report(tmp_path / name, report_of(folder)[0])

    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "two" / file.name).read_bytes()


def test_the_order_in_which_records_were_written_does_not_show(folder, tmp_path):
    pages = []
    for name, reverse in (("one", False), ("two", True)):
        copy = tmp_path / name
        copy.mkdir()
        for age, path in enumerate(sorted(folder.iterdir(), reverse=reverse)):
            (copy / path.name).write_bytes(path.read_bytes())
            os.utime(copy / path.name, (age, age))
        pages.append(render_page(report_of(copy)[0]))

    assert pages[0] == pages[1]


def test_a_report_lists_every_claim_or_those_measured(folder):
    everything, _ = report_of(folder)
    measured, _ = report_of(folder, every_claim=False)

    assert len(everything.unmeasured) == len(load_claims())  # digits: nobody claims anything
    assert any(table.name == "byol_1a" for table in everything.paper_tables)
    assert everything.contradictions
    assert (measured.unmeasured, measured.paper_tables, measured.contradictions) == ((), [], [])


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(MissingData, match="holds no record"):
        read_scored(tmp_path)
    with pytest.raises(MissingData, match="there is no such folder"):
        read_scored(tmp_path / "absent")


def test_an_edited_record_is_named(folder):
    path = sorted(folder.glob("*.json"))[0]
    path.write_text(path.read_text().replace('"byol"', '"relic"').replace('"random"', '"x"'))

    with pytest.raises(BadRecord, match=path.name):
        read_scored(folder)


def test_an_edited_number_is_found_by_the_hash_of_the_content(folder):
    path = next(p for p in sorted(folder.glob("*.json")) if '"value": 75.0' in p.read_text())
    # The id is a hash of the inputs and does not cover the outcome; the content's does.
    path.write_text(path.read_text().replace('"value": 75.0', '"value": 78.0'))

    with pytest.raises(BadRecord, match="it was edited"):
        read_scored(folder)


def test_exchanged_answers_are_found(folder):
    first, second, *_ = sorted(folder.glob("*.npz"))
    first_bytes, second_bytes = first.read_bytes(), second.read_bytes()
    for path in sorted(folder.glob("*.npz")):
        path.write_bytes(first_bytes if path.read_bytes() == second_bytes else second_bytes)

    with pytest.raises(BadRecord, match="beside it were changed"):
        read_scored(folder)


def test_truncated_answers_are_named(folder):
    path = sorted(folder.glob("*.npz"))[0]
    path.write_bytes(path.read_bytes()[:40])

    with pytest.raises(BadRecord, match=path.name):
        read_scored(folder)


def test_a_baseline_that_nobody_is_called_gets_the_nearest(folder):
    with pytest.raises(UnknownName, match="Did you mean 'random'"):
        report_of(folder, baseline="randon")
