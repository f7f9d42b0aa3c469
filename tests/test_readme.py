"""What the README and the other pages show is true."""

import os
import re
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pexpect
import psutil
import pytest
from anyio import to_thread

import streamapp_agents
from rigs.terminal import bare
from streamapp.cli.config import env_file, page

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
GUIDE = "docs/writing-agents.md"
PAGES = [
    *(it for it in ROOT.glob("*.md")),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("benchmarks/*.md"),
    *ROOT.glob("benchmarks/results/*.md"),
]
FOLDERS = ("agents", "benchmarks", "codecs", "deploy", "docs", "examples", "local", "streamapp", "tests")
"""What begins a path in this repository."""
PLACEHOLDER = re.compile("NAME|ROOM|NN|WORD")
"""Stands for what the reader chooses."""


def blocks(path: str | Path, language: str) -> list[str]:
    """Return the code of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / path).read_text(), re.DOTALL)


def test_only_these_pages_show_python() -> None:
    """What nobody runs is wrong in a year."""
    shown = [str(it.relative_to(ROOT)) for it in PAGES if blocks(it, "python")]

    assert sorted(shown) == ["README.md", GUIDE]


def test_the_readme_is_read_in_a_few_minutes() -> None:
    """A newcomer decides on one page; what is longer has a page of its own."""
    assert len(README.encode()) <= 8192


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


PATIENT = """
sleep() {  # a busy machine may start the servers later than two seconds from now
    for port in $SQS_PORT $REDIS_PORT; do until (echo >/dev/tcp/localhost/$port) 2>/dev/null; do command sleep 0.2; done; done
}
"""


@pytest.mark.timeout(180)
async def test_the_first_app_runs_as_it_is_printed(tmp_path: Path) -> None:
    """A newcomer who types what is printed, in that order, sees the printed result."""
    section = README.partition("## A first app\n")[2].partition("\n## ")[0]
    for name, code in re.findall(r"as `(\w+\.py)`:\n\n```python\n(.*?)```", section, re.DOTALL):
        (tmp_path / name).write_text(code)
    (commands,) = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", section, re.DOTALL)
    (tmp_path / "commands").write_text(PATIENT + commands)
    env = {
        **bare(),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONUTF8": "1",
        "SQS_PORT": str(free_port()),
        "REDIS_PORT": str(free_port()),
    }

    # A terminal, because only there does `kill %1` end all of a job. `-m` counts jobs as a reader's own shell does.
    said, code = await to_thread.run_sync(run, ["-m", "-e", "commands"], tmp_path, env)

    assert sorted(it.name for it in tmp_path.glob("*.py")) == ["test_visits.py", "visits.py"]
    assert code == 0, said
    assert " passed" in said, said
    for line in shown.splitlines():
        pattern = re.escape(line).replace("…", ".*")
        assert any(re.fullmatch(pattern, each.rstrip()) for each in said.splitlines()), (line, said)


def run(arguments: list[str], folder: Path, env: dict[str, str]) -> tuple[str, int]:
    """Run bash on a terminal; return what it showed, and its exit code."""
    child = pexpect.spawn(
        "bash",
        arguments,
        cwd=str(folder),
        env=env,
        dimensions=(50, 200),
        encoding="utf-8",
        timeout=150,
    )
    child.expect(pexpect.EOF)
    child.close()
    for each in (
        psutil.process_iter()
    ):  # where a command failed, the last one was not reached, which ends the servers
        with suppress(ProcessLookupError, psutil.NoSuchProcess):  # it may end while we look
            if each.pid and os.getsid(each.pid) == child.pid:
                each.kill()
    return str(child.before), child.exitstatus if child.exitstatus is not None else -1


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_the_tests_of_the_guide_pass() -> None:
    """What it promises of a test is what a test shows."""
    world: dict[str, Any] = {}
    for block in blocks(GUIDE, "python"):
        exec(compile(block, GUIDE, "exec"), world)
    tests = [example for name, example in world.items() if name.startswith("test_")]

    for example in tests:
        await example()

    assert tests


@pytest.mark.parametrize("path", PAGES, ids=lambda it: str(it.relative_to(ROOT)))
def test_every_link_leads_to_something(path: Path) -> None:
    """A reader who follows a link must find a page."""
    targets = re.findall(r"\]\(([^)\s]+)\)", path.read_text())
    broken = [it for it in targets if not it.startswith(("https://", "http://")) and not is_there(path, it)]

    assert broken == []


def is_there(path: Path, link: str) -> bool:
    """Whether the file of a link is there, and the heading, where one is named."""
    file, _, heading = link.partition("#")
    target = path.parent / file if file else path
    return target.exists() and (not heading or heading in headings(target))


def headings(path: Path) -> list[str]:
    """Return the anchors of a page's headings, as the forges make them."""
    titles = re.findall(r"^#+ (.+)$", path.read_text(), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


@pytest.mark.parametrize("path", PAGES, ids=lambda it: str(it.relative_to(ROOT)))
def test_every_path_that_is_named_is_there(path: Path) -> None:
    """Files move, and a reader who looks for one has to find it."""
    words = re.findall(r"`([\w./*-]+)`", path.read_text())
    named = [it for it in words if it.split("/")[0] in FOLDERS and "/" in it and not PLACEHOLDER.search(it)]
    missing = [it for it in named if not list(ROOT.glob(it.rstrip("/")))]

    assert missing == []


def test_the_page_of_settings_is_what_config_prints() -> None:
    """A variable that nobody finds does not exist; `just docs` writes the page."""
    shown = (ROOT / "docs" / "configuration.md").read_text()

    assert shown.splitlines() == list(page(streamapp_agents.app))


def test_env_example_is_what_config_prints() -> None:
    """`just docs` writes it; nobody has to remember to."""
    assert (ROOT / ".env.example").read_text().splitlines() == list(env_file(streamapp_agents.app))
