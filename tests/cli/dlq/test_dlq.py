"""`streamapp dlq`: dead letters are shown, tried with today's code, and sent back."""

import importlib
import json
import sys
from pathlib import Path

import pytest
from anyio import create_task_group, sleep

from rigs.inprocess import Done, call
from rigs.shop import Shop
from streamapp.config import Config
from streamapp.messages import Delivery, Outgoing, Typed
from streamapp.observe.counters import Counters
from streamapp.redis.store import open_redis
from streamapp.sqs.boto import BotoSqs
from streamapp.worker.assembly import assemble
from streamapp.worker.worker import Worker

APP = """
import msgspec
from streamapp import App, Stream
from streamapp_codecs import Json
class Hit(msgspec.Struct, tag_field="kind", tag="hit"):
    page: str
class Page(msgspec.Struct, frozen=True):
    hits: int = 0
app = App("hits")
def add(page: Page | None, hit: Hit) -> Page:
    FOLD
    return Page((page.hits if page else 0) + 1)
pages = app.table("page", Page, fold=add)
class Codec(Json[Hit]):
    def show(self, body, decoded):
        SHOW
        return super().show(body, decoded)
@app.agent("hits", Codec(Hit, private=["page"]), backoff=0.01)
async def count(hits: Stream[Hit]) -> None:
    async for hit in hits:
        FAULT
        await pages.update(hit.page, hit)
"""


TYPED = {"shop": Typed("Number", "7"), "seal": Typed("Binary.x", b"\x00\xff"), "run": Typed("String.id", "a")}


class Hits:
    """A shop with one queue, whose agent can be given a bug."""

    def __init__(self, shop: Shop, folder: Path) -> None:
        self.shop = shop
        self._file = folder / "hits.py"
        self.queue = f"{shop.names['pedido-events']}-hits"
        shop.env |= {
            "HITS_QUEUE_URL": self.queue,
            "STREAMAPP_MAX_ATTEMPTS": "1",
        }

    def program(self, fault: str = "pass", *, fold: str = "pass", show: str = "pass") -> None:
        """Put this version of the app in place."""
        self._file.write_text(APP.replace("FAULT", fault).replace("FOLD", fold).replace("SHOW", show))

    async def run(self, *arguments: str) -> Done:
        """Run a command for this app to its end."""
        sys.modules.pop("hits", None)  # it may have changed
        return await call(self.shop.env, *arguments, "--app", "hits:app")

    async def work_off(self) -> None:
        """Process all messages with a worker in this process."""
        sys.modules.pop("hits", None)
        app = importlib.import_module("hits").app
        config = Config.load(self.shop.env)
        async with open_redis(config.redis_url) as store:
            parts = await assemble(app.registry, config, self.shop.aws, store, Counters(), longest_wait=0.0)
            assert await Worker(parts).run(idle=0.3)

    async def letters(self) -> list[Delivery]:
        """The letters in the dead-letter queue, which are received and given back."""
        queue = await self.shop.aws.find(f"{self.queue}-dlq")
        found = await self.shop.aws.receive(queue, limit=10, wait=0)
        if found:
            await self.shop.aws.change_visibility(queue, [(it.handle, 0) for it in found])
        return found


