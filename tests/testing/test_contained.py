"""Whatever an agent's code raises ends an attempt at its own message, and nothing else, on both of anyio's back ends."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import suppress

import anyio
import msgspec
import pytest

from streamapp import App, Reject, Retry, Skip, Stream
from streamapp.errors import Panic
from streamapp.testing.trial import StuckAgent
from streamapp.testing.trial_values import DeadLetter
from streamapp_codecs import Decoded, DecodeError, Json, Origin


class Rust(BaseException):
    """What a panic in a Rust extension is."""


class Unequal(Exception):
    """What cannot be compared."""

    __hash__ = None  # type: ignore[assignment]  # as a class with __eq__ alone has it

    def __eq__(self, other: object) -> bool:
        """Raise."""
        raise RuntimeError


class Faceless(Exception):
    """What `isinstance` cannot be asked about."""

    @property
    def __class__(self) -> type:  # type: ignore[override]
        """Raise."""
        raise RuntimeError


class BareReject(Reject):
    """A decision without its parts."""

    def __init__(self) -> None:
        Exception.__init__(self)


class BareRetry(Retry):
    """A decision without its part."""

    def __init__(self) -> None:
        Exception.__init__(self)


def odd_reject() -> Reject:
    """Return a decision whose parts are no text."""
    odd = Reject("odd")
    odd.reason, odd.detail = 5, b"x"  # type: ignore[assignment]  # the claim
    return odd


def nested(error: BaseException, depth: int) -> BaseException:
    """Return a group in a group, and so on."""
    for _ in range(depth):
        error = BaseExceptionGroup("g", [error])
    return error


class Ev(msgspec.Struct, frozen=True):
    """An event."""

    key: str
    n: int = 0


class St(msgspec.Struct, frozen=True):
    """A state, and what is announced of it."""

    key: str
    n: int


RAISED: tuple[Callable[[], BaseException], ...] = (
    lambda: Rust("panicked"),
    lambda: SystemExit(3),
    GeneratorExit,
    KeyboardInterrupt,
    StopAsyncIteration,
    asyncio.CancelledError,
    lambda: BaseExceptionGroup("g", [Rust(), BaseExceptionGroup("h", [SystemExit()])]),
)


@pytest.fixture(autouse=True)
def own_handler() -> Iterator[None]:
    """Take SIGINT as a worker process does: nothing raises KeyboardInterrupt but code."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    yield
    signal.signal(signal.SIGINT, before)


def fold(state: St | None, event: Ev) -> St:
    """Return the state with the largest number; idempotent."""
    return St(event.key, max(event.n, state.n if state else 0))


class Breaks:
    """An app of which one part raises at the event `bad`."""

    def __init__(self, where: str, error: Callable[[], BaseException]) -> None:
        self.app = App("breaks")
        self.where, self.error = where, error
        sink = self.app.sink("out", Json(St), identity=self.identity)
        table = self.app.table("t", St, fold=self.fold, announce=self.announce, to=sink)

        @self.app.agent("in", self, concurrency=10)
        async def agent(stream: Stream[Ev]) -> None:
            async for event in stream:
                self.at("agent", event.key)
                await table.update(event.key, event)

    def at(self, where: str, key: str) -> None:
        """Raise here."""
        if where == self.where and key == "bad":
            raise self.error()

    def fold(self, state: St | None, event: Ev) -> St:
        """Fold."""
        self.at("fold", event.key)
        return fold(state, event)

    def announce(self, _: St | None, after: St | None) -> St | None:
        """Announce each change."""
        if after is not None:
            self.at("announce", after.key)
        return after

    def identity(self, said: St) -> str:
        """Return the key."""
        self.at("identity", said.key)
        return f"{said.key}{said.n}"

    def decode(self, body: str, origin: Origin) -> Decoded[Ev]:
        """Return the event."""
        decoded = Json(Ev).decode(body, origin)
        self.at("decode", decoded.events[0].key)
        return decoded


@pytest.mark.parametrize("error", RAISED)
@pytest.mark.parametrize("where", ["agent", "decode", "fold", "announce", "identity"])
async def test_it_ends_its_own_message(where: str, error: Callable[[], BaseException]) -> None:
    """The worker, the agent and every other message go on; the message at fault is kept in the dead-letter queue."""
    it = Breaks(where, error)
    async with it.app.test() as t:
        await t.send("in", Ev("a", 1), Ev("bad"), *(Ev(f"k{n}", n) for n in range(20)))
        await t.settle()
        await t.send("in", Ev("later", 1))
        await t.settle()

        (letter,) = t.dead("in")
        assert letter.reason == "attempts_exhausted"
        assert '"bad"' in letter.body
        assert set(t.table("t")) == {"a", "later", *(f"k{n}" for n in range(20))}
        assert len(t.sent("out")) == 22
        assert sorted(t.sqs.ledger.receives("in").values())[:-1] == [1] * 22


