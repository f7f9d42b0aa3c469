"""Apps that count, which is not idempotent: one applies each event once, the other shows that duplicates miscount."""

import msgspec

from streamapp import App, Stream
from streamapp_codecs import Json


class Hit(msgspec.Struct, frozen=True):
    """A visit of a page; *n* tells hits apart."""

    page: str
    n: int


class Page(msgspec.Struct, frozen=True):
    """The number of hits of a page; each number is announced."""

    page: str
    hits: int


def fold(page: Page | None, hit: Hit) -> Page:
    """Count a hit; not idempotent."""
    return Page(hit.page, (page.hits if page else 0) + 1)


def make(*, once: bool) -> App:
    """Return an app whose queues have the names of the shop's."""
    app = App("counter")
    told = app.sink("acompanhamento-events", Json(Page))

    def announce(before: Page | None, after: Page | None) -> Page | None:
        return after if after != before else None

    pages = app.table("page", Page, fold=fold, announce=announce, to=told, once=once)

    @app.agent("pedido-events", Json(Hit), name="counting")
    async def counting(hits: Stream[Hit]) -> None:
        async for hit in hits:
            await pages.update(hit.page, hit)

    return app


once = make(once=True)
careless = make(once=False)
