"""What type checkers must accept of an application: nothing here needs a cast or an annotation too many."""

from collections.abc import AsyncIterator
from typing import assert_type

import msgspec

from streamapp import App, Config, Reject, Retry, Skip, Stream, open_view
from streamapp_codecs import Decoded, DecodeError, Json, Origin


class Click(msgspec.Struct, frozen=True):
    """An event."""

    page: str


class Page(msgspec.Struct, frozen=True):
    """State."""

    hits: int


class Popular(msgspec.Struct, frozen=True):
    """An announcement."""

    hits: int


def count(page: Page | None, click: Click) -> Page:
    """Fold."""
    del click
    return Page(1 if page is None else page.hits + 1)


def praise(before: Page | None, after: Page | None) -> Popular | None:
    """Announce."""
    del before
    return Popular(after.hits) if after is not None and after.hits > 9 else None


app = App("clicks")
popular = app.sink("popular", Json(Popular))
pages = app.table("page", Page, fold=count, announce=praise, to=popular, once=True)
named = app.table("named", Page, fold=count, identity=lambda click: click.page)
visits = app.index("visits")


@app.agent("clicks", Json(Click), concurrency=20, timeout=5.0)
async def clicks(stream: Stream[Click]) -> None:
    """One by one."""
    async for click in stream:
        if not click.page:
            raise Reject("no_page", "page is empty")
        if click.page == "later":
            raise Retry(after=2.5)
        if click.page == "never":
            raise Skip("of no interest")
        assert_type(await pages.update(click.page, click), Page | None)
        assert_type(await pages.get(click.page), Page | None)
        await visits.add([click.page], "visitor")
        assert_type(await visits.members(click.page), set[str])
        await popular.send(Popular(1), group=click.page)


@app.agent("batches", Json(Click))
async def batches(stream: Stream[Click]) -> None:
    """In batches."""
    async for some in stream.take(10, within=0.5):
        clicks: list[Click] = some
        assert_type(some[0], Click)
        some.fail(clicks[0], ValueError("of this one alone"))
        some.skip(clicks[1])
        some.reject(clicks[2], "no_page")
        assert_type(await pages.update_many([(click.page, click) for click in some]), list[Page | None])


@app.agent("stateless", Json(Click), sink=popular)
async def stateless(stream: Stream[Click]) -> AsyncIterator[Popular]:
    """What it yields goes to its sink."""
    async for click in stream:
        yield Popular(len(click.page))


class Lines:
    """A codec of one's own, with a reason of its own."""

    def decode(self, body: str, origin: Origin) -> Decoded[Click]:
        """Return the page that the body names."""
        if not body:
            return Decoded(error=DecodeError("no_page", f"empty body of {origin.queue}"))
        return Decoded((Click(body),))


@app.agent("lines", Lines())
async def lines(stream: Stream[Click]) -> None:
    """Events of that codec."""
    async for click in stream:
        assert_type(click, Click)


async def trial() -> None:
    """A test of it."""
    async with app.test(Config(max_attempts=2), seed=7) as t:
        await t.send("clicks", Click("home"), '{"page": "raw"}')
        await t.settle()


async def beside() -> None:
    """Reading what workers keep."""
    async with open_view(Config()) as view:
        assert_type(await view.get(pages, "home"), Page | None)
        assert_type(await view.get_many(pages, ["home"]), list[Page | None])