@pytest.mark.parametrize("where", ["fold", "announce", "identity"])
async def test_what_cannot_be_asked_for_its_class_ends_its_own_event(where: str) -> None:
    """Others of the flush would fail with it. What an agent raises so, Python's own logging cannot show."""
    async with Breaks(where, Faceless).app.test() as t:
        await t.send("in", Ev("bad"), *(Ev(f"k{n}", n) for n in range(20)))
        await t.settle()

        assert [letter.detail for letter in t.dead("in")] == ["Faceless"]
        assert sorted(t.sqs.ledger.receives("in").values())[:-1] == [1] * 20


async def test_the_dead_letter_names_what_was_raised() -> None:
    """An operator looks for the panic, and not for our wrapper of it."""
    async with Breaks("fold", Rust).app.test() as t:
        await t.send("in", Ev("bad"))
        await t.settle()

        assert [letter.detail for letter in t.dead("in")] == ["Rust"]


async def test_an_agent_sees_a_panic_of_its_fold_as_an_exception() -> None:
    """`except Exception` is what people write."""
    app, seen = App("p"), []

    def broken(state: St | None, event: Ev) -> St:
        raise Rust

    table = app.table("t", St, fold=broken)

    @app.agent("in", Json(Ev))
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            try:
                await table.update(event.key, event)
            except Exception as error:  # noqa: BLE001 - the claim
                seen.append(error)

    async with app.test() as t:
        await t.send("in", Ev("a"))
        await t.settle()

    assert isinstance(seen[0], Panic)
    assert isinstance(seen[0].cause, Rust)


class Strict(msgspec.Struct, frozen=True):
    """A state with a check of its own."""

    key: str
    n: int

    def __post_init__(self) -> None:
        """Raise what no reader of a hash expects."""
        if self.key == "bad" and self.n > 1:
            raise Rust


async def test_a_state_that_cannot_be_read_fails_its_own_events_only() -> None:
    """All keys of a flush are read in one call."""
    app = App("p")
    table = app.table("t", Strict, fold=lambda _, event: Strict(event.key, event.n))
    got: list[str] = []

    @app.agent("in", Json(Ev), concurrency=10)
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            await table.update(event.key, event)
            await table.get(event.key)
            got.append(event.key)

    async with app.test() as t:
        await t.send("in", Ev("bad", 1))
        await t.settle()
        redis_key = table.redis_key(t.config.key_prefix, "bad")
        t.store.values.get(redis_key).fields["n"] = "2"
        await t.send("in", Ev("bad", 0), *(Ev(f"k{n}") for n in range(9)))
        await t.settle()

        assert len(t.dead("in")) == 1
        assert len(got) == 10


@pytest.mark.parametrize(
    ("raised", "dead", "attempts"),
    [
        ([Skip("no")], None, 1),
        ([Skip("no"), Skip("no")], None, 1),
        ([Reject("bad")], "bad", 1),
        ([Skip("no"), Retry(1), ValueError(), Reject("bad")], "bad", 1),
        ([Retry(after=7)], "attempts_exhausted", 5),
        ([Skip("no"), Retry(after=7)], "attempts_exhausted", 5),
        ([Skip("no"), Rust()], "attempts_exhausted", 5),
    ],
)
async def test_decisions_mean_the_same_in_a_group(
    raised: list[BaseException], dead: str | None, attempts: int
) -> None:
    """A task group wraps what its tasks raise, and of several the gravest decides."""
    app, tries = App("g"), []

    @app.agent("in", Json(Ev))
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            tries.append(event)
            async with anyio.create_task_group() as tasks:
                for error in raised:
                    tasks.start_soon(_raise, error)

    async with app.test() as t:
        await t.send("in", Ev("a"))
        await t.settle()

        assert [letter.reason for letter in t.dead("in")] == ([dead] if dead else [])
        assert len(tries) == attempts
        assert t.tally.of("skipped", "in") == (dead is None)


async def _raise(error: BaseException) -> None:
    with suppress(anyio.get_cancelled_exc_class()):
        await anyio.sleep(1)
    raise error


async def test_a_lost_lease_is_no_failure_though_a_task_of_the_agent_fails_too() -> None:
    """What our own scope cancels is cancelled, whatever the agent's tasks raise on their way out."""
    app, tries = App("c"), []

    async def stubborn() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            raise ValueError

    @app.agent("in", Json(Ev), timeout=5)
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            tries.append(event)
            if len(tries) == 1:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(stubborn)
                    tasks.start_soon(anyio.sleep_forever)

    async with app.test() as t:
        await t.send("in", Ev("a"), Ev("b"))
        await t.settle()

        assert t.dead("in") == []
        assert t.tally.of("ok", "in") == 2


@pytest.mark.parametrize("size", [1, 10])
@pytest.mark.parametrize(
    ("error", "letter"),
    [
        (lambda: BaseExceptionGroup("g", [asyncio.CancelledError(), Unequal()]), "attempts_exhausted"),
        (lambda: nested(ValueError(), 3000), "attempts_exhausted"),
        (BareReject, "rejected"),
        (BareRetry, "attempts_exhausted"),
        (odd_reject, "5"),
    ],
)
async def test_an_odd_exception_ends_its_own_message(
    size: int, error: Callable[[], BaseException], letter: str
) -> None:
    """What the engine reads of an exception may be missing, of any type, or raise."""
    app, done = App("odd"), set[str]()

    @app.agent("in", Json(Ev), concurrency=10, instances=1)
    async def agent(stream: Stream[Ev]) -> None:
        async for batch in stream.take(size, within=1):
            if any(event.key == "bad" for event in batch):
                raise error()
            done.update(event.key for event in batch)

    async with app.test() as t:
        await t.send("in", Ev("a"), Ev("bad"), Ev("b"))
        await t.settle()

        assert [(it.reason, '"bad"' in it.body) for it in t.dead("in")] == [(letter, True)]
        assert done == {"a", "b"}


