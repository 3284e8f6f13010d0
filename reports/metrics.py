"""The metrics that claims are printed in: their ranges, and what a record calls them."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric, in the unit it is printed in."""

    measured_as: str  # the name a record gives it
    low: float = 0.0
    high: float = 100.0
    lower_is_better: bool = False
    error_of: str = ""  # the accuracy whose complement it is: record value = 100 - accuracy


METRICS = {
    "top1": Metric(measured_as="top1"),
    "top5": Metric(measured_as="top5"),
    "top1-error": Metric(measured_as="top1_error", lower_is_better=True, error_of="top1"),
    "mean-per-class": Metric(measured_as="mean_per_class"),
    "mean-top1": Metric(measured_as="mean_corruption_top1"),
    # A corruption error is relative to AlexNet's, so it can exceed 100 %; the relative one
    # (Hendrycks and Dietterich, arXiv:1903.12261) divides two small numbers and goes further.
    "CE": Metric(measured_as="ce", high=300.0, lower_is_better=True),
    "mCE": Metric(measured_as="mce", high=300.0, lower_is_better=True),
    "rCE": Metric(measured_as="rce", high=500.0, lower_is_better=True),
    "mrCE": Metric(measured_as="mrce", high=500.0, lower_is_better=True),
    "11-point mAP": Metric(measured_as="map_11_point"),
    "mIoU": Metric(measured_as="miou"),
    "AP50": Metric(measured_as="ap50"),
    "pct-1.25": Metric(measured_as="pct_1.25"),
    "pct-1.25^2": Metric(measured_as="pct_1.25^2"),
    "pct-1.25^3": Metric(measured_as="pct_1.25^3"),
    "rms": Metric(measured_as="rms", high=10.0, lower_is_better=True),
    "rel": Metric(measured_as="rel", high=10.0, lower_is_better=True),
    "delta-top1": Metric(measured_as="delta_top1", low=-100.0),
}

# Metrics of a record that are a share of images: part of the images varies binomially.
SHARES = ("top1", "top5", "top1_error", "real_top1", "real_top5")

# Which units a value of a metric may be printed in; every other metric is in percent.
_UNITS = {"rms": "as printed", "rel": "as printed", "delta-top1": "points"}


def unit_of(metric: str) -> str:
    """Return the unit that `metric` is printed in."""
    return _UNITS.get(metric, "%")
