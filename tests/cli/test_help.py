"""Help is quick, and has examples."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from typer.main import get_command

import streamapp
from streamapp.cli.root import cli


def commands(of: click.Command, *before: str) -> Iterator[list[str]]:
    """Return the words of every command that has help of its own."""
    if isinstance(of, click.Group):
        for name, command in of.commands.items():
            yield from commands(command, *before, name)
    else:
        yield [*before]


COMMANDS = [[], *commands(get_command(cli))]
"""All of them: one that is new is tested as soon as it is registered."""

HEAVY = {
    "pydantic",
    "aioboto3",
    "botocore",
    "redis",
    "aiohttp",
    "moto",
    "msgspec",
    "anyio",
    "streamapp_agents",
    "streamapp.app",
}
"""What no help needs, each tens of milliseconds at least."""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_shows_examples_and_imports_neither_client_nor_rich(command: list[str]) -> None:
    """People ask for help when they are in a hurry."""
    program = [sys.executable, "-X", "importtime", "-m", "streamapp", *command, "--help"]

    shown = subprocess.run(program, capture_output=True, text=True, check=True, timeout=50)

    assert "streamapp" in shown.stdout.partition("xamples:")[2] or not command
    imported = {line.rsplit("|", 1)[-1].strip() for line in shown.stderr.splitlines()}
    assert "typer" in imported
    assert imported.isdisjoint(HEAVY)
    assert not [name for name in imported if name.split(".")[0] in {"rich", "pygments"}]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_imports_less_than_a_third_of_the_modules_of_the_aws_client(command: list[str]) -> None:
    """Few imports make help quick. Modules are counted, because times depend on what else runs on the machine."""

    def modules(*arguments: str) -> int:
        program = [sys.executable, "-X", "importtime", *arguments]
        shown = subprocess.run(program, capture_output=True, text=True, check=True, timeout=50)
        return shown.stderr.count("import time:")

    python = modules("-c", "pass")  # its own, which differ from release to release
    assert (
        modules("-m", "streamapp", *command, "--help") - python
        < (modules("-c", "import aioboto3") - python) / 3
    )


def test_every_public_name_exists_though_each_is_imported_at_its_first_use() -> None:
    """Otherwise the first user would find a name in `__all__` that its module lacks."""
    for name in streamapp.__all__:
        assert getattr(streamapp, name).__name__ == name
    assert set(streamapp.__all__) == set(dir(streamapp))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = streamapp.Nothing


def test_bash_completes_commands_and_the_names_of_queues() -> None:
    """A completed name has no typo."""
    completed = """
        source <(streamapp --show-completion bash)
        COMP_WORDS=(streamapp tail ped); COMP_CWORD=2; _streamapp_completion streamapp; echo "${COMPREPLY[@]}"
        COMP_WORDS=(streamapp stat); COMP_CWORD=1; _streamapp_completion streamapp; echo "${COMPREPLY[@]}"
    """
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    done = subprocess.run(
        ["bash", "-c", completed], env=env, capture_output=True, text=True, check=True, timeout=50
    )

    assert done.stdout.splitlines() == ["pedido-events", "status"]


def test_every_command_stands_in_the_page_for_operators() -> None:
    """People find there what a command is for."""
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()

    assert [
        words
        for words in COMMANDS
        if f"streamapp {' '.join(words)}" not in page and f"`{' '.join(words)}" not in page
    ] == []
