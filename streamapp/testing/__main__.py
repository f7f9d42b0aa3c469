"""An SQS on loopback for other processes: prints its endpoint on one line, and serves until a signal ends it."""

import signal
import sys
from argparse import ArgumentParser

import anyio

from streamapp.testing.sqs.memory import MemorySqs
from streamapp.testing.sqs.server import serve


async def main(port: int, seed: int, queues: list[str]) -> None:
    """Serve until SIGTERM or SIGINT."""
    sqs = MemorySqs(seed=seed)
    for queue in queues:
        await sqs.create(queue, {"FifoQueue": "true"} if queue.endswith(".fifo") else {})
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async with serve(sqs, port=port) as endpoint:
            sys.stdout.write(f"{endpoint}\n")
            sys.stdout.flush()
            async for _ in signals:
                return


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m streamapp.testing", description="An SQS on loopback, for tests.")
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--seed", type=int, default=0, help="seed of the message ids")
    parser.add_argument("--queue", action="append", default=[], help="create this queue; may be repeated")
    options = parser.parse_args()
    anyio.run(main, options.port, options.seed, options.queue)
