"""Which extra brings which optional library, and the one sentence that says so."""

from .errors import MissingDependency

_EXTRAS = {
    "evaluate": ("torch", "sklearn", "scipy", "PIL", "pandas", "threadpoolctl"),
    "pretrain": ("jax", "jaxlib", "flax", "optax", "tensorstore"),
    "export": ("onnx",),
    "parquet": ("pyarrow",),
    "report": ("jinja2", "matplotlib"),
    "segmentation": ("mmseg", "mmengine", "mmcv", "cv2", "ftfy", "regex", "pkg_resources"),
}


def missing_dependency(error: ModuleNotFoundError) -> MissingDependency | None:
    """Return what to tell a user whose import failed; None if it is our own mistake."""
    library = (error.name or "").split(".")[0]
    for extra, libraries in _EXTRAS.items():
        if library in libraries:
            return MissingDependency(library, extra)
    return None
