"""Projector, predictor, classifier, and the network that carries them."""

import flax.linen as nn
from jax import Array

from .config import PretrainConfig
from .method import Method
from .resnet import ResNet


class MLP(nn.Module):
    """Linear, BatchNorm, ReLU for every hidden width, then Linear without bias.

    BYOL (arXiv:2006.07733), App. J, with the last bias left out as its released code
    does. `output_norm` adds a BatchNorm at the end, as SimCLR's projector has.
    """

    hidden: tuple[int, ...]
    output: int
    output_norm: bool
    momentum: float

    @nn.compact
    def __call__(self, x: Array, train: bool) -> Array:
        """Return [batch, output] from [batch, features]."""
        for width in self.hidden:
            x = nn.Dense(width)(x)
            x = nn.relu(self._norm(train)(x))
        x = nn.Dense(self.output, use_bias=False)(x)
        return self._norm(train)(x) if self.output_norm else x

    def _norm(self, train: bool) -> nn.BatchNorm:
        return nn.BatchNorm(use_running_average=not train, momentum=self.momentum)


class Network(nn.Module):
    """A backbone with the heads that a method asks for."""

    config: PretrainConfig
    method: Method
    classes: int  # of the labels; used by a classifier only

    def setup(self) -> None:
        """Make the parts; Flax gives parameters only to those that are called."""
        config = self.config
        momentum = config.batch_norm_momentum
        self.backbone = ResNet(config.spec, momentum)
        self.projector = MLP(
            config.projector_hidden, config.embedding_dim, config.projection_norm, momentum
        )
        self.predictor = MLP(config.predictor_hidden, config.embedding_dim, False, momentum)
        self.classifier = nn.Dense(self.classes)

    def __call__(self, images: Array, train: bool) -> Array:
        """Return what the method's loss sees of the online network, [batch, dim]."""
        if self.method.has_classifier:
            return self.classifier(self.backbone(images, train))
        projection = self.project(images, train)
        return self.predictor(projection, train) if self.method.has_predictor else projection

    def project(self, images: Array, train: bool) -> Array:
        """Return the projections [batch, embedding_dim]: all that a target network computes."""
        return self.projector(self.backbone(images, train), train)
