"""mmsegmentation is imported without compiled operators, quietly, and loads nothing unsafely."""

import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from relicheck.checkpoints.errors import UsageError
from relicheck.evaluations.segmentation.bridge import open_bridge, quiet
from relicheck.evaluations.segmentation.mmcv_operators import make_mmcv_importable
from relicheck.evaluations.segmentation.mmengine_states import make_plain
from relicheck.evaluations.segmentation.torchvision_operators import make_torchvision_importable


@pytest.fixture(autouse=True)
def _open():
    open_bridge()


def test_what_is_stood_in_for_says_so_when_it_is_called():
    if not make_mmcv_importable():
        pytest.skip("this mmcv needs nothing stood in for")
    with pytest.raises(UsageError, match="operator 'nms_rotated': it is compiled, and mmcv-lite"):
        sys.modules["mmcv._ext"].nms_rotated(1, iou=2)


def test_mmcv_s_own_wrapper_of_a_compiled_operator_says_so_too():
    if not make_mmcv_importable():
        pytest.skip("this mmcv needs nothing stood in for")
    from mmcv.ops import nms

    boxes, scores = torch.rand(3, 4), torch.rand(3)
    with pytest.raises(UsageError, match="operator 'nms'"):
        nms(boxes, scores, 0.5)


def test_torchvision_is_left_alone_once_it_is_imported():
    torchvision = pytest.importorskip("torchvision")
    assert make_torchvision_importable() is False
    assert sys.modules["torchvision"] is torchvision


def load_as_mmengine_does(path):
    from mmengine.runner import CheckpointLoader

    return CheckpointLoader.load_checkpoint(str(path), map_location="cpu")


def test_mmengine_s_log_is_saved_as_numbers_and_loaded_safely(tmp_path):
    from mmengine.logging import HistoryBuffer

    buffer = HistoryBuffer()
    for loss in (3.0, 2.0, 1.0):
        buffer.update(loss)
    torch.save({"loss": buffer}, tmp_path / "state.pth")
    loaded = load_as_mmengine_does(tmp_path / "state.pth")["loss"]
    assert loaded.data[0].tolist() == [3.0, 2.0, 1.0]
    assert loaded.mean() == 2.0
    assert loaded.statistics("min") == 1.0


class Harmful:
    """Of a file: what unpickling it would do is what a stranger wants done."""

    def __reduce__(self):
        return Path.touch, (Path(HARM),)


HARM = "executed"


def test_a_file_that_would_run_code_is_refused_and_its_code_is_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {}, "x": Harmful()}, "state.pth")
    with pytest.raises(Exception, match="Weights only load failed"):
        load_as_mmengine_does("state.pth")
    assert not Path(HARM).exists()


def test_a_class_that_is_safe_for_mmengine_is_not_for_everybody(tmp_path):
    from mmengine.logging import HistoryBuffer

    torch.save(HistoryBuffer(), tmp_path / "state.pth")
    load_as_mmengine_does(tmp_path / "state.pth")
    with pytest.raises(Exception, match="Weights only load failed"):
        torch.load(tmp_path / "state.pth")


def test_numpy_s_numbers_in_a_state_become_python_s():
    state = {"message_hub": {"runtime_info": {"eta": np.float64(1.5), "iter": 3, "cfg": "x"}}}
    make_plain(state)
    assert state["message_hub"]["runtime_info"] == {"eta": 1.5, "iter": 3, "cfg": "x"}
    assert type(state["message_hub"]["runtime_info"]["eta"]) is float


def test_warnings_that_are_not_the_libraries_about_themselves_are_heard():
    with quiet(), pytest.warns(DeprecationWarning, match="ours"):
        warnings.warn("ours", DeprecationWarning, stacklevel=1)
    with quiet(), pytest.warns(UserWarning, match="out of memory"):
        warnings.warn_explicit("out of memory", UserWarning, "x.py", 1, module="mmseg.models.x")


_WITHOUT = """
import sys
from importlib.abc import MetaPathFinder

class Absent(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {library!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from relicheck.reports.cli import main
main(["evaluate", {checkpoint!r}, "--data", {folder!r}, "--evaluators", "segmentation"])
"""


@pytest.mark.parametrize("library", ["mmseg", "mmcv"])
def test_without_the_extra_the_evaluator_says_in_one_sentence_what_to_install(
    library, checkpoint, masked_folder, tmp_path
):
    code = _WITHOUT.format(library=library, checkpoint=str(checkpoint), folder=str(masked_folder))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"the library '{library}' is not installed" in done.stderr
    assert 'pip install "relicheck[segmentation]"' in done.stderr
    assert "Traceback" not in done.stderr


def test_the_fine_tuning_evaluators_are_listed_without_importing_mmsegmentation():
    code = (
        "import sys; from relicheck.evaluations.evaluator import evaluators as e; "
        "[e.load(n) for n in e.names()]; "
        "print(sorted({'mmseg', 'mmengine', 'mmcv', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
