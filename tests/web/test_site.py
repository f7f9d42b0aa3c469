"""The app's boards as web pages: the responses, and what a real browser shows."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis.asyncio
from anyio import fail_after, sleep
from playwright.async_api import async_playwright

import streamapp_agents
from streamapp.config import Config
from streamapp.observe.counters import Counters
from streamapp.observe.tap_writer import TapEntry
from streamapp.redis.store import open_redis
from streamapp.redis.tap import open_tap
from streamapp.web.health import Health
from streamapp.web.metrics import Metrics
from streamapp.web.server import serve_http
from streamapp.web.site import pages_of

CHROMIUM = shutil.which("chromium")
SEEN_WITHIN = 15.0
"""Seconds: one is enough on an idle machine, which this one may not be."""


class Shop:
    """A shop's state and tap, written as a worker writes them, and its website."""

    def __init__(self, redis_url: str, prefix: str) -> None:
        self.config = Config(redis_url=redis_url, key_prefix=f"{prefix}:")
        self._redis = redis.asyncio.Redis.from_url(redis_url, decode_responses=True)

    async def order(self, key: str, status: str, **fields: str) -> None:
        """Change an order's state, and write it to the tap."""
        state = {
            "id_pedido": key,
            "status": status,
            "status_pagamento": "pago",
            "conhecido": "1",
            "versao": "1",
            "cliente": "***.456.789-**",
            "criado_em": "2025-07-28T15:00:20Z",
            "atualizado_em": "2025-07-28T15:00:20Z",
            "_t": "secret token",
            **fields,
        }
        await self._redis.hset(f"{self.config.key_prefix}acompanhamento:{key}", mapping=state)
        async with open_tap(self.config.redis_url, self.config.key_prefix) as taps:
            await taps.append([TapEntry("acompanhamento-events", b"{}", 1, 100)])

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()

    @asynccontextmanager
    async def serving(self, address: str = "127.0.0.1:0") -> AsyncIterator[str]:
        """Serve the website while the context is open, and yield its URL."""
        async with (
            open_redis(self.config.redis_url) as state,
            open_tap(self.config.redis_url, self.config.key_prefix) as news,
            pages_of(streamapp_agents.app.registry, self.config, state, news) as pages,
            serve_http(address, Health(), Metrics(Counters()).render, pages) as url,
        ):
            yield url


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the waits at the server's end and before a reconnect."""
    monkeypatch.setattr("streamapp.web.server.GRACE", 0.1)
    monkeypatch.setattr("streamapp.web.site.RECONNECT_MS", 100)


@pytest.fixture
async def shop(redis_url: str, prefix: str) -> AsyncIterator[Shop]:
    """An open shop."""
    opened = Shop(redis_url, prefix)
    yield opened
    await opened.close()


async def fila(session: aiohttp.ClientSession, url: str) -> dict[str, list[str]]:
    """Return the order numbers in each column of the kitchen, once the state was read."""
    with fail_after(SEEN_WITHIN):
        while True:
            async with session.get(f"{url}/api/fila?board=cozinha") as answer:
                if answer.status == 200:
                    columns = await answer.json()
                    return {it["name"]: [card["key"] for card in it["cards"]] for it in columns}
            await sleep(0.05)


async def boards(session: aiohttp.ClientSession, url: str, **headers: str) -> AsyncIterator[tuple[str, Any]]:
    """Yield (id, columns) of each event about the board in the event stream."""
    async with session.get(f"{url}/events?board=cozinha", headers=headers) as stream:
        assert stream.headers["Content-Type"] == "text/event-stream"
        place = ""
        async for raw in stream.content:
            line = raw.decode().rstrip("\n")
            if line.startswith("id: "):
                place = line[4:]
            if line.startswith("data: ["):
                yield place, json.loads(line[6:])


async def test_the_queue_and_one_order_are_served_without_anything_personal(shop: Shop) -> None:
    """A public screen must not know who ordered."""
    await shop.order("1001", "Em preparação")

    async with shop.serving() as url, aiohttp.ClientSession() as session:
        columns = await fila(session, url)
        async with session.get(f"{url}/api/pedidos/1001") as answer:
            order = await answer.json()
        async with session.get(f"{url}/api/pedidos/9999") as answer:
            unknown = answer.status
        bodies = []
        for path in ("/", "/cozinha", "/api/fila", "/api/pedidos/1001", "/board.js"):
            async with session.get(f"{url}{path}") as answer:
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                bodies.append(await answer.text())

    assert columns == {"Recebido": [], "Em preparação": ["1001"], "Pronto": []}
    assert order["status"] == "Em preparação"
    assert order.keys().isdisjoint({"cliente", "_t"})
    assert unknown == 404
    assert "456.789" not in "".join(bodies)
    assert "secret token" not in "".join(bodies)


