"""Follow the tap and show it: history first, then what comes, until there is a reason to end."""

import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anyio import (
    TASK_STATUS_IGNORED,
    Event,
    create_task_group,
    move_on_after,
    open_signal_receiver,
    sleep,
    wait_readable,
)
from anyio.abc import TaskStatus

from streamapp.cli.tail.depths import Depths
from streamapp.cli.tail.filters import Wanted
from streamapp.cli.tail.flow import Flow
from streamapp.cli.tail.lines import Form, Layout, Piece, cut, line, machine, pretty
from streamapp.cli.tail.screen import Screen
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.output import as_json
from streamapp.cli.terminal.sanitize import printable
from streamapp.errors import ServiceError
from streamapp.observe.tap_reader import TapReader
from streamapp.observe.tap_record import TapRecord

WAIT = 0.5
"""Seconds that one read waits for news."""

DRAW_EVERY = 0.25
"""Seconds between two bars."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is to be shown, and until when. Times are Unix milliseconds; *timeout* is in seconds."""

    wanted: Wanted
    form: Form = "line"
    last: int | None = 10
    since_ms: int = 0
    until_ms: int | None = None
    follows: bool = True
    count: int | None = None
    timeout: float | None = None


class Tailing:
    """One tail. `run` answers its exit code."""

    def __init__(
        self,
        reader: TapReader,
        screen: Screen,
        request: Request,
        layout: Layout,
        *,
        depths: Depths,
    ) -> None:
        self._reader = reader
        self._screen = screen
        self._request = request
        self._layout = layout
        self._depths = depths
        # A pipe has them all, and so has who asked for a number of them.
        self._flow = Flow(samples=screen.is_lively and request.count is None)
        self._shown = 0
        self._over = Event()
        self._code = 0

    async def run(self) -> int:
        """Show history, then follow; answer the exit code."""
        failure: ServiceError | None = None
        with move_on_after(self._request.timeout) as patience:
            async with create_task_group() as tasks:
                await tasks.start(self._listen)
                tasks.start_soon(self._end, tasks.cancel_scope.cancel)
                if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
                    tasks.start_soon(self._until_nobody_reads)
                if self._screen.is_lively:
                    tasks.start_soon(self._obey)
                try:
                    await self._show_history()
                    if self._screen.is_lively:
                        tasks.start_soon(self._draw)
                        tasks.start_soon(self._depths.run, self._reader)
                    await self._follow()
                except ServiceError as error:
                    failure = error  # raised below: out of a task group it would come as one of several
                self._over.set()
        if failure is not None:
            raise failure
        if patience.cancelled_caught:
            return 4 if self._request.count is not None or not self._shown else 0
        return self._code

    async def _show_history(self) -> None:
        request = self._request
        records = await self._reader.history(
            last=request.last, since_ms=request.since_ms, until_ms=request.until_ms, wanted=request.wanted
        )
        self._show(records)

    async def _follow(self) -> None:
        until = self._request.until_ms
        is_told = False
        while self._request.follows and not self._over.is_set():
            if until is not None and time.time() * 1000 > until:
                return
            try:
                records = await self._reader.follow(WAIT)
            except ServiceError as error:
                if not error.heals:
                    raise
                if not is_told and not self._screen.is_lively:
                    out.note(f"streamapp: {error}; trying again")
                is_told = True
                self._depths.trouble = "Redis does not answer"
                await sleep(WAIT)
                continue
            is_told = False
            self._depths.trouble = ""
            self._flow.counts.add(records, time.monotonic())
            chosen = [
                record
                for record in records
                if record.done_ms >= self._request.since_ms and (until is None or record.done_ms <= until)
                if self._request.wanted(record)
            ]
            self._show(self._flow.take(chosen))

    def _show(self, records: Sequence[TapRecord]) -> None:
        """Show records, no more than were asked for in all."""
        count = self._request.count
        if count is not None:
            records = records[: count - self._shown]
        self._layout.now, self._layout.width = time.time(), self._screen.width
        self._layout.fit(records)
        lines = [line for record in records for line in self._lines(record)]
        self._shown += len(records)
        try:
            self._screen.show(lines)
        except BrokenPipeError:
            self._nobody_reads()
        if count is not None and self._shown >= count:
            self._over.set()

    def _lines(self, record: TapRecord) -> list[list[Piece]]:
        answer = self._request.wanted.answer(record)
        form = self._request.form
        if answer is not True:
            is_text = isinstance(answer, str) and form != "json"
            return [[(printable(str(answer)) if is_text else as_json(answer), "plain")]]
        if form == "pretty":
            return pretty(record, self._layout)
        return [line(record, self._layout)] if form == "line" else [[(machine(record, form), "plain")]]

    async def _draw(self) -> None:
        turn = 0
        while True:
            turn += 1
            if turn % 4 == 0 and (note := self._flow.note()):
                self._screen.show([cut([(note, "dim")], self._screen.width)])
            self._screen.status(self._bar())
            await sleep(DRAW_EVERY)

    def _bar(self) -> str:
        queues = self._reader.queues
        what = printable(queues[0]) if len(queues) == 1 else f"{len(queues)} queues"
        return self._flow.bar(what, self._depths.words(), self._screen.width - len("▌ "))

    def _press(self, keys: str) -> bool:
        """Obey *keys*; answer whether that is the end."""
        for _ in range(keys.count(" ") % 2):
            self._show(self._flow.toggle())
            self._screen.status(self._bar())
        return False

    async def _obey(self) -> None:
        await self._screen.obey(self._press)
        self._over.set()

    async def _listen(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        # Elsewhere than on a terminal of its own, the system's own way to suspend is the right one.
        numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGTSTP] if self._screen.is_lively else [])]
        with open_signal_receiver(*numbers) as received:
            task_status.started()
            async for number in received:
                if number == signal.SIGTSTP:
                    self._screen.suspend()
                    continue
                if self._over.is_set() and number == signal.SIGINT:
                    os._exit(130)
                self._code = 130 if number == signal.SIGINT else 0
                self._over.set()

    async def _end(self, cancel: Callable[[], object]) -> None:
        await self._over.wait()
        cancel()

    async def _until_nobody_reads(self) -> None:
        """End when the other end of the pipe is closed, though nothing comes that could not be written."""
        await wait_readable(sys.stdout)
        self._nobody_reads()

    def _nobody_reads(self) -> None:
        # They have seen enough. What Python would still flush at its end has nowhere to go either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        self._over.set()
