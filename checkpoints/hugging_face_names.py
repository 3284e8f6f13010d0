"""Hugging Face's names for the parameters of a ResNet, and back.

huggingface/transformers: the modules of models/resnet/modeling_resnet.py, whose stages,
blocks and convolutions count from 0 where torchvision's stages and convolutions count from 1.
"""

import re

_STEM = {"conv1": "embedder.embedder.convolution", "bn1": "embedder.embedder.normalization"}
_KINDS = {"conv": "convolution", "bn": "normalization", "0": "convolution", "1": "normalization"}
_BLOCK = re.compile(r"layer(\d+)\.(\d+)\.(conv|bn)(\d)\.(\w+)")
_SHORTCUT = re.compile(r"layer(\d+)\.(\d+)\.downsample\.([01])\.(\w+)")
_THEIRS = r"encoder\.stages\.(\d+)\.layers\.(\d+)"
_THEIR_BLOCK = re.compile(_THEIRS + r"\.layer\.(\d)\.(convolution|normalization)\.(\w+)")
_THEIR_SHORTCUT = re.compile(_THEIRS + r"\.shortcut\.(convolution|normalization)\.(\w+)")


def their_name(name: str, prefix: str = "") -> str:
    """Return Hugging Face's name of a canonical parameter; a head's is never prefixed.

    >>> their_name("layer2.0.bn3.bias", "resnet.")
    'resnet.encoder.stages.1.layers.0.layer.2.normalization.bias'
    """
    if block := _BLOCK.fullmatch(name):
        stage, row, kind, index, leaf = block.groups()
        place = f"layer.{int(index) - 1}.{_KINDS[kind]}.{leaf}"
        return f"{prefix}encoder.stages.{int(stage) - 1}.layers.{row}.{place}"
    if shortcut := _SHORTCUT.fullmatch(name):
        stage, row, kind, leaf = shortcut.groups()
        place = f"shortcut.{_KINDS[kind]}.{leaf}"
        return f"{prefix}encoder.stages.{int(stage) - 1}.layers.{row}.{place}"
    module, _, leaf = name.partition(".")
    return f"classifier.1.{leaf}" if module == "fc" else f"{prefix}{_STEM[module]}.{leaf}"


def our_name(name: str) -> str | None:
    """Return the canonical name of Hugging Face's (without `resnet.`), None for no parameter.

    >>> our_name("encoder.stages.1.layers.0.shortcut.convolution.weight")
    'layer2.0.downsample.0.weight'
    """
    if block := _THEIR_BLOCK.fullmatch(name):
        stage, row, index, kind, leaf = block.groups()
        module = "conv" if kind == "convolution" else "bn"
        return f"layer{int(stage) + 1}.{row}.{module}{int(index) + 1}.{leaf}"
    if shortcut := _THEIR_SHORTCUT.fullmatch(name):
        stage, row, kind, leaf = shortcut.groups()
        return f"layer{int(stage) + 1}.{row}.downsample.{int(kind == 'normalization')}.{leaf}"
    module, _, leaf = name.rpartition(".")
    ours = {theirs: ours for ours, theirs in _STEM.items()} | {"classifier.1": "fc"}
    return f"{ours[module]}.{leaf}" if module in ours else None
