"""A run small enough for a test: eight-pixel images, a ResNet-18 of width 1/16."""

import jax
import numpy as np
import pytest

from relicheck.checkpoints.spec import Preprocessing, ResNetSpec
from relicheck.pretrain.config import PretrainConfig, ViewSettings

# These runs are a few steps of a few images: compiling is all that takes time.
jax.config.update("jax_disable_most_optimizations", True)


@pytest.fixture(autouse=True)
def compilation_cache(tmp_path_factory, monkeypatch):
    """One cache for the whole test session: equal programs compile once."""
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path_factory.getbasetemp() / "jax"))


@pytest.fixture
def tiny_config():
    view = ViewSettings(side=8, area=(0.5, 1.0), hue=0.0, saturation=0.0, grayscale_probability=0.0)
    return PretrainConfig(
        method="byol",
        spec=ResNetSpec(depth=18, width_multiplier=1 / 16, stem="imagenet", padding="same"),
        preprocessing=Preprocessing(image_size=8, mean=(0.5,) * 3, std=(0.5,) * 3),
        views=(view, view),
        epochs=2,
        batch_size=4,
        optimizer="adamw",
        base_learning_rate=1e-3,
        warmup_epochs=0,
        projector_hidden=(8,),
        predictor_hidden=(8,),
        embedding_dim=8,
        target_decay=0.5,
        negatives=2,
    )


@pytest.fixture
def tiny_images():
    """Twelve random 8x8 images and their labels, three classes."""
    random = np.random.default_rng(0)
    return random.integers(0, 256, (12, 8, 8, 3), dtype=np.uint8), np.arange(12) % 3
