"""Row 36: an app's code does what is not safe: nothing is deleted that was not announced, also in an outage."""

import json
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import msgspec
import pytest
from anyio import create_task_group, sleep

from faults.letters import Letters
from streamapp.app import App
from streamapp.errors import Reject
from streamapp.pipeline.stream import Stream
from streamapp.testing import Fail
from streamapp_codecs import Json

WAYS = ("good", "under way", "in a task", "no await", "mutates", "rejects", "fails")
DEAD = {"no await": "NotAwaited", "mutates": "StateMutated", "rejects": "no", "fails": "ValueError"}


class Job(msgspec.Struct, frozen=True):
    """What to do to a key."""

    key: str
    how: str
    n: int = 1


class Page(msgspec.Struct):
    """A state that may be changed in place."""

    key: str
    n: int


def fold(page: Page | None, job: Job) -> Page:
    """Keep the largest number."""
    if page is not None and job.how == "mutates":
        page.n = max(page.n, job.n)
        return page
    return Page(job.key, max(job.n, page.n if page else 0))


def build() -> App:
    """Return an app whose agent does each unsafe thing."""
    app = App("unsafe")
    sink = app.sink("pages", Json(Page))
    pages = app.table("page", Page, fold=fold, announce=lambda _, after: after, to=sink)

    async def wait_for(call: Any) -> None:
        await call

    @app.agent("jobs", Json(Job), concurrency=10)
    async def jobs(stream: Stream[Job]) -> None:
        async with create_task_group() as tasks:
            async for job in stream:
                if job.how == "under way":
                    tasks.start_soon(wait_for, pages.update(job.key, job))
                    await sleep(0.01)
                elif job.how == "in a task":
                    tasks.start_soon(wait_for, pages.update(job.key, job))
                elif job.how == "no await":
                    pages.update(job.key, job)
                else:
                    await pages.update(job.key, job)
                if job.how == "rejects":
                    raise Reject("no")
                if job.how == "fails":
                    raise ValueError

    return app


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
async def test_nothing_is_deleted_that_was_not_announced(
    long: bool, figure: Callable[[str], None], letters: Letters
) -> None:
    """What is not safe is waited for, or it fails its own message with a word that says what to do."""
    rounds = 100 if long else 10
    counted: Counter[str] = Counter()
    for seed in range(rounds):
        jobs = [Job(f"{how}-{n}", how) for how in WAYS for n in range(5)]
        letters.may_die(*(msgspec.json.encode(job).decode() for job in jobs if job.how in DEAD))
        Random(seed).shuffle(jobs)
        async with build().test(seed=seed) as t:
            t.sqs.faults.add("send", Fail("ServiceUnavailable"), queue="pages", seconds=seed * 7)
            t.store.faults.add("commit", Fail("LOADING"), seconds=seed * 5)
            first = [Job(job.key, "good", 0) for job in jobs if job.how == "mutates"]
            await t.send("jobs", *first)
            await t.settle(within=100_000)
            await t.send("jobs", *jobs)
            await t.settle(within=100_000)
            said = {(page.key, page.n) for page in t.sent("pages")}
            dead = {
                json.loads(letter.body)["key"]: letter.detail.partition(":")[0] for letter in t.dead("jobs")
            }
            reasons = {json.loads(letter.body)["key"]: letter.reason for letter in t.dead("jobs")}
            sent_at, gone_at = times(t, [*first, *jobs])
            for page in t.table("page").values():
                assert (page.key, page.n) in said
            for job in jobs:
                word = DEAD.get(job.how)
                assert word in {None, dead.get(job.key), reasons.get(job.key)}, job
                assert (job.key in dead) == (word is not None), job
                if job.how in {"no await", "mutates"}:
                    continue
                counted["announced"] += 1
                assert sent_at[job.key] <= gone_at[job.key]
            counted["messages"] += len(jobs)
            counted["dead letters"] += len(dead)

    figure(", ".join(f"{number} {what}" for what, number in counted.items()) + f" in {rounds} rounds")


def times(t: Any, jobs: list[Job]) -> tuple[dict[str, float], dict[str, float]]:
    """Return when each key was first announced, and when its message was deleted; *jobs* are all that were sent."""
    ledger = t.sqs.ledger
    said = zip(t.sent("pages"), ledger.sent("pages"), strict=True)
    sent_at = {page.key: entry.at for page, entry in reversed(list(said))}
    keys = {entry.message_id: job.key for job, entry in zip(jobs, ledger.sent("jobs"), strict=True)}
    return sent_at, {keys[entry.message_id]: entry.at for entry in ledger.deleted("jobs")}
