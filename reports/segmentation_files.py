"""What a report says of segmentation: a table, a chart of classes, and pictures to look at."""

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..checkpoints.errors import BadRecord, RelicheckError
from ..evaluations.dataset import is_registered, open_split
from ..evaluations.image_source import ImageSource, masks_of
from ..evaluations.segmentation.dataset import SegmentationDataset, segmentation_dataset
from ..evaluations.segmentation.kept import read_confusions
from ..evaluations.segmentation.scores import (
    bootstrap,
    class_intervals,
    class_iou,
    confusion,
    mean_iou,
    pixel_accuracy,
)
from ..evaluations.segmentation.shown import read_shown
from ..evaluations.sources import part
from .figures import png_bytes
from .layout import markdown_table
from .page.labelled import free
from .page.report import Picture, PlainTable, Section
from .scored import Scored
from .segmentation_figures import ClassScores, Compared, class_figure, gallery_figure

# More models than this side by side leave each picture too small to see anything in.
_MODELS_SHOWN = 3
HEADER = ("Subject", "Evaluator", "Seed", "mIoU (%)", "95 % interval", "Pixel accuracy (%)",
          "Images", "Record")  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False)
class _Model:
    """A record of mIoU with the matrices beside it."""

    item: Scored
    path: Path
    confusions: np.ndarray  # [images, classes, classes] int64

    @property
    def subject(self) -> str:
        """Return what was measured: the baseline, the file, or a network without one."""
        record = self.item.record
        if record.condition:
            return record.condition.replace("_", " ")
        # Untrained networks of several sizes share the name of what was not done to them.
        nameless = record.subject == record.method and record.architecture != "none"
        return f"{record.subject} {record.architecture}" if nameless else record.subject

    @property
    def name(self) -> str:
        """Return the subject with seed and evaluator."""
        record = self.item.record
        if record.condition:
            return self.subject
        seed = f" #{record.seed}" if record.seed else ""
        way = record.evaluator.removeprefix("segmentation").strip("_")
        return f"{self.subject}{seed}, {way or 'fine-tuned'}"


@dataclass(frozen=True, kw_only=True)
class SegmentationSet:
    """What a report says of one data set that was segmented."""

    dataset: str
    split: str
    rows: Sequence[Sequence[str]]  # of the table, under HEADER
    chart: bytes  # PNG: IoU by class
    pictures: bytes | None  # PNG: image, truth and predictions side by side; None: not drawn
    said: str  # which images the pictures show and whose they are, or why there are none
    licence: str  # of the images; "" where the set is not registered

    @property
    def title(self) -> str:
        """Return the data set and the split."""
        return f"{self.dataset} ({self.split})"


def segmentation_sets(scored: Sequence[Scored]) -> list[SegmentationSet]:
    """Return what was segmented, by data set; [] where nothing was.

    Pictures are of images evenly spread over the split. They need the images: where these
    are not there, or are others, `said` says so instead.

    Args:
        scored: records, of which those of mIoU with their matrices are used.

    Raises:
        ModuleNotFoundError: matplotlib is not installed.
        BadRecord: matrices that are damaged.
    """
    return [_set(dataset, split, models) for (dataset, split), models in _groups(scored).items()]


def _set(dataset: str, split: str, models: Sequence[_Model]) -> SegmentationSet:
    names = _class_names(dataset, models)
    shown = _one_floor(models)
    chart = png_bytes(class_figure([_class_scores(model) for model in shown], names))
    pictures: bytes | None = None
    try:
        pictures, said = _gallery(dataset, split, models)
    except RelicheckError as error:
        said = f"No pictures: {error}"
    return SegmentationSet(
        dataset=dataset,
        split=split,
        rows=_rows(models),
        chart=chart,
        pictures=pictures,
        said=said,
        licence=segmentation_dataset(dataset).licence if is_registered(dataset) else "",
    )


def segmentation_files(sets: Sequence[SegmentationSet]) -> dict[str, bytes]:
    """Return the files of a report about segmentation, by name; {} where nothing was measured.

    `segmentation.md` is the table; for each data set `class-iou-<set>.png` is the chart, and
    `segmentation-<set>.png` the pictures.
    """
    files: dict[str, bytes] = {}
    for one in sets:
        files[f"class-iou-{one.dataset}.png"] = one.chart
        if one.pictures is not None:
            files[f"segmentation-{one.dataset}.png"] = one.pictures
    if sets:
        texts = [f"# {one.title}\n\n{markdown_table(HEADER, one.rows)}\n\n{one.said}\n"
                 for one in sets]  # fmt: skip
        files["segmentation.md"] = "\n".join(texts).encode()
    return files


def segmentation_sections(sets: Sequence[SegmentationSet]) -> list[Section]:
    """Return the sections of the page about what was segmented.

    Photographs are embedded under a free licence only; others lie beside the page.
    """
    return [_section(one) for one in sets]


