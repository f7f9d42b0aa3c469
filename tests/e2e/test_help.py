"""Help answers at once, and says how."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import streamapp

COMMANDS = [
    [],
    ["worker"],
    ["demo"],
    ["send"],
    ["seed"],
    ["queues", "create"],
    ["config"],
    ["doctor"],
    ["board"],
    ["show"],
    ["tail"],
    ["status"],
    ["schema"],
    ["dlq", "ls"],
    ["dlq", "show"],
    ["dlq", "redrive"],
]

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


@pytest.mark.parametrize("command", [[], ["tail"], ["dlq", "redrive"]], ids=" ".join)
def test_help_takes_less_than_half_as_long_as_the_aws_client_takes_to_import(
    command: list[str],
) -> None:
    """Measured in turns in the same minute, the quickest of each: what else runs here must not decide."""

    def seconds(*arguments: str) -> float:
        begun = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True, timeout=50)
        return time.perf_counter() - begun

    turns = [
        (seconds("-m", "streamapp", *command, "--help"), seconds("-c", "import aioboto3")) for _ in range(2)
    ]

    helped, imported = (min(each) for each in zip(*turns, strict=True))
    assert helped < imported / 2, f"{helped:.2f} s against {imported:.2f} s"


def test_every_public_name_is_there_though_none_is_imported_before_it_is_asked_for() -> None:
    """A name in `__all__` that its module lacks would be found by the first user."""
    for name in streamapp.__all__:
        assert getattr(streamapp, name).__name__ == name
    assert set(streamapp.__all__) == set(dir(streamapp))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = streamapp.Nothing


def test_bash_completes_commands_and_the_names_of_queues() -> None:
    """A name that is typed wrong is looked for in vain."""
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
