"""A client of a worker's probes and metrics."""

import aiohttp


class Probes:
    """A client of the worker's HTTP."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def get(self, path: str) -> tuple[int, dict[str, str]]:
        """Return the status, and the checks that are not `ok`."""
        async with self._session.get(f"{self._url}{path}") as answer:
            checks = (await answer.json())["checks"]
            return answer.status, {name: word for name, word in checks.items() if word != "ok"}

    async def text(self, path: str) -> str:
        """Return a body."""
        async with self._session.get(f"{self._url}{path}") as answer:
            return await answer.text()
