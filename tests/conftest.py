"""A clean environment for every test, torchvision as an oracle, and the real data if any."""

import os
import signal
import sys
from pathlib import Path

import pytest

_SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
_KEPT = []  # a library of operators lives as long as its object


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if "RELICHECK_DATA" not in os.environ and _SHARED.is_dir():
        os.environ["RELICHECK_DATA"] = str(_SHARED)


@pytest.fixture(autouse=True)
def _one_thread():
    # Two-thread torch collapses where the other core is busy; without torch nothing to set.
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _ctrl_c_is_heard():
    """A shell that runs the tests in the background has SIGINT ignored, and hands that down."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def bare_machine(monkeypatch, tmp_path):
    """An empty working folder, and no data root but an empty one: the folder."""
    monkeypatch.setenv("RELICHECK_DATA", str(tmp_path / "nothing"))
    monkeypatch.setenv("RELICHECK_CACHE", str(tmp_path / "nothing"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def real_data() -> Path:
    """The folder of real data; the test is skipped where there is none."""
    root = Path(os.environ.get("RELICHECK_DATA", "data"))
    if not (root / "README.md").is_file():
        pytest.skip(f"no data under {root}: set RELICHECK_DATA")
    return root


@pytest.fixture(scope="session")
def torchvision():
    """torchvision itself, importable beside a torch build without its compiled operators."""
    import torch

    try:
        import torchvision
    except RuntimeError as error:
        # The public wheel's compiled part links to CUDA; without it two schemas are missing.
        if "torchvision::nms" not in str(error):
            raise
        for name in [n for n in sys.modules if n.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        library.define("nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        library.define("qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _KEPT.append(library)
        import torchvision
    return torchvision
