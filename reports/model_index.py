"""Hugging Face model cards: what was measured of a checkpoint, as `model-index` metadata.

The format is huggingface_hub's, `repocard_data.model_index_to_eval_results`; a card is
read by `ModelCard`. Each number stands once, with the claims that it was held against.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .metrics import METRICS
from .tables import judgements_markdown, verdict_words
from .verdict import Judgement

# The hub's names where it has one for what we measure; ours otherwise.
_TYPES = {"top1": "accuracy", "top1_error": "error_rate", "miou": "mean_iou"}


def model_cards(judgements: Iterable[Judgement]) -> dict[str, str]:
    """Return one card for each checkpoint or file of predictions that was judged, by its name.

    Names are sorted; no card mentions a claim that was not measured, or an invalid number.
    """
    found: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
    for judgement in judgements:
        if judgement.measured is not None and judgement.records:
            record = judgement.records[0]
            known = record.weights_sha256 or record.source_sha256 or ""
            found[record.subject, known].append(judgement)
    names = [name for name, _ in found]
    cards = {}
    for (name, digest), about in sorted(found.items()):
        # Two files of one name are two checkpoints.
        title = name if names.count(name) == 1 else f"{name}-{digest[:8]}"
        cards[title] = model_card(title, about)
    return cards


def card_file(name: str) -> str:
    """Return the file name of a card: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name) + ".md"


def model_card(name: str, judgements: Sequence[Judgement]) -> str:
    """Return the card of one checkpoint: metadata, then the same in a table for people."""
    metadata = {"model-index": [{"name": name, "results": results(judgements)}]}
    body = judgements_markdown(judgements)
    return f"---\n{_yaml(metadata)}---\n\n# {name}\n\nMeasured by relicheck.\n\n{body}"


def results(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """Return the entries of `results`: one for each data set, its metrics below it."""
    sets: dict[tuple[str, ...], dict[tuple[str, ...], list[Judgement]]] = defaultdict(dict)
    for judgement in judgements:
        claim, record = judgement.claim, judgement.records[0]
        where = (claim.dataset, claim.data, record.split)
        what = (METRICS[claim.metric].measured_as, claim.condition, *judgement.protocols)
        sets[where].setdefault(what, []).append(judgement)
    return [
        {
            "task": {"type": _task(next(iter(metrics.values()))[0])},
            "dataset": {"name": name, "type": data, "split": split},
            "metrics": [_metric(*what, about=about) for what, about in metrics.items()],
        }
        for (name, data, split), metrics in sets.items()
    ]


def _task(judgement: Judgement) -> str:
    segmented = judgement.claim.task == "segmentation"
    return "image-segmentation" if segmented else "image-classification"


def _metric(
    measured_as: str, condition: str, *protocols: str, about: Sequence[Judgement]
) -> dict[str, Any]:
    claim, value = about[0].claim, about[0].measured
    unit = f" ({claim.unit})" if claim.unit == "%" else ""
    shown = f", {condition}" if condition else ""
    return {
        "type": _TYPES.get(measured_as, measured_as),
        # Six decimals: a sum in another order must not change the file.
        "value": round(value, 6) if value is not None else None,
        "name": f"{claim.metric}{unit}{shown}",
        "config": ", ".join(protocols),
        "args": {"claims": [_claim(judgement) for judgement in about]},
    }


def _claim(judgement: Judgement) -> dict[str, str]:
    claim = judgement.claim
    return {"id": claim.id, "claimed": claim.value, "verdict": verdict_words(judgement)}


def _yaml(value: Mapping[str, Any] | Sequence[Any], indent: int = 0) -> str:
    """Return mappings and lists as YAML in blocks, scalars as JSON, which YAML contains.

    Our own few lines, as the emitters of YAML differ in how they break and quote.
    """
    pad = "  " * indent
    lines = ""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(item, Mapping | list):
                lines += f"{pad}{key}:\n{_yaml(item, indent + 1)}"
            else:
                lines += f"{pad}{key}: {_scalar(item)}\n"
        return lines
    for item in value:
        # The dash takes the place of the first line's indentation.
        lines += f"{pad}- {_yaml(item, indent + 1).removeprefix(pad + '  ')}"
    return lines


def _scalar(value: object) -> str:
    # YAML 1.1 reads 1e-05 as text: no exponent.
    if isinstance(value, float):
        return f"{value:.6f}".rstrip("0").rstrip(".") if "e" in repr(value) else repr(value)
    return json.dumps(value, ensure_ascii=False)
