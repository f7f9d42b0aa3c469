"""The root of all commands. Each command imports what it needs when it runs, so that `--help` is quick."""

import os
import sys
from typing import Annotated

import typer

from streamapp.cli import config, queues, schema
from streamapp.cli.board import command as board
from streamapp.cli.command_group import CommandGroup
from streamapp.cli.demo import command as demo
from streamapp.cli.dlq import command as dlq
from streamapp.cli.doctor import command as doctor
from streamapp.cli.exits import FAILED, INTERRUPTED, exit_code
from streamapp.cli.send import command as send
from streamapp.cli.send import seed
from streamapp.cli.show import command as show
from streamapp.cli.status import command as status
from streamapp.cli.tail import command as tail
from streamapp.cli.terminal import masking
from streamapp.cli.terminal import output as out
from streamapp.cli.worker import command as worker
from streamapp.errors import StreamappError

EXAMPLES = """
\b
Examples:
  streamapp demo          # begin here: all of it, with nothing else installed or running
  streamapp doctor        # what is wrong, and how to repair it
  streamapp tail          # what happens to each message
"""

HELP = {"-h", "--help", "--version", "--show-completion", "--install-completion"}
"""Flags whose output comes at once."""

cli = typer.Typer(
    name="streamapp",
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # to import rich for help would cost more than all the rest
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=EXAMPLES,
)
cli.command(epilog=worker.EXAMPLES)(worker.worker)
cli.command(epilog=demo.EXAMPLES)(demo.demo)
cli.command(epilog=send.EXAMPLES)(send.send)
cli.command(epilog=seed.EXAMPLES)(seed.seed)
cli.command(epilog=tail.EXAMPLES)(tail.tail)
cli.command(epilog=config.EXAMPLES)(config.config)
cli.command(epilog=show.EXAMPLES)(show.show)
cli.command(epilog=status.EXAMPLES)(status.status)
cli.command(epilog=board.EXAMPLES)(board.board)
cli.command(epilog=doctor.EXAMPLES)(doctor.doctor)
cli.command(epilog=schema.EXAMPLES)(schema.schema)
cli.add_typer(queues.cli, name="queues")
cli.add_typer(dlq.cli, name="dlq")


def _version(wanted: bool) -> None:
    if wanted:
        from importlib import metadata  # noqa: PLC0415 - slow to import

        typer.echo(f"streamapp {metadata.version('streamapp')}")
        raise typer.Exit


@cli.callback()
def _global(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Faust-like stream processing on SQS."""


def main() -> None:
    """Run the command line. A `StreamappError` is one line on stderr and an exit code, never a traceback.

    Any other error is a traceback without the error's text.
    """
    masking.mask()
    out.begin()
    if sys.argv[1:] and not HELP.intersection(sys.argv):
        out.show_start()  # to parse the arguments takes 60 ms, most of it one import
    try:
        cli()
    except StreamappError as error:
        out.note(f"streamapp: {error}")
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except Exception as error:  # noqa: BLE001 - Python would print its text, which may quote a secret key
        out.end()  # if results cannot be written, that is the cause: it is reported, and the process ends here
        texts = os.environ.get("STREAMAPP_ERROR_TEXT", "").lower() == "on"  # no settings could be read yet
        for line in masking.masked(error, texts=texts).splitlines():
            out.note(line)
        hidden = (
            "" if texts else "; texts that may hold secrets are left out, STREAMAPP_ERROR_TEXT=on shows them"
        )
        out.note(f"streamapp: this is a bug{hidden}")
        sys.exit(FAILED)
    finally:
        out.end()
