"""An app for tests of how workers end: one agent that takes its time, one that has nothing to do."""

import os
from typing import Any

from anyio import sleep

from streamapp.app import App
from streamapp.stream import Stream
from streamapp_codecs import Json

app = App("idler")


@app.agent("slow", Json(dict))
async def slow(events: Stream[Any]) -> None:
    """Take as long over each message as it is told to."""
    async for _ in events:
        await sleep(float(os.environ.get("IDLER_SECONDS", "0")))


@app.agent("idle", Json(dict))
async def idle(events: Stream[Any]) -> None:
    """Wait."""
    async for _ in events:
        pass
