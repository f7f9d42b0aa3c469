"""`--app MODULE:ATTR` where there is no app that works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rigs.inprocess import call
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
async def test_a_module_that_cannot_be_imported_is_told_with_its_place(
    tmp_path: Path, source: str, words: str
) -> None:
    """The one who reads it wrote that module a minute ago."""
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


async def test_an_app_without_agents_is_told_to_declare_one(shop: Shop, tmp_path: Path) -> None:
    """The first line of a new app is run before the second one is written."""
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


async def test_a_folder_that_is_gone_is_in_nobodys_way(tmp_path: Path) -> None:
    """A deploy may remove the folder in which an old shell stands."""
    here, gone = Path.cwd(), tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    try:
        gone.rmdir()

        shown = await call(bare(), "config")
    finally:
        os.chdir(here)

    assert shown.returncode == 0, shown.stderr
