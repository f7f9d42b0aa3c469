"""What type checkers must refuse: each line has an error here, and a checker that finds none says so."""

# pyright: reportUnnecessaryTypeIgnoreComment=true

from accepted import Click, Page, Popular, app, count, pages, popular

from streamapp import Retry, Stream
from streamapp_codecs import Json


def of_another_state(state: Popular | None, click: Click) -> Popular:
    """Fold what is not the table's."""
    del click
    return state or Popular(0)


app.table("another", Page, fold=of_another_state)  # type: ignore[arg-type]
app.table("no state", int, fold=count)  # type: ignore[type-var, arg-type]


@app.agent("clicks", Json(Click))  # type: ignore[arg-type]
async def of_other_events(stream: Stream[Page]) -> None:
    """Iterate what the codec does not decode."""
    async for page in stream:
        await pages.update("home", page)  # type: ignore[arg-type]


@app.agent("clicks", Json(Click))  # type: ignore[arg-type]
def no_coroutine(stream: Stream[Click]) -> None:
    """Wait for nothing."""
    del stream


async def wrong_values() -> None:
    """Give what does not fit."""
    await popular.send(Page(1))  # type: ignore[arg-type]
    await pages.update(7, Click("home"))  # type: ignore[arg-type]
    Retry(after="soon")  # type: ignore[arg-type]
