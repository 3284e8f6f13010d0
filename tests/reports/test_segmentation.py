"""What a report shows of segmentation: figures that can be read, pictures of what was counted."""

import csv
import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from relicheck.evaluations.evaluate import evaluate
from relicheck.evaluations.segmentation.scores import mean_iou
from relicheck.evaluations.segmentation.shown import read_shown, write_shown
from relicheck.reports.claim_registry import load_claims
from relicheck.reports.figures import png_bytes
from relicheck.reports.report_files import report_of, write_report
from relicheck.reports.scored import read_scored
from relicheck.reports.segmentation_figures import (
    ClassScores,
    Compared,
    class_figure,
    coloured,
    gallery_figure,
    wrong_pixels,
)
from relicheck.reports.segmentation_files import (
    segmentation_files,
    segmentation_sections,
    segmentation_sets,
)
from relicheck.reports.segmentation_table import Row, table

CLASSES = ("sky", "road", "car")
PALETTE = ((10, 20, 30), (200, 0, 0), (0, 200, 0))


def pixels_of(png):
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB"))


@pytest.fixture
def camvid(tmp_path, monkeypatch):
    """Four training and three test images in CamVid's layout, smaller."""
    rng = np.random.default_rng(0)
    for split, count in (("train", 4), ("val", 1), ("test", 3)):
        for number in range(count):
            for kind, array in (
                ("images", rng.integers(0, 256, size=(12, 16, 3))),
                ("masks", rng.integers(0, 12, size=(12, 16))),
            ):
                path = tmp_path / "data" / "camvid" / split / kind / f"{number:04d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(array.astype(np.uint8)).save(path)
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path / "data"))
    evaluate(
        "raw_pixels",
        "camvid",
        ["segmentation_linear"],
        records=tmp_path / "records",
        overrides={"segmentation_linear.steps": 5, "segmentation_linear.warmup_steps": 1},
    )
    return tmp_path


def test_a_mask_is_shown_in_its_classes_colours_and_255_in_white():
    mask = np.array([[0, 1, 255]], dtype=np.uint8)

    assert coloured(mask, PALETTE).tolist() == [[[10, 20, 30], [200, 0, 0], [255, 255, 255]]]


def test_wrong_pixels_are_darker_than_right_ones_and_unscored_ones_are_white():
    truth = np.array([[0, 1, 255]], dtype=np.uint8)
    guess = np.array([[0, 2, 1]], dtype=np.uint8)

    right, wrong, unscored = wrong_pixels(truth, guess)[0].astype(int)

    assert unscored.tolist() == [255, 255, 255]
    assert right.mean() > wrong.mean() + 100  # told apart by lightness alone


def test_the_gallery_holds_the_pixels_of_image_truth_and_prediction():
    truth = np.zeros((60, 80), dtype=np.uint8)
    guess = np.ones((60, 80), dtype=np.uint8)
    picture = Compared(
        name="a", image=np.full((60, 80, 3), (1, 99, 2), np.uint8), truth=truth, predictions=[guess]
    )

    shown = pixels_of(png_bytes(gallery_figure([picture] * 2, ["byol"], CLASSES, PALETTE)))

    for colour in ((1, 99, 2), PALETTE[0], PALETTE[1]):
        # Two panels of some 350 x 260 dots, besides a patch in the legend.
        assert np.count_nonzero((shown == colour).all(axis=2)) > 100_000


def test_the_same_pictures_give_the_same_bytes():
    one = np.zeros((12, 16), dtype=np.uint8)
    picture = Compared(
        name="a", image=np.zeros((12, 16, 3), np.uint8), truth=one, predictions=[one]
    )

    first, second = (
        png_bytes(gallery_figure([picture], ["a"], CLASSES, PALETTE)) for _ in range(2)
    )

    assert first == second


def test_the_chart_has_a_bar_for_each_class_and_the_mean():
    scores = ClassScores(
        name="byol",
        iou=np.array([50.0, np.nan, 10.0]),
        intervals=np.array([[45.0, 55.0], [np.nan, np.nan], [8.0, 12.0]]),
        mean=30.0,
        mean_interval=(28.0, 32.0),
    )

    axes = class_figure([scores], CLASSES).axes[0]

    assert [text.get_text() for text in axes.get_yticklabels()] == ["mean (mIoU)", *CLASSES]
    assert [bar.get_width() for bar in axes.patches] == [30.0, 50.0, 0.0, 10.0]


def test_many_models_differ_by_colour_or_hatching():
    scores = [
        ClassScores(
            name=str(n), iou=np.ones(3), intervals=np.ones((3, 2)), mean=1.0, mean_interval=(1, 1)
        )
        for n in range(8)
    ]

    axes = class_figure(scores, CLASSES).axes[0]

    looks = {(bar.get_facecolor(), bar.get_hatch()) for bar in axes.patches}
    assert len(looks) == 8


