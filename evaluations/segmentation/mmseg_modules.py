"""What mmsegmentation builds by name: import this module and a configuration may use them.

Its registries take classes by decorator or, as here, by call. `custom_imports` of a written
configuration names this module, so that mmsegmentation's own tools can train it.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ...checkpoints.errors import BadData
from ..checking import without_corrupt
from ..dataset import open_split
from ..image_source import masks_of
from ..sources import part
from ..streamed_training import Diverged
from .backbone import SegmentationBackbone
from .bridge import open_bridge, quiet
from .config import Config, text_of
from .mmengine_states import make_plain
from .order import drawn_for, held_out, image_at
from .predicted import Predicted, shown_images
from .scores import confusion

open_bridge()
with quiet():
    import mmengine.config
    from mmcv.image import imresize
    from mmcv.transforms import BaseTransform
    from mmengine.dataset import Compose
    from mmengine.evaluator import BaseMetric
    from mmengine.hooks import Hook
    from mmengine.runner import IterBasedTrainLoop, Runner
    from mmseg.registry import (
        DATA_SAMPLERS,
        DATASETS,
        HOOKS,
        LOOPS,
        METRICS,
        MODELS,
        TRANSFORMS,
    )

if TYPE_CHECKING:
    from ..image_source import ImageSource

_FIRST_IS_BLUE = slice(None, None, -1)  # mmcv's transforms take images as OpenCV reads them


class MaskedImages(torch.utils.data.Dataset[Any]):
    """Images with masks of any data set that relicheck reads, through a pipeline of mmcv's."""

    def __init__(
        self,
        data: str,
        split: str,
        pipeline: Sequence[dict[str, Any]],
        classes: Sequence[str],
        palette: Sequence[Sequence[int]] | None = None,
        root: str | None = None,
        fold: str = "all",
        held_out_fraction: float = 0.2,
        held_out_seed: int = 0,
        training_seed: int | None = None,
        limit: int | None = None,
        skip_corrupt: bool = False,
    ) -> None:
        """Open nothing yet: each process that reads opens its own.

        Args:
            data: a registered name, or a folder of images and masks.
            split: `train` or `test`, as relicheck means them, or a split's name.
            pipeline: transforms, after the image and its mask are read.
            classes: that the configuration was made for.
            palette: of the classes, for pictures.
            root: where data sets lie; None: RELICHECK_DATA, else ./data.
            fold: of the images: `all`, those `held` out for choosing, or those `kept`.
            held_out_fraction: see `FcnProtocol`.
            held_out_seed: likewise.
            training_seed: of order and views, for positions of `Positions`; None: image by
                image.
            limit: only so many images, spread over the split.
            skip_corrupt: leave out images that cannot be decoded.
        """
        wanted = tuple(classes)
        self.metainfo = {"classes": wanted, "palette": palette}
        self._where = (data, split, root, limit, skip_corrupt)
        self._fold = (fold, held_out_fraction, held_out_seed)
        self._seed = training_seed
        self._pipeline = Compose(list(pipeline))
        self._opened: tuple[int, ImageSource, np.ndarray] | None = None
        if self.source.class_names != wanted:
            raise BadData(
                f"{data}, {split}",
                f"its classes are {', '.join(self.source.class_names[:5])} ...",
                f"those of the configuration, {', '.join(wanted[:5])} ...",
            )

    @property
    def source(self) -> "ImageSource":
        """Return the whole split."""
        return self._open()[1]

    def _open(self) -> tuple[int, "ImageSource", np.ndarray]:
        # A process that was forked must not read through its parent's open files.
        if self._opened is None or self._opened[0] != os.getpid():
            data, split, root, limit, skip_corrupt = self._where
            source = open_split(data, split, Path(root) if root is not None else None)
            if masks_of(source) is None:
                raise BadData(f"{data}, {split}", "its images have no masks", "images with masks")
            source = without_corrupt(source) if skip_corrupt else source
            source = part(source, limit) if limit is not None else source
            self._opened = (os.getpid(), source, self._indices(len(source)))
        return self._opened

    def _indices(self, images: int) -> np.ndarray:
        fold, fraction, seed = self._fold
        everything = np.arange(images)
        if fold == "all":
            return everything
        held = held_out(images, fraction, seed)
        return held if fold == "held" else np.setdiff1d(everything, held)

    def __len__(self) -> int:
        return len(self._open()[2])

    def __getitem__(self, position: int) -> dict[str, Any]:
        """Return image `position` packed for mmsegmentation, or the one at a training position."""
        indices = self._open()[2]
        if self._seed is None:
            return self._pack(int(indices[position]), seg_fields=[])
        epoch, place = image_at(position, len(indices), self._seed)
        image = int(indices[place])
        with drawn_for(self._seed, epoch, image):
            # Named in `seg_fields` the mask is resized with its image; unnamed it stays whole.
            return self._pack(image, seg_fields=["gt_seg_map"])

    def _pack(self, image: int, seg_fields: list[str]) -> dict[str, Any]:
        source = self.source
        read_mask = masks_of(source)
        assert read_mask is not None
        pixels = np.ascontiguousarray(source[image][:, :, _FIRST_IS_BLUE])
        packed: dict[str, Any] = self._pipeline(
            {
                "img": pixels,
                "img_path": source.identities[image],
                "img_shape": pixels.shape[:2],
                "ori_shape": pixels.shape[:2],
                "gt_seg_map": read_mask(image),
                "seg_fields": seg_fields,
                "reduce_zero_label": False,
            }
        )
        return packed


