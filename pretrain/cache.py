"""Compiled programs kept between runs, in the user's cache folder."""

import os
from pathlib import Path
from typing import Any


def cache_folder() -> Path:
    """Return $RELICHECK_CACHE, or relicheck's folder under the user's cache."""
    named = os.environ.get("RELICHECK_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "relicheck"


def use_compilation_cache() -> None:
    """Let JAX keep what it compiles and find it again in a later run."""
    import jax

    config: Any = jax.config  # its methods have no types
    config.update("jax_compilation_cache_dir", str(cache_folder() / "jax"))
    config.update("jax_persistent_cache_min_compile_time_secs", 0.5)