def test_a_report_writes_table_chart_and_pictures(camvid):
    report, _ = report_of(camvid / "records")

    write_report(camvid / "out", report)

    text = (camvid / "out" / "segmentation.md").read_text()
    assert "raw_pixels | segmentation_linear" in text
    assert "majority class" in text
    assert "Pictures of 3 of 3 images, evenly spread over the sorted names: 0000, 0001, 00" in text
    assert "CC BY-NC 4.0" in text
    for name in ("class-iou-camvid.png", "segmentation-camvid.png"):
        assert pixels_of((camvid / "out" / name).read_bytes()).std() > 10


def test_without_the_images_the_table_says_why_there_are_no_pictures(camvid, monkeypatch):
    monkeypatch.setenv("RELICHECK_DATA", str(camvid / "elsewhere"))

    files = segmentation_files(segmentation_sets(read_scored(camvid / "records")))

    assert sorted(files) == ["class-iou-camvid.png", "segmentation.md"]
    assert b"No pictures: camvid is not under" in files["segmentation.md"]


def test_predictions_that_were_not_counted_are_not_shown(camvid):
    (item,) = [
        item
        for item in read_scored(camvid / "records")
        if item.record.metric == "miou" and not item.record.condition
    ]
    masks = read_shown(item.path)
    masks[1] = (masks[1] + 1) % 11
    write_shown(item.path, masks)

    files = segmentation_files(segmentation_sets([item]))

    assert "segmentation-camvid.png" not in files
    assert b"its predicted mask of 0001 does not give the confusion" in files["segmentation.md"]


def test_the_page_has_the_table_and_the_chart_and_no_photographs_of_a_closed_licence(camvid):
    (one,) = segmentation_sets(read_scored(camvid / "records"))
    (section,) = segmentation_sections([one])

    assert section.name == "segmentation-camvid-test"
    assert [tuple(row)[3] for row in section.tables[0].rows] == [row[3] for row in one.rows]
    assert [picture.png for picture in section.pictures] == [one.chart]
    assert section.text[0].endswith("beside this page, in segmentation-camvid.png.")


def test_the_page_shows_photographs_under_a_free_licence(camvid):
    (one,) = segmentation_sets(read_scored(camvid / "records"))
    (section,) = segmentation_sections([replace(one, licence="CC BY 4.0")])

    assert [picture.png for picture in section.pictures] == [one.chart, one.pictures]


def test_records_of_images_give_no_segmentation_files(scored):
    assert segmentation_sets([scored("byol")]) == []
    assert segmentation_files([]) == {}


def test_the_table_sets_each_backbone_beside_the_best_untrained_one(scored):
    rng = np.random.default_rng(0)
    weak = rng.integers(1, 50, size=(30, 11, 11))
    strong = weak + 200 * np.eye(11, dtype=np.int64)

    def row(name, confusions):
        record = scored(name, metric="miou", protocol="segmentation_linear/1").record
        return Row(name=name, record=record, confusions=confusions)

    markdown, text = table([row("byol", strong), row("a untrained", weak), row("floor", weak)])

    byol, untrained, floor = list(csv.DictReader(io.StringIO(text)))
    assert float(byol["mIoU (%)"]) == pytest.approx(100 * mean_iou(strong.sum(axis=0)), abs=0.05)
    assert byol["mIoU minus a untrained"].startswith("+")
    assert untrained["mIoU minus a untrained"] == ""
    assert floor["mIoU minus a untrained"] == "+0.0 (+0.0 to +0.0)"
    assert markdown.count("\n") == 5
    assert "sky IoU" in byol


def test_the_papers_claims_are_routed_to_the_fine_tuned_evaluators():
    claims = {claim.id: claim for claim in load_claims()}

    relicv2, byol = claims["relicv2/voc2012/miou/rn50"], claims["byol-paper/byol/voc2012/miou/rn50"]
    cityscapes = claims["relicv2/cityscapes/miou/rn50"]

    # ReLICv2's page names no recipe, so both are admissible; BYOL describes one.
    assert relicv2.evaluators == ("segmentation", "segmentation_mmsegmentation")
    assert relicv2.protocols == ("segmentation_detcon/1", "segmentation_mmsegmentation/1")
    assert byol.evaluators == ("segmentation",)
    assert (relicv2.value, relicv2.data) == ("77.9", "voc2012")
    assert (cityscapes.value, cityscapes.data, cityscapes.unmeasurable) == (
        "75.2",
        "cityscapes",
        "",
    )


def test_a_record_of_a_resnet_50_speaks_of_relicv2_s_claim_on_voc(scored):
    from relicheck.reports.matching import judge_records

    record = scored(
        "ReLICv2", evaluator="segmentation", metric="miou", value=77.5, images=1_449,
        architecture="ResNet-50 1x", dataset="voc2012", split="val", data_images=1_449,
        protocol="segmentation_detcon/1",
    ).record  # fmt: skip

    judged = judge_records([replace(record, seed=seed) for seed in range(5)], load_claims())

    assert [j.claim.id for j in judged] == ["relicv2/voc2012/miou/rn50"]
