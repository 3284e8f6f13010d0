"""A protocol as a plain mmsegmentation configuration: what is trained is what is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from ...checkpoints.spec import Preprocessing, ResNetSpec
from .protocol import FcnProtocol, Size

Config = dict[str, Any]  # plain values only: text, numbers, lists, tuples, dicts, True, None

_MODULES = f"{__package__}.mmseg_modules"
_BYTE = 255.0  # mmsegmentation normalises bytes, a checkpoint's statistics are of [0, 1]
# Of mmsegmentation's own heads (their default): what is not scored.
_IGNORE = 255


@dataclass(frozen=True, kw_only=True)
class Network:
    """The backbone that a configuration is made for."""

    checkpoint: str  # a file, or a published name
    spec: ResNetSpec
    preprocessing: Preprocessing


@dataclass(frozen=True, kw_only=True)
class Images:
    """The images that a configuration is made for."""

    data: str  # a registered name, or a folder
    root: str | None  # where data sets lie; None: the data roots
    name: str  # the data set's
    classes: Sequence[str]
    palette: Sequence[Sequence[int]] | None
    limit: int | None = None  # of scored images
    skip_corrupt: bool = False


def config_of(
    protocol: FcnProtocol,
    network: Network,
    images: Images,
    *,
    learning_rate: float,
    seed: int,
    choosing: bool = False,
    workers: int = 0,
) -> Config:
    """Return the configuration of one training run with the scoring that follows it.

    Args:
        protocol: see `FcnProtocol`.
        network: the backbone.
        images: what is trained on and scored.
        learning_rate: one of the protocol's.
        seed: of the new layers, the order and the views.
        choosing: whether a part of the training images is held out and scored, instead of
            training on all and scoring the scored split.
        workers: processes that read images; no number depends on it.
    """
    scored = _scored(protocol, images, choosing)
    folds = ("kept", "held") if choosing else ("all", "all")
    return {
        "default_scope": "mmseg",
        "custom_imports": {"imports": [_MODULES], "allow_failed_imports": False},
        "model": _model(protocol, network, images),
        "train_dataloader": {
            "batch_size": protocol.batch_size,
            **_workers(workers),
            "sampler": {"type": "RelicheckPositions"},
            "dataset": {
                **_dataset(protocol, images, "train", folds[0]),
                "training_seed": seed,
                "pipeline": training_pipeline(protocol, images.name),
            },
        },
        "val_dataloader": scored,
        "test_dataloader": scored,
        "val_evaluator": {"type": "IoUMetric", "iou_metrics": ["mIoU"]},
        "test_evaluator": {"type": "IoUMetric", "iou_metrics": ["mIoU"]},
        "optim_wrapper": {
            "type": "OptimWrapper",
            "optimizer": {
                "type": "SGD",
                "lr": learning_rate,
                "momentum": protocol.momentum,
                "weight_decay": protocol.weight_decay,
            },
        },
        "param_scheduler": [_schedule(protocol)],
        "train_cfg": {
            "type": "IterBasedTrainLoop",
            "max_iters": protocol.iterations,
            "val_interval": protocol.iterations,
        },
        "val_cfg": {"type": "ValLoop"},
        "test_cfg": {"type": "TestLoop"},
        "default_hooks": {
            "timer": {"type": "IterTimerHook"},
            "logger": {"type": "LoggerHook", "interval": 50, "log_metric_by_epoch": False},
            "param_scheduler": {"type": "ParamSchedulerHook"},
            "checkpoint": {
                "type": "CheckpointHook",
                "by_epoch": False,
                "interval": max(1, protocol.iterations // 10),
                "max_keep_ckpts": 2,
            },
        },
        "custom_hooks": [
            {"type": "RelicheckSeedEveryIteration", "seed": seed},
            {"type": "RelicheckStopWhereDiverged"},
            {"type": "RelicheckPlainStates"},
        ],
        "env_cfg": {
            "cudnn_benchmark": False,
            "mp_cfg": {"mp_start_method": "fork", "opencv_num_threads": 0},
            "dist_cfg": {"backend": "nccl"},
        },
        "log_processor": {"by_epoch": False},
        "log_level": "INFO",
        "load_from": None,
        "resume": False,
        "randomness": {"seed": seed},
    }


def text_of(config: Config) -> str:
    """Return a configuration as mmengine reads it: one assignment for each key."""
    parts = [f"{key} = {pformat(part, width=98, sort_dicts=False)}" for key, part in config.items()]
    return "\n".join([*parts, ""])


def training_pipeline(protocol: FcnProtocol, data: str) -> list[Config]:
    """Return the transforms of a training image and its mask."""
    scales = (protocol.smallest_scale, protocol.largest_scale)
    size = protocol.resize_of(data)
    steps: list[Config] = []
    if size is None:
        steps.append({"type": "RelicheckScaleOwnSize", "smallest": scales[0], "largest": scales[1]})
    else:
        steps.append(
            {
                "type": "RandomResize",
                "scale": _width_first(size),
                "ratio_range": scales,
                "keep_ratio": True,
            }
        )
    steps.append(
        {
            "type": "RandomCrop",
            "crop_size": protocol.crop_of(data),
            "cat_max_ratio": protocol.most_of_one_class,
        }
    )
    steps.append({"type": "RandomFlip", "prob": protocol.flip})
    if protocol.photometric:
        steps.append({"type": "PhotoMetricDistortion"})
    return [*steps, {"type": "PackSegInputs"}]


def _scored(protocol: FcnProtocol, images: Images, choosing: bool) -> Config:
    role, fold = ("train", "held") if choosing else ("test", "all")
    dataset = {
        **_dataset(protocol, images, role, fold),
        "pipeline": _scoring_pipeline(protocol, images.name),
    }
    if images.limit is not None and not choosing:
        dataset["limit"] = images.limit
    return {
        "batch_size": 1,  # images differ in size
        **_workers(0),
        "sampler": {"type": "DefaultSampler", "shuffle": False},
        "dataset": dataset,
    }


def _scoring_pipeline(protocol: FcnProtocol, data: str) -> list[Config]:
    size = protocol.resize_of(data)
    resize = (
        [] if size is None
        else [{"type": "Resize", "scale": _width_first(size), "keep_ratio": True}]
    )  # fmt: skip
    return [*resize, {"type": "PackSegInputs"}]


def _dataset(protocol: FcnProtocol, images: Images, role: str, fold: str) -> Config:
    return {
        "type": "RelicheckMaskedImages",
        "data": images.data,
        "root": images.root,
        "split": role,
        "fold": fold,
        "held_out_fraction": protocol.held_out_fraction,
        "held_out_seed": protocol.held_out_seed,
        "classes": list(images.classes),
        "palette": None if images.palette is None else [list(c) for c in images.palette],
        "skip_corrupt": images.skip_corrupt,
    }


def _workers(count: int) -> Config:
    return {"num_workers": count, "persistent_workers": count > 0}


def _width_first(size: Size) -> Size:
    return size[1], size[0]


def _model(protocol: FcnProtocol, network: Network, images: Images) -> Config:
    spec, shown = network.spec, network.preprocessing
    last = len(spec.blocks) - 1
    widths = [channels * spec.expansion for channels in spec.stage_channels]
    common = {
        "type": "FCNHead",
        "num_classes": len(images.classes),
        # Two classes are two logits, as any number is; mmsegmentation would suggest one.
        "out_channels": len(images.classes),
        "norm_cfg": {"type": "BN", "requires_grad": True},
        "align_corners": protocol.align_corners,
        "dropout_ratio": protocol.dropout,
        "ignore_index": _IGNORE,
    }
    model: Config = {
        "type": "EncoderDecoder",
        "data_preprocessor": {
            "type": "SegDataPreProcessor",
            "mean": [_BYTE * value for value in shown.mean],
            "std": [_BYTE * value for value in shown.std],
            "bgr_to_rgb": True,
            "pad_val": 0,  # after normalising: the mean colour
            "seg_pad_val": _IGNORE,
            "size": protocol.crop_of(images.name),
        },
        "backbone": {
            "type": "RelicheckResNet",
            "checkpoint": network.checkpoint,
            "depth": spec.depth,
            "width_multiplier": spec.width_multiplier,
            "out_indices": list(range(last + 1)),
            "output_stride": protocol.output_stride,
            "exact_dilation": protocol.exact_dilation,
            "norm_eval": protocol.norm_eval,
        },
        "decode_head": {
            **common,
            "in_channels": widths[last],
            "in_index": last,
            "channels": protocol.head_channels,
            "num_convs": protocol.head_convolutions,
            "dilation": protocol.head_dilation,
            "concat_input": protocol.head_concatenates,
            "loss_decode": _loss(protocol, 1.0),
        },
        "train_cfg": {},
        "test_cfg": {"mode": "whole"},
    }
    if protocol.auxiliary_weight > 0:
        model["auxiliary_head"] = {
            **common,
            "in_channels": widths[last - 1],
            "in_index": last - 1,
            "channels": protocol.auxiliary_channels,
            "num_convs": 1,
            "concat_input": False,
            "loss_decode": _loss(protocol, protocol.auxiliary_weight),
        }
    return model


def _loss(protocol: FcnProtocol, weight: float) -> Config:
    return {
        "type": "CrossEntropyLoss",
        "use_sigmoid": False,
        "loss_weight": weight,
        "avg_non_ignore": protocol.average_scored_only,
    }


def _schedule(protocol: FcnProtocol) -> Mapping[str, Any]:
    if protocol.schedule == "step":
        return {
            "type": "MultiStepLR",
            "milestones": protocol.milestones(),
            "gamma": 0.1,
            "by_epoch": False,
        }
    return {
        "type": "PolyLR",
        "power": protocol.poly_power,
        "eta_min": protocol.poly_least_rate,
        "begin": 0,
        "end": protocol.iterations,
        "by_epoch": False,
    }
