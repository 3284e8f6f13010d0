"""The house stands as DESIGN.md draws it: imports point one way, and loading is safe."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import relicheck

PACKAGE = Path(relicheck.__file__).parent
FOLDERS = ("checkpoints", "evaluations", "pretrain", "reports")
MODULES = sorted(
    [path for folder in FOLDERS for path in (PACKAGE / folder).rglob("*.py")]
    + list(PACKAGE.glob("*.py"))
)
# pretrain -> checkpoints <- evaluations <- reports; the command line reaches pretrain.
MAY_IMPORT = {
    "checkpoints": {"checkpoints"},
    "pretrain": {"pretrain", "checkpoints"},
    "evaluations": {"evaluations", "checkpoints"},
    "reports": {"reports", "evaluations", "checkpoints", "pretrain"},
}
TORCH = {"torch", "torchvision"}
JAX = {"jax", "jaxlib", "flax", "optax", "orbax"}
LIGHT = {"numpy", "safetensors", "tqdm"}  # what the base may use
# The modules of the base that hold or read the torch network.
TORCH_IN_THE_BASE = {"resnet", "canary", "untrained"}
# What reads or writes a foreign library's files through that library, imported on use.
ON_USE = {"containers/orbax_folder": {"tensorstore"}, "exports/onnx": {"onnx"}}


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def folder_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE).parts
    return parts[0] if len(parts) > 1 else ""


def imports(path: Path, top_level_only: bool = False) -> set[str]:
    """Absolute names of what a module imports: `torch.nn`, `relicheck.checkpoints.spec`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = ("relicheck", *path.relative_to(PACKAGE).parts[:-1])
    found = set()
    for node in _eager(tree) if top_level_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            prefix = ".".join([*base, *([node.module] if node.module else [])])
            found |= {prefix, *(f"{prefix}.{alias.name}" for alias in node.names)}
    return found


