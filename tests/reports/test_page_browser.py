"""The page as people use it: in a real browser, by mouse and by keyboard, in every size.

Chromium is the machine's own (never fetched), driven by playwright; where either is
missing these tests are skipped. One browser serves all of them.
"""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest

from relicheck.reports.bare import bare_judgement
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.contradictions import load_contradictions
from relicheck.reports.page import Report, render_page
from relicheck.reports.paper_tables import paper_tables
from relicheck.reports.verdict import Judgement, Verdict

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt install chromium")

HOSTILE = "<img src=x onerror=alert(1)>"
DEEP = "vissl-zoo/simclr-800ep/imagenet/linear-top1/rn50"  # far below the first fifty rows


def _judged(index: int, claim) -> Judgement:
    """One measured claim: every fourth is off by two margins, the others by a third of one."""
    off = (-2, 0.3, 2, -0.3)[index % 4] * max(claim.margin, 0.1)
    half = 0.1 * abs(off) + claim.rounding
    verdict = {0: Verdict.NOT_REPRODUCED, 2: Verdict.EXCEEDS}.get(index % 4, Verdict.REPRODUCED)
    return Judgement(
        claim=claim,
        verdict=verdict,
        reason=f"off by {off:+.2f}",
        measured=claim.number + off,
        standard_error=half / 2,
        interval=(off - half, off + half),
        difference=off,
        margin=claim.margin,
        protocols=("linear_test/1",),
    )


@pytest.fixture(scope="session")
def judgements(scored):
    """All claims of the registry, the first hundred measurable ones as if measured."""
    claims = [claim for claim in load_claims() if not claim.recalled]
    some = [claim for claim in claims if claim.data == "imagenet" and claim.unit == "%"][:100]
    record = scored("byol").record
    judged = [_judged(index, claim) for index, claim in enumerate(some)]
    judged[0] = replace(judged[0], records=(record,), reason=HOSTILE)
    ids = {claim.id for claim in some}
    return judged, [bare_judgement(claim) for claim in load_claims() if claim.id not in ids]


@pytest.fixture(scope="session")
def report_path(tmp_path_factory, scored, judgements):
    judged, unmeasured = judgements
    records = [
        scored(method, evaluator, answers)
        for method, answers in (("byol", "1110" * 9), ("random", "0100" * 9))
        for evaluator in ("linear", "knn")
    ]
    report = Report(
        title="Do the claims hold?",
        scored=records,
        judgements=judged,
        unmeasured=unmeasured,
        contradictions=load_contradictions(),
        paper_tables=list(paper_tables(judged).values())[:12],
        commands=["relicheck evaluate byol.safetensors --data digits"],
    )
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(render_page(report), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator["sync_api.Browser"]:
    # As root, in a container, Chromium has no sandbox to put itself into.
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, report_path):
    """Open the page: visit(width=360). Nothing may be logged or asked of the network."""
    contexts, heard, asked = [], [], []

    def open_page(address="", width=1280, scripts=True, **options):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            reduced_motion=options.pop("reduced_motion", "reduce"),
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{report_path.as_uri()}{address}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert heard == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def shown(page) -> list[str]:
    """The ids of the claims in the table, in its order."""
    return page.eval_on_selector_all("tr[data-claim]", "rows => rows.map(r => r.dataset.claim)")


def column(page, number: int) -> list[str]:
    return page.eval_on_selector_all(
        f"tr[data-claim] > :nth-child({number})", "cells => cells.map(c => c.textContent)"
    )


def test_the_table_shows_the_first_claims_and_says_how_many_there_are(visit):
    page = visit()

    assert len(shown(page)) == 50
    assert page.inner_text("#shown") == f"50 of {len(load_claims()):,} claims shown"
    page.click("#all")
    assert len(shown(page)) == len(load_claims())


def test_what_needs_attention_comes_first(visit):
    words = column(visit(), 7)

    assert words[:25] == ["not reproduced"] * 25
    assert words[25:50] == ["exceeds"] * 25


def test_more_rows_come_on_demand_and_the_keyboard_goes_on_with_them(visit):
    page = visit()

    page.focus("#more")
    page.keyboard.press("Enter")

    assert len(shown(page)) == 100
    fiftieth = page.evaluate("document.activeElement.closest('tr').dataset.claim")
    assert fiftieth == shown(page)[50]


