"""The command line: `relicheck VERB`, one verb per module of `commands/`.

Results go to standard output, progress and messages to standard error. Exit codes:
0 done, 1 a claim was not reproduced, 2 wrong use or unusable input, 130 interrupted.
"""

import json
import sys
from collections.abc import Callable
from typing import Any, NoReturn

import click

from .. import __version__
from ..checkpoints.dependencies import missing_dependency
from ..checkpoints.discovery import Modules
from ..checkpoints.errors import RelicheckError
from .interruption import cancel_timers, take_interrupts

# The commands' modules import click only; what they run is imported when they run.
commands: Modules[click.Command] = Modules(
    f"{__package__}.commands", "COMMAND", click.Command, "command"
)

_ORDER = [
    "demo", "pretrain", "convert", "fetch", "inspect", "export",
    "data", "evaluate", "cache", "compare", "verify", "claims", "report", "records", "rerun",
    "bundle", "check", "list",
]  # fmt: skip


class _Verbs(click.Group):
    """The group of all verbs, loaded by name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(commands.names(), key=lambda n: (_ORDER.index(n) if n in _ORDER else 99, n))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return commands.load(cmd_name)


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Begin with: relicheck demo. Then: relicheck verify --dataset objectnet",
)
@click.version_option(__version__, prog_name="relicheck")
def _group() -> None:
    """Answer whether a claimed result of a self-supervised ResNet holds."""


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--json`, passed on as `as_json`, to a command that prints a result."""
    return click.option(
        "--json", "as_json", is_flag=True, help="Print the result as JSON, for programs."
    )(function)


def cache_bytes(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    """Return the bytes that an option such as `--cache-size 50G` means; a callback of click."""
    from ..evaluations.byte_sizes import read_bytes

    return None if text is None else read_bytes(text, str(option.opts[0]))


def print_json(result: object) -> None:
    """Print `result` to standard output as JSON; values JSON lacks (NaN) are refused."""
    click.echo(json.dumps(result, indent=1, sort_keys=True, allow_nan=False, default=str))


def say(message: str) -> None:
    """Print a message to standard error: what is happening, never a result."""
    click.echo(message, err=True)


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit with its code."""
    # A batch system's "please end" gets what Ctrl-C gets: state saved, nothing half-written.
    take_interrupts()
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = _group.main(args=arguments, prog_name="relicheck", standalone_mode=False)
    except click.exceptions.Abort:
        return _interrupted()
    except KeyboardInterrupt:
        return _interrupted()
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except RelicheckError as error:
        say(f"relicheck: {error}")
        return 2
    except ModuleNotFoundError as error:
        if missing := missing_dependency(error):
            say(f"relicheck: {missing}")
            return 2
        raise
    except BrokenPipeError:
        # The reader (head, less) went away: nothing is left to say, and to nobody.
        sys.stderr.close()
        return 0
    return code if isinstance(code, int) else 0


def _interrupted() -> int:
    cancel_timers()
    say("\nrelicheck: interrupted. What was finished is kept; the same command goes on from there.")
    return 130
