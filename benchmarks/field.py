"""Who takes part."""

from benchmarks.contestant import Contestant, hand, ours, peer

STREAMAPP = ours(
    "streamapp",
    "`streamapp worker`: acompanhamento with everything on",
    "streamapp_agents:app",
    "application",
)
STREAMAPP_HANDLER = ours(
    "streamapp-handler", "`streamapp worker` with the plain handler", "benchmarks.apps:handler", "handler"
)
STREAMAPP_EMPTY = ours(
    "streamapp-empty", "`streamapp worker`, an empty agent", "benchmarks.apps:empty", "empty"
)
NAIVE = hand(
    "naive", "the usual loop on aioboto3: receive 10, then HSET, send and delete one by one", "naive", 1
)
BATCHED = hand("batched", "a careful pipeline on aioboto3, all in tens", "batched", 5)
FLOOR = hand("floor", "own HTTP, signature and RESP; nothing is handled that can go wrong", "floor", 20)

CORE: tuple[Contestant, ...] = (STREAMAPP, STREAMAPP_HANDLER, NAIVE, BATCHED, FLOOR)
PYTHON = ".venv/bin/python"
PEERS: tuple[Contestant, ...] = (
    peer("sqs-consumer", "BBC's for Node, one message after the other", "node", "peer.mjs", weight=2),
    peer("sqs-workers", "RawQueue on boto3, deletes in tens", PYTHON, "peer.py"),
    peer(
        "taskiq-aio-sqs",
        "receives of ten",
        ".venv/bin/taskiq",
        "worker",
        "peer:broker",
        "--workers",
        "1",
        wraps=True,
    ),
    peer(
        "dramatiq-sqs",
        "eight threads",
        ".venv/bin/dramatiq",
        "peer",
        "--processes",
        "1",
        "--threads",
        "8",
        wraps=True,
    ),
    peer(
        "celery",
        "eight threads, acknowledged late",
        ".venv/bin/celery",
        *("-A", "peer", "worker", "--pool", "threads", "--concurrency", "8"),
        *("--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "warning"),
        wraps=True,
    ),
)
ABSENT = {
    "fanferro": "its releases need Python 3.12, while this project, and so the benchmark, is run from 3.11 on",
}
EMPTY: tuple[Contestant, ...] = (STREAMAPP_EMPTY,)
EVERYONE = (*CORE, *PEERS, *EMPTY)