@pytest.fixture
async def hits(shop: Shop, aws: BotoSqs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hits:
    """Two dead letters because of a bug, and one that no code can read."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    made = Hits(shop, tmp_path)
    made.program("raise ValueError")
    assert (await made.run("queues", "create")).returncode == 0
    queue = await aws.find(made.queue)
    bodies = ['{"kind":"hit","page":"/secret"}', '{"kind":"hit","page":"/secret"}', "not json \x1b[2J"]
    sent = await aws.send(
        queue, [Outgoing(body.replace("\x1b", ""), {"trace": "t1"}, typed=TYPED) for body in bodies]
    )
    assert sent == [None] * 3
    await made.work_off()
    return made


async def test_letters_are_grouped_shown_masked_and_given_back(hits: Hits) -> None:
    """To look must neither remove letters nor show personal data."""
    listed = await hits.run("dlq", "ls", "--json")
    shown = await hits.run("dlq", "show", "hits", "--kind", "hit", "--json")
    plain = await hits.run("dlq", "show", "hits")
    raw = await hits.run("dlq", "show", "hits", "--reason", "not_json", "--raw")
    none = await hits.run("dlq", "show", "hits", "--reason", "too_deep")

    (box,) = json.loads(listed.stdout)["queues"]
    assert box["letters"] == 3
    assert {(it["reason"], it["kind"], it["count"]) for it in box["groups"]} == {
        ("attempts_exhausted", "hit", 2),
        ("not_json", "-", 1),
    }
    assert [it["body"] for it in json.loads(shown.stdout)] == [{"kind": "hit", "page": "***"}] * 2
    assert "/secret" not in plain.stdout
    assert "ValueError" in plain.stdout, "what the agent raised"
    assert "not json" in raw.stdout
    assert "looking as a receive: 3 letters" in listed.stderr, "the cost of looking is noted"
    assert none.returncode == 4
    assert len(await hits.letters()) == 3, "all given back at once"


async def test_a_try_folds_into_a_copy_and_runs_no_agent(hits: Hits, tmp_path: Path) -> None:
    """An agent may do anything, such as charge a card: nobody who only asks may make it do so."""
    before = await hits.shop.dump()
    called = tmp_path / "called"
    hits.program(f"open({str(called)!r}, 'w').close()")
    tried = await hits.run("dlq", "redrive", "hits", "--try", "--json")
    passing = await hits.run("dlq", "redrive", "hits", "--only-passing")
    hits.program(fold="raise ZeroDivisionError")
    unfolded = await hits.run("dlq", "redrive", "hits", "--try", "--json")

    assert sorted(it["why"] for it in json.loads(tried.stdout)["verdicts"]) == [
        "decodes, folds into page",
        "decodes, folds into page",
        "not_json: the body is not JSON",
    ]
    assert "no agent was run" in tried.stderr + passing.stderr
    assert "would move 2 of 3" in passing.stdout
    assert {it["why"] for it in json.loads(unfolded.stdout)["verdicts"]} == {
        "attempts_exhausted: ZeroDivisionError",
        "not_json: the body is not JSON",
    }
    assert not called.exists()
    assert await hits.shop.dump() == before
    assert len(await hits.letters()) == 3


async def test_agents_run_only_when_that_is_asked_for_and_can_tell(hits: Hits, tmp_path: Path) -> None:
    """Whether the bug is fixed must be known before the letters are sent back."""
    before = await hits.shop.dump()
    called = tmp_path / "called"
    run = ("dlq", "redrive", "hits", "--run-agents", "--json")

    hits.program("raise ValueError")
    broken = json.loads((await hits.run(*run)).stdout)
    hits.program(f"hits.is_rehearsal or open({str(called)!r}, 'w').close()")
    mended = json.loads((await hits.run(*run)).stdout)
    help_text = (await hits.run("dlq", "redrive", "--help")).stdout

    assert sorted(it["passes"] for it in broken["verdicts"]) == [False, False, False]
    assert sorted(it["passes"] for it in mended["verdicts"]) == [False, True, True]
    assert {it["why"].partition(":")[0] for it in mended["verdicts"]} == {"", "not_json"}
    assert mended["moved"] == 0
    assert await hits.shop.dump() == before
    assert len(await hits.letters()) == 3
    assert not called.exists()
    assert "ANYTHING ELSE THAT THEY DO REALLY HAPPENS" in " ".join(help_text.split())
    await hits.shop.aws.send(await hits.shop.aws.find(hits.queue), [Outgoing('{"kind":"hit","page":"a"}')])
    await hits.work_off()
    assert called.exists(), "a worker's stream is no rehearsal"


@pytest.mark.parametrize(
    ("show", "cause"),
    [
        ("raise LookupError(body)", "LookupError"),
        ("return None", "TypeError"),
        ("return __import__('streamapp_codecs').Shown(kind=1)", "TypeError"),
        ("return __import__('streamapp_codecs').Shown(body='{}')", "TypeError"),
        ("return __import__('streamapp_codecs').Shown(body=b'{')", "DecodeError"),
    ],
)
async def test_a_codec_that_cannot_show_hides_no_letter(hits: Hits, show: str, cause: str) -> None:
    """The code that is at fault may be what somebody is looking for."""
    hits.program(show=show)

    listed = await hits.run("dlq", "ls", "--json")
    shown = await hits.run("dlq", "show", "hits")
    as_json = await hits.run("dlq", "show", "hits", "--json")

    for done in (listed, shown, as_json):
        assert done.returncode == 0, done.stderr
        assert f"the body of 3 letters is not shown: its codec cannot show it: {cause}" in done.stderr
        assert "/secret" not in done.stdout + done.stderr
    (box,) = json.loads(listed.stdout)["queues"]
    assert {(it["reason"], it["kind"], it["count"]) for it in box["groups"]} == {
        ("attempts_exhausted", "-", 2),
        ("not_json", "-", 1),
    }
    assert [it["body"] for it in json.loads(as_json.stdout)] == [None] * 3


async def test_letters_in_another_readers_hand_are_waited_for_and_told(
    hits: Hits, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That nothing is there, said of 14 letters, ended a search."""
    aws = hits.shop.aws
    queue = await aws.find(f"{hits.queue}-dlq")
    theirs = await aws.receive(queue, limit=10, wait=0)
    assert len(theirs) == 3

    monkeypatch.setattr("streamapp.cli.dlq.dead_letters.WAIT_FOR_OTHERS", 0.0)
    shown = await hits.run("dlq", "show", "hits")
    listed = await hits.run("dlq", "ls")
    as_json = await hits.run("dlq", "ls", "--json")
    redriven = await hits.run("dlq", "redrive", "hits")
    await aws.change_visibility(queue, [(theirs[0].handle, 0)])
    some = await hits.run("dlq", "show", "hits")
    monkeypatch.setattr("streamapp.cli.dlq.dead_letters.WAIT_FOR_OTHERS", 60.0)
    (one,) = await aws.receive(queue, limit=10, wait=0)
    waited: list[Done] = []

    async def look() -> None:
        waited.append(await hits.run("dlq", "show", "hits"))

    async with create_task_group() as tasks:
        tasks.start_soon(look)
        await sleep(2)
        await aws.change_visibility(queue, [(it.handle, 0) for it in (one, *theirs[1:])])

    told = "about 3 letters are in flight at another reader"
    assert (shown.returncode, redriven.returncode) == (4, 4)
    assert f"no letter matches; {told}" in shown.stderr
    assert f"no letter matches; {told}" in redriven.stderr
    assert f"no letters in hand; {told}" in listed.stdout
    assert json.loads(as_json.stdout)["queues"][0]["in_flight_elsewhere"] == 3
    assert some.returncode == 0
    assert "about 2 letters are in flight at another reader" in some.stderr
    assert waited[0].returncode == 0
    assert "no letter matches" not in waited[0].stderr


async def test_redrive_first_shows_then_moves_what_passes_unchanged(hits: Hits) -> None:
    """The message must be the original, and one that would fail again must stay."""
    hits.program("pass")

    told = await hits.run("dlq", "redrive", "hits")
    still = len(await hits.letters())
    moved = await hits.run("dlq", "redrive", "hits", "--only-passing", "--yes")
    (left,) = await hits.letters()
    aws = hits.shop.aws
    queue = await aws.find(hits.queue)
    home = await aws.receive(queue, limit=10, wait=0)
    await aws.change_visibility(queue, [(it.handle, 0) for it in home])
    await hits.work_off()

    assert told.returncode == 0
    assert f"would move 3 of 3 to {hits.queue}; add --yes to do it" in told.stdout
    assert still == 3
    assert moved.returncode == 0, moved.stderr
    assert f"moved 2 of 3 to {hits.queue}" in moved.stdout
    assert left.attributes["streamapp-reason"] == "not_json"
    assert [(it.body, dict(it.attributes), dict(it.typed)) for it in home] == [
        ('{"kind":"hit","page":"/secret"}', {"trace": "t1"}, TYPED)
    ] * 2
    (page,) = (await hits.shop.hashes("page")).values()
    assert page["hits"] == "2"


async def test_letters_of_a_fifo_queue_keep_their_groups(hits: Hits) -> None:
    """Order within a group is the purpose of a FIFO queue."""
    hits.shop.env["HITS_QUEUE_URL"] = f"{hits.queue}.fifo"
    assert (await hits.run("queues", "create")).returncode == 0
    aws = hits.shop.aws
    letters = await aws.find(f"{hits.queue}-dlq.fifo")
    for number, group in enumerate(("a", "a", "b")):
        body = f'{{"kind":"hit","page":"{number}"}}'
        await aws.send(letters, [Outgoing(body, group=group, deduplication=str(number), typed=TYPED)])

    unmatched = await hits.run("dlq", "redrive", "hits", "--reason", "nope", "--yes")
    moved = await hits.run("dlq", "redrive", "hits", "--kind", "hit", "--yes")
    home = await aws.receive(await aws.find(f"{hits.queue}.fifo"), limit=10, wait=1)

    assert (unmatched.returncode, unmatched.stdout) == (4, "")
    assert f"moved 3 of 3 to {hits.queue}.fifo" in moved.stdout
    assert [it.group for it in home] == ["a", "a", "b"]
    assert all(dict(it.typed) == TYPED for it in home)


async def test_an_unknown_queue_is_refused_with_the_names_of_the_known_ones(hits: Hits) -> None:
    """A typo must not look like an empty dead-letter queue."""
    shown = await hits.run("dlq", "ls", "hitz")

    assert shown.returncode == 2
    assert f"{hits.queue}-dlq" in shown.stderr