def _section(one: SegmentationSet) -> Section:
    pictures = [
        Picture(
            png=one.chart,
            caption="IoU of every class with its 95 % interval over images.",
            description=f"Bars of the IoU of every class of {one.title}, one for each model; the "
            "table above has their means.",
        )
    ]
    said = one.said
    if one.pictures is not None and free(one.licence):
        pictures.append(
            Picture(
                png=one.pictures,
                caption=one.said,
                description=f"Images of {one.title} beside their true and predicted masks.",
            )
        )
    elif one.pictures is not None:
        said += f" They lie beside this page, in segmentation-{one.dataset}.png."
    name = re.sub("[^a-z0-9]+", "-", f"segmentation-{one.dataset}-{one.split}".lower()).strip("-")
    table = PlainTable(caption="Best first", header=HEADER, rows=one.rows)
    return Section(
        name=name,
        title=f"Segmentation of {one.title}",
        text=[said],
        tables=[table],
        pictures=pictures,
    )


def _groups(scored: Sequence[Scored]) -> dict[tuple[str, str], list[_Model]]:
    groups: dict[tuple[str, str], list[_Model]] = defaultdict(list)
    for item in scored:
        record = item.record
        if record.metric != "miou" or item.path is None:
            continue
        confusions = read_confusions(item.path)
        if confusions is not None:
            model = _Model(item=item, path=item.path, confusions=confusions)
            groups[record.dataset, record.split].append(model)
    for models in groups.values():
        # The best first; the floor, which is the same of every subject, last.
        models.sort(key=lambda m: (bool(m.item.record.condition), -m.item.record.value, m.name))
    return dict(sorted(groups.items()))


def _one_floor(models: Sequence[_Model]) -> list[_Model]:
    """Return the models, and of equal floors one: the majority class is no model's own."""
    seen: set[tuple[str, float]] = set()
    kept = []
    for model in models:
        key = (model.item.record.condition, model.item.record.value)
        if key[0] and key in seen:
            continue
        seen.add(key)
        kept.append(model)
    return kept


def _rows(models: Sequence[_Model]) -> list[Sequence[str]]:
    rows: list[Sequence[str]] = []
    for model in _one_floor(models):
        record, pooled = model.item.record, model.confusions.sum(axis=0)
        miou, _ = bootstrap(model.confusions)
        rows.append(
            (
                model.subject,
                record.evaluator,
                str(record.seed),
                f"{100 * float(mean_iou(pooled)):.2f}",
                f"{100 * miou.low:.2f} to {100 * miou.high:.2f}",
                f"{100 * float(pixel_accuracy(pooled)):.2f}",
                f"{record.images:,}" + ("" if record.complete else f" of {record.data_images}"),
                record.id,
            )
        )
    return rows


def _class_scores(model: _Model) -> ClassScores:
    pooled = model.confusions.sum(axis=0)
    miou, _ = bootstrap(model.confusions)
    return ClassScores(
        name=model.name,
        iou=100 * class_iou(pooled),
        intervals=100 * class_intervals(model.confusions),
        mean=100 * float(mean_iou(pooled)),
        mean_interval=(100 * miou.low, 100 * miou.high),
    )


def _class_names(dataset: str, models: Sequence[_Model]) -> tuple[str, ...]:
    classes = models[0].confusions.shape[1]
    if is_registered(dataset):
        known = segmentation_dataset(dataset)
        if known.classes == classes:
            return known.class_names
    return tuple(f"class {index}" for index in range(classes))


def _gallery(dataset: str, split: str, models: Sequence[_Model]) -> tuple[bytes, str]:
    """Return the picture and what to say of it.

    Raises:
        RelicheckError: the images are not there, or are not those that were scored.
    """
    known = segmentation_dataset(dataset)
    images = len(models[0].confusions)
    kept = {
        model.name: (model, masks)
        for model in models
        if not model.item.record.condition
        and len(model.confusions) == images
        and (masks := read_shown(model.path))
    }
    # The best ones and the worst: what training brings is seen beside what it did not.
    names = list(kept)
    names = [*names[: _MODELS_SHOWN - 1], *names[_MODELS_SHOWN - 1 :][-1:]]
    shown = {name: kept[name] for name in names}
    if not shown:
        raise BadRecord(dataset, "no record keeps predicted masks", "predictions to show")
    source = part(open_split(dataset, split), images)
    chosen = sorted(set.intersection(*(set(masks) for _, masks in shown.values())))
    pictures = [_picture(source, image, list(shown.values())) for image in chosen]
    figure = gallery_figure(pictures, list(shown), known.class_names, known.palette)
    said = (
        f"Pictures of {len(chosen)} of {images} images, evenly spread over the sorted names: "
        f"{', '.join(picture.name for picture in pictures)}. {_credit(known)}"
    )
    return png_bytes(figure), said


def _credit(known: SegmentationDataset) -> str:
    return f"Images and truth: {known.title}, {known.licence}."


def _picture(
    source: ImageSource, image: int, shown: Sequence[tuple[_Model, dict[int, np.ndarray]]]
) -> Compared:
    mask_of = masks_of(source)
    assert mask_of is not None, source.name
    truth = mask_of(image)
    for model, masks in shown:
        # What is shown must be what was counted: these images, this truth, these predictions.
        wanted = model.confusions[image]
        fits = masks[image].shape == truth.shape
        if not fits or not np.array_equal(confusion(truth, masks[image], len(wanted)), wanted):
            raise BadRecord(
                model.path,
                f"its predicted mask of {source.identities[image]} does not give the confusion "
                "matrix that was counted",
                "the images, masks and predictions of the record",
                "Measure again.",
            )
    return Compared(
        name=source.identities[image],
        image=source[image],
        truth=truth,
        predictions=[masks[image] for _, masks in shown],
    )
