"""The file name is the name; listing imports nothing."""

import sys

import pytest

from relicheck.checkpoints import formats
from relicheck.checkpoints.errors import UnknownName


def test_listing_names_imports_no_module():
    for module in [m for m in sys.modules if m.startswith("relicheck.checkpoints.formats.")]:
        del sys.modules[module]

    assert "torchvision" in formats.names()
    assert "relicheck.checkpoints.formats.torchvision" not in sys.modules


def test_an_unknown_name_gets_the_nearest_and_the_whole_list():
    with pytest.raises(UnknownName, match=r"Did you mean 'cifar_resnet'\? Known: .*cifar_resnet"):
        formats.load("cifar_resnett")


def test_loading_a_module_leaves_the_registry_under_its_folders_name():
    import relicheck.checkpoints

    formats.load("torchvision")

    assert relicheck.checkpoints.formats is formats