class Undecodable:
    """A codec that raises at the event `bad`."""

    def decode(self, body: str, origin: Origin) -> Decoded[Ev]:
        """Return the event."""
        if '"bad"' in body:
            raise ValueError
        return Json(Ev).decode(body, origin)


@pytest.mark.parametrize("cause", ["codec", "update"])
@pytest.mark.parametrize("again", [True, False])
async def test_what_an_agent_swallows_does_not_make_its_event_done(cause: str, *, again: bool) -> None:
    """An error that comes out of its `async for` says that an event was never given out, or has had no effect."""
    app, done = App("s"), set[str]()
    table = app.table("t", St, fold=fold)

    @app.agent("in", Undecodable() if cause == "codec" else Json(Ev), instances=1)
    async def agent(stream: Stream[Ev]) -> None:
        is_first = True
        while is_first or again:
            is_first = False
            with suppress(Exception):
                async for event in stream:
                    updating = table.update(event.key, event)
                    if event.key != "bad":
                        await updating
                        done.add(event.key)
                return

    async with app.test() as t:
        await t.send("in", Ev("a"), Ev("bad"), Ev("b"))
        await t.settle()

        assert [it.reason for it in t.dead("in")] == ["attempts_exhausted"]
        assert done == {"a", "b"}


async def test_cancelled_work_is_not_done_though_the_agent_goes_on() -> None:
    """It took too long, and swallows its cancellation."""
    app, begun, done = App("c"), [], []

    @app.agent("in", Json(Ev), instances=1, timeout=5)
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            begun.append(event.key)
            with suppress(BaseException):
                await anyio.sleep(100 if event.key == "slow" and len(begun) < 3 else 0.1)
                done.append(event.key)

    async with app.test() as t:
        await t.send("in", Ev("slow"), *(Ev(f"k{n}") for n in range(9)))
        await t.settle()

        assert sorted(done) == sorted(["slow", *(f"k{n}" for n in range(9))])
        assert t.dead("in") == []


async def test_a_skip_of_one_event_keeps_the_bad_part_of_its_message() -> None:
    """The agent never saw that part."""
    app = App("p")

    class Half:
        def decode(self, body: str, origin: Origin) -> Decoded[Ev]:
            decoded = Json(Ev).decode(body, origin)
            error = DecodeError("half", "at 1") if decoded.events[0].key == "bad" else None
            return Decoded(decoded.events, error=error)

    @app.agent("in", Half(), instances=1)
    async def agent(stream: Stream[Ev]) -> None:
        async for batch in stream.take(10, within=1):
            for event in batch:
                batch.skip(event)

    async with app.test() as t:
        await t.send("in", Ev("a"), Ev("bad"), Ev("b"))
        await t.settle()

        assert [it.reason for it in t.dead("in")] == ["half"]


@pytest.mark.parametrize("is_reject", [True, False])
async def test_what_an_update_announced_is_sent_before_its_message_is_dead_lettered(is_reject: bool) -> None:
    """Nothing brings the message again that would send it."""
    app = App("r")
    table = app.table("t", St, fold=fold, announce=lambda _, after: after, to=app.sink("out", Json(St)))

    @app.agent("in", Json(Ev))
    async def agent(stream: Stream[Ev]) -> None:
        async for event in stream:
            await table.update(event.key, event)
            raise Reject("no") if is_reject else RuntimeError

    async with app.test() as t:
        await t.send("in", Ev("a"))
        await t.settle()
        entries = [it for it in t.sqs.ledger.entries if it.message_id]
        sent = [n for n, it in enumerate(entries) if it.operation == "send" and it.queue == "out"]
        gone = [n for n, it in enumerate(entries) if it.operation == "delete" and it.queue == "in"]
        dead = [n for n, it in enumerate(entries) if it.operation == "send" and it.queue == "in-dlq"]

        assert len(t.dead("in")) == 1
        assert isinstance(t.dead("in")[0], DeadLetter)
        assert sent[0] < dead[0] < gone[0]


async def test_an_agent_that_outlives_the_drain_is_named() -> None:
    """In production the process ends without it."""
    app = App("stuck")

    @app.agent("in", Json(Ev), name="stubborn")
    async def agent(stream: Stream[Ev]) -> None:
        async for _ in stream:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(3600)

    with pytest.raises(StuckAgent, match="agent stubborn: it swallowed its cancellation"):  # noqa: PT012 - it is raised at the end
        async with app.test() as t:
            await t.send("in", Ev("a"))
            await t.advance(1)
