"""`--app MODULE:ATTR` without an app that works."""

import subprocess
import sys
from pathlib import Path

import pytest

from rigs.shop import Shop, ended
from rigs.terminal import bare


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import sys\n\nsys.exit(7)", "SystemExit: 7 ({file}, line 3)"),
        ("\n\ndef broken(:\n", "SyntaxError: invalid syntax ({file}, line 3)"),
        ("\nraise ValueError('no DSN')", "ValueError: no DSN ({file}, line 2)"),
    ],
)
async def test_an_error_in_the_module_is_shown_with_its_line(tmp_path: Path, source: str, words: str) -> None:
    """The reader has just written that module."""
    file = tmp_path / "mine.py"
    file.write_text(source)
    env = {**bare(), "PYTHONPATH": str(tmp_path)}

    shown = subprocess.run(
        [sys.executable, "-m", "streamapp", "config", "--app", "mine:app"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert shown.returncode == 2
    assert shown.stderr == f"streamapp: --app mine:app: {words.format(file=file)}\n"


async def test_an_app_without_agents_is_an_error_that_says_how_to_declare_one(
    shop: Shop, tmp_path: Path
) -> None:
    """A new app is run before it has an agent."""
    (tmp_path / "bare_app.py").write_text("from streamapp import App\n\napp = App('bare')\n")
    shop.env["PYTHONPATH"] = str(tmp_path)

    worker = shop.start("--app", "bare_app:app")
    said = await ended(worker)
    status = subprocess.run(
        [sys.executable, "-m", "streamapp", "status", "--app", "bare_app:app"],
        env=shop.env,
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )

    assert worker.returncode == 2
    assert said == "streamapp: app 'bare' has no agents; declare one with @app.agent(QUEUE, CODEC)\n"
    assert (status.returncode, status.stdout.splitlines()[0]) == (0, "no worker is there")


def test_a_current_folder_that_no_longer_exists_does_no_harm(tmp_path: Path) -> None:
    """A deploy may remove the current folder of an old shell."""
    gone = tmp_path / "gone"
    gone.mkdir()

    shown = subprocess.run(
        ["/bin/sh", "-c", 'rmdir "$PWD" && exec "$0" -m streamapp config', sys.executable],
        cwd=gone,
        env=bare(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert shown.returncode == 0, shown.stderr
