"""What takes part: how it is started, and what its work leaves."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
HAND = HERE / "contestants"
PEERS = HERE / "peers"

Work = Literal["application", "handler", "empty"]
"""`application`: acompanhamento's own codec, fold, commit and announcement. `handler`: decode, one HSET, one
send. `empty`: consume and delete."""

QUEUE, SINK = "pedido-events", "acompanhamento-events"
OTHER_QUEUES = ("pagamento-events", "produto-events")


@dataclass(frozen=True)
class Contestant:
    """A program that works off a queue until SIGTERM, in the environment that `environment` answers.

    *weight* is how many messages it is given for each one of the slowest, so that rounds take equally long.
    *peer* is the folder of its own locked environment. *wraps* says that its messages need an envelope of its own.
    """

    name: str
    does: str
    command: Sequence[str]
    work: Work = "handler"
    weight: int = 1
    settings: Mapping[str, str] | None = None
    peer: str | None = None
    wraps: bool = False
    processes: int = 1

    @property
    def folder(self) -> Path:
        """Where its environment is."""
        return PEERS / (self.peer or "")

    @cached_property
    def missing(self) -> str | None:
        """Why it cannot run, None when it can. Installs its environment, where it has one of its own."""
        if self.peer is None:
            return None
        if (self.folder / "package.json").exists():
            if shutil.which("node") is None:
                return "there is no node"
            if (self.folder / "node_modules").exists():
                return None
            install = ["npm", "ci", "--silent"]
        else:
            install = ["uv", "sync", "--frozen", "--quiet", "--no-dev"]
        environ = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
        try:
            subprocess.run(
                install, cwd=self.folder, env=environ, check=True, capture_output=True, timeout=300
            )
        except subprocess.CalledProcessError as error:
            lines = error.stderr.decode(errors="replace").strip().splitlines()
            return f"its environment cannot be installed: {lines[-1] if lines else error.returncode}"
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"its environment cannot be installed: {type(error).__name__}"
        return None

    def entries(self, bodies: Sequence[str], environ: Mapping[str, str]) -> list[Mapping[str, Any]]:
        """Answer what is to be sent for it: entries of SendMessageBatch without their ids."""
        if not self.wraps:
            return [{"MessageBody": body} for body in bodies]
        done = subprocess.run(
            [str(self.folder / ".venv/bin/python"), "peer.py", "wrap"],
            cwd=self.folder,
            env=dict(environ),
            input="\n".join(bodies),
            capture_output=True,
            text=True,
            check=True,
        )
        return [json.loads(line) for line in done.stdout.splitlines()]

    def environment(self, endpoint: str, redis_url: str, prefix: str) -> dict[str, str]:
        """Answer the environment in which it finds its queues, and its keys under *prefix*."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("AWS_", "STREAMAPP_", "BENCH_"))}
        kept.pop("VIRTUAL_ENV", None)
        queues = [QUEUE, *OTHER_QUEUES]
        return {
            **kept,
            "AWS_ENDPOINT_URL_SQS": endpoint,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",  # the emulators look at none
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
        """Answer where the state of an order is."""
        return f"{prefix}{'acompanhamento' if self.work == 'application' else 'pedido'}:{order}"


def ours(name: str, does: str, app: str, work: Work, **more: Any) -> Contestant:  # noqa: ANN401 - Contestant's
    """Answer our worker as one starts it, with one setting: how much it may have in hand."""
    command = [sys.executable, "-m", "streamapp", "worker", "--app", app]
    settings = {"STREAMAPP_CONCURRENCY": "100", "LOG_FORMAT": "json"}
    return Contestant(name, does, command, work, settings=settings, weight=8, **more)


def hand(name: str, does: str, module: str, weight: int, work: Work = "handler") -> Contestant:
    """Answer a program of `benchmarks/contestants`."""
    return Contestant(name, does, [sys.executable, str(HAND / f"{module}.py")], work, weight=weight)


def peer(
    name: str, does: str, *command: str, weight: int = 1, wraps: bool = False, work: Work = "handler"
) -> Contestant:
    """Answer a program of `benchmarks/peers`, run in its folder; its Python is `.venv/bin/python`."""
    return Contestant(
        name, does, command, work, weight=weight, peer=name.split(" ", maxsplit=1)[0], wraps=wraps
    )
