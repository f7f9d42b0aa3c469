"""What the README and the guide show is true."""

import re
from pathlib import Path
from typing import Any

import pytest

import streamapp_agents
from streamapp import App
from streamapp.cli.config import env_file, readme_table

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


PAGES = ["README.md", "docs/writing-agents.md"]
"""Those with Python, each of which is one module."""


def run_examples(page: str = "README.md") -> dict[str, Any]:
    """Return what the Python of a page leaves."""
    world: dict[str, Any] = {}
    for block in blocks(page):
        exec(compile(block, page, "exec"), world)
    return world


def blocks(page: str) -> list[str]:
    """Return the Python of a page."""
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


def test_no_other_page_shows_python() -> None:
    """What nobody runs is wrong in a year."""
    shown = [str(page.relative_to(ROOT)) for page in [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]]

    assert sorted(page for page in shown if blocks(page)) == sorted(PAGES)


def test_its_python_runs_and_declares_what_it_says() -> None:
    """An example that does not run costs a newcomer an hour."""
    world = run_examples()

    app = world["app"]
    assert isinstance(app, App)
    assert list(app.agents) == ["hits", "clicks"]
    assert world["announce"](None, world["Page"](1000)) == world["Popular"](1000)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_its_tests_pass(page: str) -> None:
    """What it promises of a test is what a test shows."""
    world = run_examples(page)
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
