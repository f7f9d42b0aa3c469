"""The example of an API beside the worker, run as a reader would."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from anyio import fail_after, sleep

from rigs.shop import Shop, samples

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service(shop: Shop) -> Iterator[str]:
    """The example under uvicorn. Returns its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["-m", "uvicorn", "--app-dir", str(ROOT / "examples"), "--port", str(port), "fastapi_app:api"]
    env = shop.env | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, *command], env=env, stderr=subprocess.DEVNULL) as server:
        yield f"http://127.0.0.1:{port}"
        server.terminate()


async def test_it_serves_the_state_that_the_worker_stored(shop: Shop, service: str) -> None:
    """Teams have an API already, which must be able to read the state."""
    await shop.send(samples())
    await shop.process()
    orders = await shop.hashes("acompanhamento")
    known = next(key for key, fields in orders.items() if fields["conhecido"] == "1")

    async with aiohttp.ClientSession() as session:
        with fail_after(40):
            while True:
                try:
                    async with session.get(f"{service}/pedidos/{known}") as answer:
                        told = await answer.json()
                    break
                except aiohttp.ClientConnectorError:
                    await sleep(0.1)
        async with session.get(f"{service}/pedidos/never-heard-of") as answer:
            unknown = answer.status

    assert told == {
        name: orders[known].get(name)
        for name in ("id_pedido", "status", "status_pagamento", "tempo_estimado")
    }
    assert unknown == 404
