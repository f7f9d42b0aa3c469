"""What the wheel installs is what the tests in the checkout test."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from rigs.shop import Shop

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        ["uv", "build", "--wheel", "--quiet", "--out-dir", str(folder), str(ROOT)], check=True, timeout=55
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_three_packages_and_says_that_they_are_typed(wheel: Path) -> None:
    """Our `codecs` and `agents` must not hide those of others."""
    names = zipfile.ZipFile(wheel).namelist()

    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if "." not in top} == {"streamapp", "streamapp_agents", "streamapp_codecs"}
    for package in ("streamapp", "streamapp_agents", "streamapp_codecs"):
        assert f"{package}/py.typed" in names


async def test_both_ways_to_start_the_worker_work_from_the_wheel(
    wheel: Path, shop: Shop, tmp_path: Path
) -> None:
    """`python -m streamapp` and `streamapp` are one program."""
    target = tmp_path / "site"
    subprocess.run(
        ["uv", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)],
        check=True,
        timeout=55,
    )
    # The dependencies are this environment's; the package under test comes first.
    shop.env["PYTHONPATH"] = str(target)
    script = target / "bin" / "streamapp"

    for command in ([sys.executable, "-m", "streamapp"], [sys.executable, str(script)]):
        done = subprocess.run(
            [*command, "worker", "--check"],
            env=shop.env,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        assert done.returncode == 0, done.stderr
        assert "ready" in done.stderr
    where = subprocess.run(
        [sys.executable, "-c", "import streamapp, streamapp_agents; print(streamapp.__file__)"],
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=50,
    )
    assert str(target) in where.stdout
