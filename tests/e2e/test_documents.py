"""Every command that the documents show exists: it is run, or, where it is a recipe, the recipe is there."""

import re
import shlex
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
from anyio import to_thread

from rigs.shop import Shop

ROOT = Path(__file__).parents[2]
PAGES = [
    "README.md",
    "README.pt-BR.md",
    "CONTRIBUTING.md",
    *sorted(f"docs/{it.name}" for it in ROOT.glob("docs/*.md")),
]

ELSEWHERE = {"demo"}
"""What test_demo.py runs just as it is shown."""

FIRST_APP = ("## Install", "## A first app")
"""Sections of the README whose commands test_readme.py runs, or that install."""


def commands(page: str) -> list[list[str]]:
    """Each command of a page's bash blocks, without its comment and what it is piped into."""
    sections = re.split(r"^(?=## )", (ROOT / page).read_text(), flags=re.MULTILINE)
    text = "".join(it for it in sections if page != "README.md" or not it.startswith(FIRST_APP))
    blocks = re.findall(r"```bash\n(.*?)```", text, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines() if line.strip()]
    return [shlex.split(line.split(" | ")[0], comments=True) for line in lines]


def streamapp(command: list[str]) -> list[str] | None:
    """The arguments of a command that is ours, None of another."""
    for begin in (["uv", "run", "streamapp"], ["uv", "run", "python", "-m", "streamapp"]):
        if command[: len(begin)] == begin:
            return command[len(begin) :]
    return None


ALL = [(page, command) for page in PAGES for command in commands(page)]
OURS = [(page, ours) for page, command in ALL if (ours := streamapp(command)) and ours[0] not in ELSEWHERE]
RECIPES = [(page, command[3:]) for page, command in ALL if command[:3] == ["uv", "run", "just"]]


def test_every_command_is_of_a_kind_that_is_tested() -> None:
    """A command that no test here knows how to run may be anything."""
    known = [streamapp(command) is not None or command[:3] == ["uv", "run", "just"] for _, command in ALL]

    assert [command for (_, command), is_known in zip(ALL, known, strict=True) if not is_known] == []
    assert len(OURS) > 5
    assert len(RECIPES) > 5


@pytest.mark.parametrize(
    ("page", "recipe"), RECIPES, ids=lambda it: it if isinstance(it, str) else " ".join(it)
)
def test_a_recipe_takes_what_is_shown(page: str, recipe: list[str]) -> None:
    """The first command that somebody types must exist."""
    del page
    just = Path(sys.executable).with_name("just")
    done = subprocess.run([just, "--dry-run", *recipe], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


@pytest.mark.timeout(300)
async def test_the_commands_run_in_the_order_in_which_they_are_shown(shop: Shop) -> None:
    """A reader types them one after the other, and leaves the worker to itself."""
    with ExitStack() as stack:
        workers: list[subprocess.Popen[str]] = []
        for page, arguments in OURS:
            process = start(shop, arguments)
            stack.enter_context(process)
            stack.callback(process.kill)
            if arguments[0] == "worker":
                workers.append(process)
                continue
            code, said = await to_thread.run_sync(seen, process, arguments)
            assert code == (130 if is_endless(arguments) else 0), f"{page}: {arguments}: {said}"
            assert "Traceback" not in said
        assert workers
        for worker in workers:
            worker.send_signal(signal.SIGINT)
            said, _ = await to_thread.run_sync(worker.communicate)
            assert worker.returncode == 130, said
            assert "Traceback" not in said


def is_endless(arguments: list[str]) -> bool:
    """Whether it runs until somebody has seen enough."""
    return arguments[0] == "tail" and {"-c", "--no-follow"}.isdisjoint(arguments)


def start(shop: Shop, arguments: list[str]) -> subprocess.Popen[str]:
    """Start a command."""
    return subprocess.Popen(
        [sys.executable, "-m", "streamapp", *arguments],
        env=shop.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def seen(process: subprocess.Popen[str], arguments: list[str]) -> tuple[int, str]:
    """Wait for a command's end; what is endless is interrupted once it has shown something."""
    said = ""
    if is_endless(arguments):
        assert process.stdout is not None
        said = next(line for line in process.stdout if not line.startswith("streamapp: "))
        process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=120)
    return process.returncode, said + rest