async def test_a_change_reaches_a_watcher(shop: Shop) -> None:
    """The monitor on the wall must follow the kitchen."""
    await shop.order("1001", "Em preparação")

    async with shop.serving() as url, aiohttp.ClientSession() as session:
        stream = boards(session, url)
        with fail_after(SEEN_WITHIN):
            _, before = await anext(stream)
            await shop.order("1001", "Pronto")
            _, after = await anext(stream)
        await stream.aclose()

    assert [len(column["cards"]) for column in before] == [0, 1, 0]
    assert [len(column["cards"]) for column in after] == [0, 0, 1]


async def test_a_watcher_that_comes_back_after_a_restart_has_missed_nothing(shop: Shop) -> None:
    """A deploy at lunch time must not freeze the board."""
    await shop.order("1001", "Em preparação")
    async with shop.serving() as url, aiohttp.ClientSession() as session:
        stream = boards(session, url)
        with fail_after(SEEN_WITHIN):
            place, _ = await anext(stream)
        await stream.aclose()
    await shop.order("1001", "Finalizado")
    await shop.order("1002", "Pronto")

    async with shop.serving() as url, aiohttp.ClientSession() as session:
        stream = boards(session, url, **{"Last-Event-ID": place})
        with fail_after(SEEN_WITHIN):
            later, columns = await anext(stream)
        await stream.aclose()

    assert [[card["key"] for card in column["cards"]] for column in columns] == [[], [], ["1002"]]
    assert tuple(map(int, later.split("-"))) > tuple(map(int, place.split("-")))


# Cards that do not end within their column.
CUT_OFF = """[...document.querySelectorAll("li:not([hidden])")]
    .filter((card) => card.getBoundingClientRect().bottom > card.parentNode.getBoundingClientRect().bottom + 1)
    .map((card) => card.dataset.key)"""


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.timeout(180)
async def test_a_browser_shows_the_board(shop: Shop, tmp_path: Path) -> None:
    """Cards appear and move, a stale board is marked and recovers; on two sizes, without personal data."""
    await shop.order(
        "1001", "Em preparação", itens='[{"id_produto":"1","nome":"<b>X-Burger</b>","quantidade":2}]'
    )
    async with async_playwright() as play:
        browser = await play.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
        )
        page = await browser.new_page(viewport={"width": 1920, "height": 1080})
        await page.clock.install()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        async with shop.serving() as url:
            await page.goto(f"{url}/cozinha")
            await page.wait_for_selector('[data-column="Em preparação"] [data-key="1001"]')
            assert "\N{MULTIPLICATION SIGN} <b>X-Burger</b>" in await page.inner_text("main")
            await shop.order("1002", "Em preparação")
            await page.wait_for_selector('[data-column="Em preparação"] [data-key="1002"]')
            await shop.order("1001", "Pronto")
            await page.wait_for_selector('[data-column="Pronto"] [data-key="1001"]')
            await page.screenshot(path=shots(tmp_path) / "cozinha.png")
            assert await page.is_hidden("#stale")
            assert "456.789" not in await page.content()
            assert await page.inner_text("#said") == "Pronto: #1001"
        await page.clock.fast_forward(10_000)
        assert await page.is_visible("#stale")
        assert "sem conexão há 1" in await page.inner_text("#stale")
        await page.screenshot(path=shots(tmp_path) / "stale.png")
        await shop.order("1002", "Pronto")
        async with shop.serving(url.removeprefix("http://")):
            await page.wait_for_selector('[data-column="Pronto"] [data-key="1002"]', timeout=30_000)
            assert await page.is_hidden("#stale")
            small = await browser.new_page(viewport={"width": 768, "height": 1024})
            await small.clock.install()
            for number in range(60):
                await shop.order(f"{number}-{'x' * number}", "Em preparação")
            await small.goto(f"{url}/")
            await small.wait_for_selector('[data-column="Pronto"] [data-key="1002"]')
            assert await small.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert await small.evaluate(CUT_OFF) == []
            shown = await small.inner_text("section .more")
            assert shown.startswith("1")
            assert await small.locator(".old").count() == await small.locator(".last .old").count() == 2
            await small.screenshot(path=shots(tmp_path) / "cliente.png")
            await small.clock.fast_forward(8_000)
            assert await small.evaluate(CUT_OFF) == []
            assert await small.inner_text("section .more") != shown
        await browser.close()
    assert errors == []


def shots(tmp_path: Path) -> Path:
    """The folder for screenshots: BOARD_SHOTS keeps them, else a temporary one."""
    return Path(os.environ.get("BOARD_SHOTS", tmp_path))
