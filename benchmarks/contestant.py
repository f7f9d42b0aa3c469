"""A program that takes part: how it is started, and where its work ends up."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
HAND = HERE / "contestants"
PEERS = HERE / "peers"

Work = Literal["application", "handler", "empty"]
"""`application`: acompanhamento's own codec, index, catalogue, fold, state and announcement. `handler`: decode, one
HSET, one send. `empty`: consume and delete."""

QUEUE, SINK = "pedido-events", "acompanhamento-events"
OTHER_QUEUES = ("pagamento-events", "produto-events")


@dataclass(frozen=True, eq=False)
class Contestant:
    """A program that works off a queue until SIGTERM, in the environment from `environment`.

    *weight* is how many messages it gets for each one of the slowest, so that rounds take equally long. *folder* has
    its own locked environment. *wraps*: its messages need an envelope of its own. *slower* is how many times longer it
    takes under a profiler.
    """

    name: str
    does: str
    command: Sequence[str]
    work: Work = "handler"
    weight: int = 1
    settings: Mapping[str, str] | None = None
    folder: Path | None = None
    wraps: bool = False
    processes: int = 1
    slower: int = 1

    @property
    def missing(self) -> str | None:
        """Why it cannot run, None when it can. Installs its environment if it has one of its own."""
        return None if self.folder is None else install(self.folder)

    def entries(self, bodies: Sequence[str], environ: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Return the messages to send for it: entries of SendMessageBatch without their ids."""
        if not self.wraps:
            return [{"MessageBody": body} for body in bodies]
        done = subprocess.run(
            [".venv/bin/python", "peer.py", "wrap"],
            cwd=self.folder,
            env=dict(environ),
            input="\n".join(bodies),
            capture_output=True,
            text=True,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def environment(self, endpoint: str, redis_url: str, prefix: str) -> dict[str, str]:
        """Return its environment variables, with its queues and the *prefix* of its keys."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "STREAMAPP_", "BENCH_"))}
        kept.pop("VIRTUAL_ENV", None)
        # Installed programs have their bytecode; compiling it at each start would count as memory.
        kept.pop("PYTHONDONTWRITEBYTECODE", None)
        queues = [QUEUE, *OTHER_QUEUES]
        return {
            **kept,
            "AWS_ENDPOINT_URL_SQS": endpoint,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",  # the emulators check no credentials
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "REDIS_URL": redis_url,
            "STREAMAPP_KEY_PREFIX": prefix,
            "BENCH_PREFIX": prefix,
            "BENCH_WORK": self.work,
            "BENCH_ENDPOINT": endpoint,
            "BENCH_QUEUES": ",".join(f"{endpoint}/000000000000/{queue}" for queue in queues),
            "BENCH_SINK": f"{endpoint}/000000000000/{SINK}",
            **(self.settings or {}),
        }

    def key(self, prefix: str, order: str) -> str:
        """Return the key of an order's state."""
        return f"{prefix}{'acompanhamento' if self.work == 'application' else 'pedido'}:{order}"


@cache
def install(folder: Path) -> str | None:
    """Install the locked environment of *folder*; return why that failed, or None."""
    if (folder / "package.json").exists():
        if shutil.which("node") is None:
            return "there is no node"
        if (folder / "node_modules").exists():
            return None
        command = ["npm", "ci", "--silent", "--no-audit", "--no-fund"]
    else:
        command = ["uv", "sync", "--frozen", "--quiet", "--no-dev"]
    environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    try:
        subprocess.run(command, cwd=folder, env=environ, check=True, capture_output=True, timeout=300)
    except subprocess.CalledProcessError as error:
        said = "; ".join(map(str.strip, error.stderr.decode(errors="replace").strip().splitlines()[:2]))
        return f"its environment cannot be installed: {said or error.returncode}"
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"its environment cannot be installed: {type(error).__name__}"
    return None


def ours(work: Work, app: str) -> Contestant:
    """Return streamapp's worker as users start it, with one setting: how many messages it may have in hand."""
    command = [sys.executable, "-m", "streamapp", "worker", "--app", app]
    settings = {"STREAMAPP_CONCURRENCY": "100", "LOG_FORMAT": "json"}
    weight = {"application": 10, "handler": 10, "empty": 20}[work]
    return Contestant("streamapp", "a worker, all safety on", command, work, weight, settings)


def hand(name: str, does: str, work: Work, weight: int) -> Contestant:
    """Return a program of `benchmarks/contestants`."""
    return Contestant(name, does, [sys.executable, str(HAND / f"{name}.py")], work, weight)


def peer(name: str, does: str, *command: str, work: Work, weight: int = 1, wraps: bool = False) -> Contestant:
    """Return a program of `benchmarks/peers`, run in its folder; its Python is `.venv/bin/python`."""
    return Contestant(name, does, command, work, weight, folder=PEERS / name, wraps=wraps)
