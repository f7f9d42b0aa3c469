"""An app for tests of how workers end: it only waits."""

import os
from typing import Any

from anyio import sleep

from streamapp.app import App
from streamapp.pipeline.stream import Stream
from streamapp_codecs import Json

QUEUES = ("idle-1", "idle-2", "idle-3", "idle-4")
"""Queues whose agents finish each message at once."""

app = App("idler")


@app.agent("slow", Json(dict))
async def slow(events: Stream[Any]) -> None:
    """Wait for the seconds in each message."""
    async for _ in events:
        await sleep(float(os.environ.get("IDLER_SECONDS", "0")))


async def idle(events: Stream[Any]) -> None:
    """Finish each message at once."""
    async for _ in events:
        pass


for queue in QUEUES:
    app.agent(queue, Json(dict), name=queue)(idle)