class Positions(torch.utils.data.Sampler[int]):
    """The positions of training, without end, from `begin` on: see `order`."""

    def __init__(self, dataset: Any, seed: int | None = None) -> None:
        """Args: as mmengine gives them; the order is the data set's."""
        self.begin, self._images = 0, len(dataset)

    def __len__(self) -> int:
        return self._images  # of one epoch, as mmengine's InfiniteSampler says

    def __iter__(self) -> Iterator[int]:
        position = self.begin
        while True:
            yield position
            position += 1


class ScaleOwnSize(BaseTransform):  # type: ignore[misc]
    """Resize an image and its mask by a factor drawn evenly, relative to the image's own size.

    mmcv's RandomResize is relative to one size for all images.
    """

    def __init__(self, smallest: float, largest: float) -> None:
        """Args: smallest, largest: of the factor."""
        self.smallest, self.largest = smallest, largest

    def transform(self, results: dict[str, Any]) -> dict[str, Any]:
        """Return the results resized: bilinear, the mask by nearest pixel."""
        factor = np.random.uniform(self.smallest, self.largest)
        height, width = results["img"].shape[:2]
        size = (max(1, round(width * factor)), max(1, round(height * factor)))
        results["img"] = imresize(results["img"], size)
        for key in results["seg_fields"]:
            results[key] = imresize(results[key], size, interpolation="nearest")
        results["img_shape"] = results["img"].shape[:2]
        results["scale_factor"] = (size[0] / width, size[1] / height)
        return results


class SeedEveryIteration(Hook):  # type: ignore[misc]
    """What the network draws in an iteration (dropout) follows from seed and iteration."""

    def __init__(self, seed: int) -> None:
        """Args: seed: of the run."""
        self.seed = seed

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Seed torch's generators."""
        words = np.random.SeedSequence([self.seed, 0x5E62, runner.iter]).generate_state(2)
        torch.manual_seed(int(words[0]) << 32 | int(words[1]))


class PlainStates(Hook):  # type: ignore[misc]
    """What is saved can be loaded without executing it: see `mmengine_states`."""

    def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
        """Make the state plain."""
        make_plain(checkpoint)


class StopWhereDiverged(Hook):  # type: ignore[misc]
    """Training ends at the first loss that is not finite."""

    priority = "VERY_HIGH"

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Raise `Diverged` if this iteration's loss is not finite."""
        loss = outputs["loss"].item()
        if not np.isfinite(loss):
            rate = runner.optim_wrapper.optimizer.param_groups[0]["lr"]
            raise Diverged(
                "segmentation",
                f"the loss is {loss} in iteration {runner.iter + 1}, at learning rate {rate:.3g}",
                "a finite one",
                "Set smaller learning rates with --set.",
            )


