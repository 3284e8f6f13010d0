"""Effective robustness: the line in logits, the networks it goes through, what is left out."""

import math

import pytest

from relicheck.reports.page.effective import fit, panels
from relicheck.reports.page.effective_figure import effective_figure, methods_of
from relicheck.reports.verdict import Judgement, Verdict


def judged(claim, measured=None):
    verdict = Verdict.NOT_MEASURED if measured is None else Verdict.REPRODUCED
    return Judgement(claim=claim, verdict=verdict, reason="r", measured=measured)


@pytest.fixture
def network(claim):
    """Two claims of one network: its ImageNet accuracy, and its accuracy on a shifted set."""

    def build(method, imagenet, shifted, data="objectnet", **fields):
        shared = {"method": method, "paper": "a testbed", "task": "linear", **fields}
        return [
            judged(claim(id=f"{method}/{data}/i", dataset="ImageNet", data="imagenet",
                         value=imagenet, **shared)),
            judged(claim(id=f"{method}/{data}/s", data=data, value=shifted, **shared)),
        ]  # fmt: skip

    return build


@pytest.fixture
def four(network):
    return [
        *network("Supervised a", "50", "20"),
        *network("Supervised b", "60", "27.27272727"),
        *network("Supervised c", "80", "50"),
        *network("BYOL", "80", "60"),
    ]


def test_the_baseline_is_straight_in_logits(four):
    [panel] = panels(four)

    # Odds of 1, 1.5, 4 on ImageNet and 1/4, 3/8, 1 under shift: a fourth of them each time.
    assert panel.line.slope == pytest.approx(1.0)
    assert panel.line.intercept == pytest.approx(math.log(1 / 4))
    assert panel.line(50) == pytest.approx(20)


def test_the_fit_is_that_of_least_squares():
    numpy = pytest.importorskip("numpy")
    points = [(56.5, 13.9), (69.8, 26.7), (76.1, 35.8), (77.4, 38.4), (78.3, 40.1)]
    x, y = (numpy.log(p / (100 - p)) for p in numpy.array(points).T)

    slope, intercept = numpy.polyfit(x, y, 1)

    line = fit(points)
    assert (line.slope, line.intercept) == pytest.approx((slope, intercept))


def test_effective_robustness_is_what_lies_above_the_baseline(four):
    [panel] = panels(four)

    byol = next(point for point in panel.points if point.claim.method == "BYOL")

    assert panel.line.networks == 3  # the self-supervised one is held against it, not in it
    assert panel.effective(byol) == pytest.approx(10.0)


def test_two_supervised_networks_make_no_baseline(four):
    [panel] = panels([*four[:4], *four[6:]])

    assert panel.line is None
    assert panel.effective(panel.points[0]) is None


def test_a_network_of_0_percent_is_named_and_has_no_place_on_a_logit_axis(four, network):
    [panel] = panels([*four, *network("Supervised d", "76", "0.0")])

    assert [claim.method for claim in panel.left_out] == ["Supervised d"]
    assert len(panel.points) == 4


def test_a_measured_accuracy_stands_for_the_claimed_one(four, claim):
    shifted = four[1].claim

    [panel] = panels([*four, judged(shifted, measured=21.5)])

    point = next(p for p in panel.points if p.claim.id == shifted.id)
    assert (point.shifted, point.measured) == (21.5, True)


def test_accuracies_of_two_papers_are_not_paired(claim):
    one = judged(claim(dataset="ImageNet", data="imagenet", value="74", paper="one", task="linear"))
    other = judged(claim(value="23", paper="another"))

    assert panels([one, other]) == []


def test_a_recalled_claim_is_not_drawn(network):
    assert panels(network("BYOL", "74", "23", confidence="recalled")) == []


def test_the_picture_has_a_link_for_every_network_and_says_which_were_measured(four):
    [panel] = panels([*four, judged(four[1].claim, measured=21.5)])

    svg = effective_figure(panel, methods_of([panel]), "f")

    for point in panel.points:
        assert f'href="#{point.claim.id}"' in svg
    assert svg.count("hollow") == 3
    assert "(measured)" in svg
    assert "3 supervised networks has slope" in svg