def _eager(node: ast.AST):
    """Statements that run on import: not those inside functions or `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _eager(child)


def libraries(path: Path, top_level_only: bool = False) -> set[str]:
    return {name.partition(".")[0] for name in imports(path, top_level_only)} - {"relicheck", ""}


def own(path: Path) -> set[str]:
    """The folders of the package that a module imports from, `pretrain` by itself included."""
    names = (name.split(".") for name in imports(path) if name.startswith("relicheck."))
    return {parts[1] for parts in names if parts[1] in FOLDERS}


def test_there_is_something_to_read():
    assert len(MODULES) > 50
    assert {folder_of(path) for path in MODULES} == {"", *FOLDERS}


def test_relative_imports_are_followed_to_their_folder():
    assert own(PACKAGE / "reports" / "scored.py") == {"checkpoints", "evaluations", "reports"}
    assert "relicheck.checkpoints.errors" in imports(PACKAGE / "reports" / "scored.py")


@pytest.mark.parametrize("folder", FOLDERS)
def test_imports_point_one_way(folder):
    wrong = {
        name_of(path): sorted(own(path) - MAY_IMPORT[folder])
        for path in MODULES
        if folder_of(path) == folder and own(path) - MAY_IMPORT[folder]
    }

    assert wrong == {}


@pytest.mark.parametrize(
    ("folder", "forbidden"),
    [("pretrain", TORCH), ("evaluations", JAX), ("reports", TORCH | JAX), ("checkpoints", JAX)],
)
def test_a_folder_never_imports_the_other_framework(folder, forbidden):
    wrong = {
        name_of(path): sorted(libraries(path) & forbidden)
        for path in MODULES
        if folder_of(path) == folder and libraries(path) & forbidden
    }

    assert wrong == {}


def test_the_base_needs_numpy_and_safetensors_only_except_where_the_network_is():
    wrong = {}
    for path in MODULES:
        if folder_of(path) != "checkpoints":
            continue
        allowed = LIGHT | sys.stdlib_module_names
        if path.stem in TORCH_IN_THE_BASE:
            allowed = allowed | TORCH | {"PIL"}
        if path.parent.name == "exports":
            allowed = allowed | TORCH
        allowed = allowed | ON_USE.get(f"{path.parent.name}/{path.stem}", set())
        if libraries(path) - allowed:
            wrong[name_of(path)] = sorted(libraries(path) - allowed)

    assert wrong == {}


def test_reports_reach_pretrain_only_on_use():
    wrong = [
        name_of(path)
        for path in MODULES
        if folder_of(path) == "reports"
        and any(n.startswith("relicheck.pretrain") for n in imports(path, top_level_only=True))
    ]

    assert wrong == []


def test_imports_inside_the_package_are_relative():
    absolute = re.compile(r"^\s*(from|import) relicheck\b", re.MULTILINE)

    assert [name_of(p) for p in MODULES if absolute.search(p.read_text(encoding="utf-8"))] == []


def test_commands_import_nothing_but_click_and_the_command_line():
    allowed = {"click", "pathlib", "typing", "collections", "dataclasses", "os", "json"}
    wrong = {}
    for path in (PACKAGE / "reports" / "commands").glob("*.py"):
        ours = {n for n in imports(path, top_level_only=True) if n.startswith("relicheck.")}
        heavy = libraries(path, top_level_only=True) - allowed
        heavy |= {n for n in ours if not n.startswith("relicheck.reports.cli")}
        if heavy:
            wrong[name_of(path)] = sorted(heavy)

    assert wrong == {}


def test_the_public_names_are_those_listed():
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for alias in node.names
    }

    assert relicheck.__all__ == sorted(relicheck.__all__)
    assert set(relicheck.__all__) == typed | {"__version__"}
    assert dir(relicheck) == relicheck.__all__
    for name in relicheck.__all__:
        assert getattr(relicheck, name) is not None


def test_a_name_that_is_not_public_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'evaluete'"):
        _ = relicheck.evaluete


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["list", "--help"]])
def test_help_imports_none_of_the_heavy_libraries(arguments):
    code = (
        "import sys; from relicheck.reports.cli import run; code = run(sys.argv[1:]);"
        "heavy = {'torch', 'jax', 'sklearn', 'scipy', 'pandas', 'matplotlib', 'jinja2'};"
        "print(code, sorted(heavy & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "0 []"


# Each would run code that came with a file. Spelled so that this list does not find itself.
UNSAFE = {
    "pickle": {"load", "loads", "Unpickler"},
    "dill": {"load", "loads"},
    "joblib": {"load"},
    "shelve": {"open"},
    "marshal": {"load", "loads"},
    "yaml": {"load", "unsafe_load", "full_load"},
}
UNSAFE_KEYWORDS = {("weights_only", False), ("allow_pickle", True)}


def unsafe_calls(tree: ast.AST) -> list[str]:
    """Calls that unpickle or evaluate what a file holds, as source text."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        module, _, function = name.rpartition(".")
        keywords = {
            (k.arg, k.value.value) for k in node.keywords if isinstance(k.value, ast.Constant)
        }
        if (
            function in UNSAFE.get(module.rpartition(".")[2], ())
            or name in ("eval", "exec", "compile", "__import__")
            or keywords & UNSAFE_KEYWORDS
        ):
            found.append(ast.unparse(node))
    return found


@pytest.mark.parametrize(
    "source",
    [
        "pickle.load(f)",
        "torch.load(f, weights_only=False)",
        "np.load(f, allow_pickle=True)",
        "joblib.load(f)",
        "eval(text)",
    ],
)
def test_the_search_for_unsafe_loading_finds_it(source):
    assert unsafe_calls(ast.parse(source)) == [source]


def test_nothing_loads_a_file_in_a_way_that_runs_its_code():
    found = {
        name_of(path): unsafe_calls(ast.parse(path.read_text(encoding="utf-8"))) for path in MODULES
    }

    assert {name: calls for name, calls in found.items() if calls} == {}


def test_nothing_imports_an_unpickler_or_calls_torchs():
    importing = [name_of(p) for p in MODULES if libraries(p) & {"dill", "joblib", "pickle"}]
    calling = [
        f"{name_of(path)}: {ast.unparse(node)}"
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load"
    ]

    assert (importing, calling) == ([], [])


def test_no_file_names_a_path_of_somebodys_machine():
    machine = re.compile(r"""(?<![\w.])/(home|root|work|Users|tmp)/\w|[A-Z]:\\\\?Users""")
    shipped = [
        path
        for folder in FOLDERS
        for path in (PACKAGE / folder).rglob("*")
        if path.suffix in (".py", ".toml", ".html", ".md", ".csv", ".json", ".txt")
    ]
    found = {
        name_of(path): hit[0]
        for path in shipped
        if (hit := machine.search(path.read_text(encoding="utf-8")))
    }

    assert found == {}