class Following(Hook):  # type: ignore[misc]
    """Tells who began a run how far it is: once before training, and after every iteration."""

    priority = "VERY_LOW"  # when the other hooks have stepped what a state holds

    def __init__(self, begun: Callable[[Any], None], stepped: Callable[[Any], None]) -> None:
        """Args: begun, stepped: called with the runner."""
        self.begun, self.stepped = begun, stepped

    def before_train(self, runner: Any) -> None:
        """Tell that training begins."""
        self.begun(runner)

    def after_train_iter(self, runner: Any, *_: Any, **__: Any) -> None:
        """Tell that an iteration is done."""
        self.stepped(runner)


class _Rest:
    """The batches that are left, for a loop that first passes over those that are done."""

    def __init__(self, batches: Iterator[Any], done: int) -> None:
        self._batches, self._done = batches, done

    def __next__(self) -> Any:
        """Return nothing for a batch that is done, which mmengine draws and drops, at no cost."""
        if self._done:
            self._done -= 1
            return None
        return next(self._batches)

    def skip_iter(self, count: int) -> None:
        """Pass over them at once, as onedl-mmengine asks."""
        self._done -= count


class GoOnLoop(IterBasedTrainLoop):  # type: ignore[misc]
    """mmengine's loop, which on going on reads no image that it has trained on before."""

    def run(self) -> Any:
        """Train; return the model."""
        done = self._iter
        self.dataloader.sampler.begin = done * self.dataloader.batch_size
        self.dataloader_iterator = _Rest(iter(self.dataloader), done)
        return super().run()


class ConfusionOfEveryImage(BaseMetric):  # type: ignore[misc]
    """The confusion matrix of every image at its full size, in the data set's order.

    The masks predicted for the images that people look at are kept as well.
    """

    default_prefix = None

    def __init__(self, classes: int, images: int, **rest: Any) -> None:
        """Args: classes, images: that are scored. rest: mmengine's."""
        super().__init__(**rest)
        self.classes, self._shown = classes, frozenset(shown_images(images))
        self.predicted: Predicted | None = None

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the matrices of one batch's predictions."""
        for sample in data_samples:
            truth = sample["gt_sem_seg"]["data"].squeeze(0).cpu().numpy()
            guess = sample["pred_sem_seg"]["data"].squeeze(0).cpu().numpy().astype(np.uint8)
            kept = guess if len(self.results) in self._shown else None
            self.results.append((confusion(truth, guess, self.classes), kept))

    def compute_metrics(
        self, results: list[tuple[np.ndarray, np.ndarray | None]]
    ) -> dict[str, float]:
        """Return nothing that is a number yet: the matrices are kept for who scores them."""
        self.predicted = Predicted(
            confusions=np.stack([matrix for matrix, _ in results]),
            shown={image: mask for image, (_, mask) in enumerate(results) if mask is not None},
        )
        return {}


class _QuickConfig(mmengine.config.Config):  # type: ignore[misc]
    """A configuration whose text is written at once.

    mmengine formats it with yapf for every state that is saved, a second each time.
    """

    @property
    def pretty_text(self) -> str:
        """Return it as Python."""
        return text_of(self.to_dict())


class _QuickRunner(Runner):  # type: ignore[misc]
    """mmengine's Runner, which starts no compilers to ask for their versions: a record has them."""

    def _log_env(self, env_cfg: Any) -> None:
        pass


def runner_of(config: Config) -> Any:
    """Return mmengine's Runner of a configuration."""
    return _QuickRunner.from_cfg(_QuickConfig(config))


def _register() -> None:
    for registry, name, module in (
        (MODELS, "RelicheckResNet", SegmentationBackbone),
        (DATASETS, "RelicheckMaskedImages", MaskedImages),
        (DATA_SAMPLERS, "RelicheckPositions", Positions),
        (TRANSFORMS, "RelicheckScaleOwnSize", ScaleOwnSize),
        (HOOKS, "RelicheckSeedEveryIteration", SeedEveryIteration),
        (HOOKS, "RelicheckPlainStates", PlainStates),
        (HOOKS, "RelicheckStopWhereDiverged", StopWhereDiverged),
        (LOOPS, "RelicheckGoOnLoop", GoOnLoop),
        (METRICS, "RelicheckConfusionOfEveryImage", ConfusionOfEveryImage),
    ):
        registry.register_module(name=name, module=module, force=True)


_register()
