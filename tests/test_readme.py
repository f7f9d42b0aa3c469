"""What the README shows is true."""

import re
from pathlib import Path
from typing import Any

import pytest

import streamapp_agents
from streamapp import App
from streamapp.cli.config import env_file, readme_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def run_examples() -> dict[str, Any]:
    """Answer what the README's Python leaves."""
    world: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(block, "README.md", "exec"), world)
    return world


def test_its_python_runs_and_declares_what_it_says() -> None:
    """An example that does not run costs a newcomer an hour."""
    world = run_examples()

    app = world["app"]
    assert isinstance(app, App)
    assert list(app.agents) == ["hits", "clicks"]
    assert world["announce"](None, world["Page"](1000)) == world["Popular"](1000)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_its_tests_pass() -> None:
    """What it promises of a test is what a test shows."""
    world = run_examples()
    tests = [example for name, example in world.items() if name.startswith("test_")]

    for example in tests:
        await example()

    assert tests


def test_its_table_is_what_config_prints() -> None:
    """A variable that nobody finds does not exist."""
    table = re.search(r"\| variable \|.*?\n\n", README, re.DOTALL)

    assert table is not None
    assert table[0].splitlines()[:-1] == list(readme_table(streamapp_agents.app))


def test_env_example_is_what_config_prints() -> None:
    """`just docs` writes it; nobody has to remember to."""
    assert (ROOT / ".env.example").read_text().splitlines() == list(env_file(streamapp_agents.app))
