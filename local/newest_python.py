"""Print the path of the newest Python on this machine: one on PATH, or one of pyenv's; nothing if it has one only."""

import os
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
"""What `requires-python` says, on which the other recipes run."""


def version(python: Path) -> tuple[int, ...]:
    """Return the version of *python*, or () for what cannot start, as a shim of pyenv, or is no release yet."""
    program = "import sys; print(*sys.version_info[:3] if sys.version_info.releaselevel == 'final' else '')"
    ran = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    return tuple(int(it) for it in ran.stdout.split()) if ran.returncode == 0 else ()


folders = [*map(Path, os.get_exec_path()), *(Path.home() / ".pyenv" / "versions").glob("*/bin")]
pythons = {it.resolve() for folder in folders for it in folder.glob("python3.[0-9][0-9]")}
newest, path = max(((version(it), it) for it in pythons), default=((), None))
if newest[:2] > OLDEST:
    sys.stdout.write(f"{path}\n")
