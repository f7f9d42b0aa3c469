"""The steps of the Dockerfile, run here without Docker: its files alone, its commands, its probe."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
INSTRUCTIONS = [
    line.strip()
    for line in re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()
    if line.strip() and not line.startswith("#")
]


@pytest.mark.timeout(300)
def test_its_commands_make_a_program_that_runs_without_the_rest_of_the_repository(tmp_path: Path) -> None:
    """A file that .dockerignore or a COPY forgets is found by the first build in production."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "VIRTUAL_ENV"))}
    env |= {"UV_PYTHON_DOWNLOADS": "never", "UV_LINK_MODE": "copy", "UV_PYTHON": sys.executable}

    for instruction in INSTRUCTIONS[: INSTRUCTIONS.index("FROM python:3.13-slim-trixie")]:
        word, _, rest = instruction.partition(" ")
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                copy(ROOT / source, tmp_path / target)
        elif word == "RUN":
            command = re.sub(r"--mount=\S+\s+", "", rest)
            subprocess.run(["sh", "-c", command], cwd=tmp_path, env=env, check=True, capture_output=True)

    program = tmp_path / ".venv" / "bin" / "streamapp"
    shown = subprocess.run([program, "--version"], cwd="/", capture_output=True, text=True, check=True)
    packages = subprocess.run(
        [
            program.with_name("python"),
            "-c",
            "import streamapp_agents, streamapp_codecs, uvloop, opentelemetry",
        ],
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout.startswith("streamapp ")
    assert packages.stderr == ""
    assert not (tmp_path / ".venv" / "bin" / "moto_server").exists()


def test_its_ignore_file_lets_through_what_it_copies() -> None:
    """Docker sees nothing that the ignore file keeps from it."""
    let_through = {
        line.removeprefix("!").removesuffix("/**")
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    copied = {
        source
        for line in INSTRUCTIONS
        if line.startswith("COPY ") and "--from" not in line
        for source in line.split()[1:-1]
    }

    assert copied == let_through


def test_its_probe_is_python_and_fails_where_nothing_listens() -> None:
    """A probe that cannot fail keeps a dead worker."""
    (probe,) = [line for line in INSTRUCTIONS if line.startswith("HEALTHCHECK")]
    command = json.loads(probe[probe.index("[") :])
    assert command[0] == "python"

    done = subprocess.run([sys.executable, *command[1:]], capture_output=True, check=False)

    assert done.returncode == 1


def copy(source: Path, target: Path) -> None:
    """Copy as COPY does: the content of a folder goes into the target."""
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target)
