"""Recipes for a laptop: the worker that reloads, and what is printed without Docker."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pexpect
import pytest
from anyio import to_thread

from rigs.shop import Shop

ROOT = Path(__file__).parents[2]
JUST = Path(sys.executable).with_name("just")
PATIENCE = 40
"""Seconds in which a worker starts or ends; the machine may be busy."""


def just(*recipe: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a recipe; return its result."""
    return subprocess.run(
        [JUST, *recipe], cwd=ROOT, env=os.environ | env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("recipe", ["up", "down", "logs"])
def test_a_recipe_that_needs_docker_says_what_to_do_without(recipe: str) -> None:
    """The first thing that a user types must not end in the usage text of another tool."""
    done = just(recipe, COMPOSE="false")

    assert done.returncode == 3
    assert done.stdout == ""
    assert "just up-native" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_recipe_of_docker_is_quiet_about_its_check() -> None:
    """`true` stands for a Docker that runs."""
    done = just("down", COMPOSE="true")

    assert (done.returncode, done.stderr) == (0, "true down --remove-orphans\n")


@pytest.mark.timeout(180)
async def test_a_worker_starts_again_when_the_code_changes_and_ends_quietly(
    shop: Shop, tmp_path: Path
) -> None:
    """The author of an agent wants to see it run, and to stop it with one Ctrl-C."""
    await to_thread.run_sync(edit_and_interrupt, shop, tmp_path)


def edit_and_interrupt(shop: Shop, folder: Path) -> None:
    """Run what `just dev` runs in *folder*, touch a file there, press Ctrl-C."""
    shutil.copytree(ROOT / "agents", folder / "agents")
    for name in ("streamapp", "codecs"):
        (folder / name).symlink_to(ROOT / name)
    child = pexpect.spawn(
        sys.executable,
        [str(ROOT / "local" / "dev.py")],
        cwd=folder,
        env=shop.env | {"TERM": "xterm"},
        encoding="utf-8",
        timeout=PATIENCE,
    )
    workers = []
    for _ in range(2):
        child.expect(r"pid (\d+)")
        workers.append(int(child.match.group(1)))
        child.expect("ready")
        if len(workers) == 1:
            (folder / "agents" / "streamapp_agents" / "ajustes.py").touch()
            child.expect(r"changed: agents/streamapp_agents/ajustes\.py")
            child.expect("stopped")
    child.sendintr()
    child.expect("stopped")
    rest = child.read()
    child.close()
    assert (child.exitstatus, child.signalstatus) == (130, None)
    assert "error" not in rest
    assert "WARNING" not in rest
    for worker in workers:
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)
