"""The contestants, by the work that they do: only the same work is compared."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from benchmarks.contestant import Contestant, Work, hand, ours, peer

WORKS: Mapping[Work, str] = {
    "application": "acompanhamento's own work: tolerant codec, product index and catalogue, fold, state, announcement",
    "handler": "a plain handler: decode, one idempotent HSET, one send",
    "empty": "consuming only",
}
APPS: Mapping[Work, str] = {
    "application": "streamapp_agents:app",
    "handler": "benchmarks.apps:handler",
    "empty": "benchmarks.apps:empty",
}
STREAMAPP = {work: ours(work, app) for work, app in APPS.items()}
NAIVE = {work: hand("naive", "the usual loop on aioboto3, one by one", work, 1) for work in WORKS}
BATCHED = {work: hand("batched", "a careful pipeline on aioboto3", work, 5) for work in WORKS}
FLOOR = {work: hand("floor", "own HTTP and signature, no safety", work, 20) for work in WORKS}
PYTHON = ".venv/bin/python"


def peers(work: Work) -> Sequence[Contestant]:
    """Return the contestants on other frameworks, each set up as its documents say."""
    few = 4 if work == "empty" else 1
    return (
        peer("sqs-consumer", "BBC's, on Node", "node", "peer.mjs", work=work, weight=2 * few),
        peer("fanferro", "in Rust, on Python 3.12+", PYTHON, "peer.py", work=work, weight=5 * few),
        peer("sqs-workers", "RawQueue, on boto3", PYTHON, "peer.py", work=work, weight=few),
        peer(
            "taskiq-aio-sqs",
            "one process",
            *(".venv/bin/taskiq", "worker", "peer:broker", "--workers", "1"),
            work=work,
            wraps=True,
        ),
        peer(
            "dramatiq-sqs",
            "eight threads",
            *(".venv/bin/dramatiq", "peer", "--processes", "1", "--threads", "8"),
            work=work,
            wraps=True,
        ),
        peer(
            "celery",
            "eight threads",
            *(".venv/bin/celery", "-A", "peer", "worker", "--pool", "threads", "--concurrency", "8"),
            *("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "warning"),
            work=work,
            wraps=True,
        ),
    )


EVERYONE: Sequence[Contestant] = [
    *(field[work] for work in WORKS for field in (STREAMAPP, NAIVE, BATCHED, FLOOR)),
    *peers("handler"),
    *peers("empty"),
]
QUICK: Sequence[Contestant] = [
    *(field["application"] for field in (STREAMAPP, NAIVE, FLOOR)),
    *(field["handler"] for field in (STREAMAPP, NAIVE, BATCHED, FLOOR)),
    *(field["empty"] for field in (STREAMAPP, FLOOR)),
    *peers("empty")[:3],  # the cheapest in each language
]

# Without uvloop: the process finds it not installed.
_BARE = "import runpy, sys; sys.modules['uvloop'] = None; runpy.run_module('streamapp', run_name='__main__', alter_sys=True)"


def variants(tls: Mapping[str, str] | None) -> Mapping[str, Contestant]:
    """Return streamapp's worker with one change each, by the name of the change; *tls* are the settings for TLS."""
    usual = STREAMAPP["application"]
    assert usual.settings is not None

    def with_(**settings: str) -> Contestant:
        return replace(usual, settings={**(usual.settings or {}), **settings})

    return {
        "as it is": usual,
        "tap off": with_(STREAMAPP_TAP="off"),
        "without uvloop": replace(usual, command=[sys.executable, "-c", _BARE, *usual.command[3:]]),
        "on aioboto3's client": with_(STREAMAPP_SQS_CLIENT="aioboto3"),
        "two processes": replace(usual, processes=2),
        **({"with TLS": with_(**tls)} if tls else {}),
    }
