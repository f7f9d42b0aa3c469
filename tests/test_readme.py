"""What the README shows is true."""

import re
from pathlib import Path

from streamapp import App
from streamapp.config import _SETTINGS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_its_python_runs_and_declares_what_it_says() -> None:
    """An example that does not run costs a newcomer an hour."""
    blocks = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    world: dict[str, object] = {}

    for block in blocks:
        exec(compile(block, "README.md", "exec"), world)

    app = world["app"]
    assert isinstance(app, App)
    assert list(app.agents) == ["hits", "clicks"]
    assert world["announce"](None, world["Page"](1000)) == world["Popular"](1000)


def test_its_table_lists_every_setting_that_has_an_effect() -> None:
    """A variable that nobody finds does not exist."""
    later = {"STREAMAPP_TAP", "STREAMAPP_TAP_MAXLEN", "STREAMAPP_HTTP"}

    for variable, _ in _SETTINGS.values():
        assert (f"`{variable}`" in README) or variable in later, variable