def test_a_search_finds_the_claims_that_hold_every_word(visit):
    page = visit()

    page.fill("#search", "ObjectNet BYOL")

    def text(claim):
        fields = (claim.id, claim.method, claim.architecture, claim.dataset, claim.metric,
                  claim.paper, claim.table, claim.value)  # fmt: skip
        return " ".join(fields).lower()

    expected = {c.id for c in load_claims() if {"objectnet", "byol"} <= _words_in(text(c))}
    assert expected
    assert set(shown(page)) == expected


def _words_in(text: str) -> set[str]:
    return {word for word in ("objectnet", "byol") if word in text}


def test_a_search_that_nothing_fits_says_what_to_do(visit):
    page = visit()

    page.fill("#search", "no such claim")

    assert shown(page) == []
    assert "reset the filters" in page.inner_text("#shown")
    page.click("button[type=reset]")
    page.wait_for_selector("tr[data-claim]")
    assert len(shown(page)) == 50


def test_filters_are_chosen_by_keyboard_and_hold_together(visit):
    page = visit()

    page.focus("#filter-paper")
    page.keyboard.type("ReLICv2")
    page.keyboard.press("Tab")
    page.keyboard.type("ObjectNet")
    page.keyboard.press("Tab")

    expected = {c.id for c in load_claims() if (c.paper, c.dataset) == ("ReLICv2", "ObjectNet")}
    assert len(expected) == 5
    assert set(shown(page)) == expected


def test_a_count_of_the_summary_filters_by_its_verdict(visit, judgements):
    page = visit()

    page.click(".tile[data-verdict=exceeds]")

    assert set(shown(page)) == {j.claim.id for j in judgements[0] if j.verdict == "exceeds"}
    assert page.get_attribute(".tile[data-verdict=exceeds]", "aria-pressed") == "true"
    assert page.input_value("#filter-verdict") == "exceeds"
    page.click(".tile[data-verdict=exceeds]")
    assert page.input_value("#filter-verdict") == ""


def test_a_heading_sorts_up_then_down_and_says_so(visit):
    page = visit()
    head = page.locator("th[data-sort=value]")

    head.locator("button").click()
    rising = [float(v.split()[0]) for v in column(page, 4)]
    assert head.get_attribute("aria-sort") == "ascending"
    assert rising == sorted(rising)

    page.keyboard.press("Enter")  # the heading still has the focus
    falling = [float(v.split()[0]) for v in column(page, 4)]
    assert head.get_attribute("aria-sort") == "descending"
    assert falling == sorted(falling, reverse=True)
    assert falling[0] == max(claim.number for claim in load_claims())


@pytest.mark.parametrize("clicks", [1, 2])
def test_claims_without_a_number_come_last_both_ways(visit, clicks):
    page = visit()

    for _ in range(clicks):
        page.click("th[data-sort=difference] button")
    page.click("#more")

    assert all(column(page, 6)[:100])


def test_a_row_opens_by_keyboard_to_interval_source_and_command(visit, judgements):
    page = visit()
    claim = judgements[0][0].claim
    page.fill("#search", claim.id)

    page.focus(".opener")
    page.keyboard.press("Enter")

    assert page.get_attribute(".opener", "aria-expanded") == "true"
    detail = page.inner_text(".detail")
    assert claim.source in detail
    assert f"relicheck verify --claim {claim.id}" in detail
    assert "margin ±" in page.text_content(".forest title")
    assert page.evaluate("location.hash") == f"#{claim.id}"
    page.keyboard.press("Enter")
    assert page.locator(".detail").count() == 0


def test_a_record_shows_its_whole_hashes(visit, judgements, scored):
    page = visit(f"#{judgements[0][0].claim.id}")

    page.click("details.record summary")

    facts = page.inner_text("details.record")
    record = scored("byol").record
    for text in (record.id, record.weights_sha256, record.data_fingerprint, record.protocol):
        assert text in facts


def test_what_a_record_says_is_text_and_never_runs(visit, judgements):
    page = visit(f"#{judgements[0][0].claim.id}")

    assert HOSTILE in page.inner_text(".detail")
    assert page.locator(".detail img").count() == 0


def test_an_address_with_a_claims_id_opens_that_claim(visit):
    page = visit(f"#{DEEP}")

    assert page.evaluate("document.activeElement.closest('tr').dataset.claim") == DEEP
    assert DEEP in page.inner_text(".detail")
    box = page.locator(f"tr[data-claim='{DEEP}']").bounding_box()
    assert 0 <= box["y"] < 900


def test_a_link_in_a_figure_opens_its_claim_whatever_is_filtered(visit):
    page = visit()
    page.fill("#search", "nothing of this name")

    link = page.locator("#pictures ~ .figures a").first
    link.dispatch_event("click")

    assert page.evaluate("location.hash.slice(1)") in shown(page)
    assert page.locator(".detail").count() == 1
    assert page.input_value("#search") == ""


def test_the_theme_follows_the_system_until_it_is_chosen(visit):
    page = visit(color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)

    page.click("#theme")

    assert page.inner_text("#theme") == "Theme: light"
    assert page.evaluate(paper) != dark
    page.reload()
    assert page.inner_text("#theme") == "Theme: light"
    page.click("#theme")
    assert page.evaluate(paper) == dark


@pytest.mark.parametrize("width", [360, 768, 1280, 2560])
def test_nothing_is_wider_than_the_window(visit, width):
    page = visit(f"#{DEEP}", width=width)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_first_stop_of_the_tab_key_skips_to_the_content(visit):
    page = visit()

    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_every_stop_of_the_tab_key_is_outlined(visit):
    page = visit()

    for _ in range(25):
        page.keyboard.press("Tab")
        outline = page.evaluate(
            "(e => [e.tagName, getComputedStyle(e).outlineStyle])(document.activeElement)"
        )
        assert outline[1] != "none", outline


# Every text on the page against what is painted behind it, by the formula of WCAG 2.2.
_CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const known = new Map();
  const rgba = (colour) => {
    if (!known.has(colour)) known.set(colour, painted(colour));
    return known.get(colour);
  };
  const painted = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => [r, g, b]
    .map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour[3] === 255) return colour;
    }
    return [255, 255, 255, 255];
  };
  const seen = new Map();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const style = getComputedStyle(element);
    const words = walker.currentNode.data.trim().slice(0, 40);
    if (!words || element.closest("script, style, title, desc, option")) continue;
    if (!element.getClientRects().length) continue;
    const inSvg = element instanceof SVGElement;
    const [text, paper] = [rgba(inSvg ? style.fill : style.color), behind(element)];
    const [a, b] = [light(text), light(paper)].sort((x, y) => y - x);
    seen.set(`${text} on ${paper}`, [(a + 0.05) / (b + 0.05), words]);
  }
  return [...seen].map(([pair, [ratio, words]]) => [ratio, pair, words]);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_level_aa(visit, scheme):
    page = visit(f"#{DEEP}", color_scheme=scheme)

    found = page.evaluate(_CONTRAST)

    assert len(found) >= 8
    assert [entry for entry in found if entry[0] < 4.5] == []


def test_choosing_among_all_claims_takes_less_than_50_ms(visit):
    page = visit()

    taken = page.evaluate(
        """() => ["relic", "byol imagenet", "knn", "top1", "", "resnet-50", "vissl"].map((text) => {
          const search = document.getElementById("search");
          const before = performance.now();
          search.value = text;
          search.dispatchEvent(new Event("input"));
          document.body.offsetHeight;  // the layout belongs to it
          return performance.now() - before;
        })"""
    )

    # The machine may be busy with something else for one or two of them: half must be in time.
    assert sorted(taken)[len(taken) // 2] < 50, taken


def test_on_paper_there_is_no_toolbar_and_the_ink_is_dark(visit):
    page = visit(color_scheme="dark")

    page.emulate_media(media="print")

    assert not page.is_visible(".filters")
    assert not page.is_visible("#theme")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(22, 25, 29)"


def test_nobody_is_scrolled_about_who_asked_for_less_motion(visit):
    scroll = "getComputedStyle(document.documentElement).scrollBehavior"

    assert visit(reduced_motion="reduce").evaluate(scroll) == "auto"
    assert visit(reduced_motion="no-preference").evaluate(scroll) == "smooth"


def test_without_scripts_every_judged_claim_is_still_there(visit, judgements):
    page = visit(scripts=False)

    rows = page.locator("#claim-table tbody tr")
    assert rows.count() == len(judgements[0])
    assert not page.is_visible(".filters")


def test_headings_step_by_one_level_with_a_claim_open(visit, judgements):
    page = visit(f"#{judgements[0][0].claim.id}")

    levels = page.eval_on_selector_all("h1, h2, h3, h4, h5", "all => all.map(h => +h.tagName[1])")

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
