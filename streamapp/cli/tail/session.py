"""Show the records of the tap: history first, then new ones, until there is a reason to end."""

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

from streamapp.cli.tail.buffer import RecordBuffer
from streamapp.cli.tail.depth_poller import DepthPoller
from streamapp.cli.tail.filters import TailFilter
from streamapp.cli.tail.forms import RecordForm
from streamapp.cli.tail.lines import LineLayout, Piece, cut, json_line, line, pretty
from streamapp.cli.tail.screen import TailScreen
from streamapp.cli.terminal import output as out
from streamapp.cli.terminal.output import as_json
from streamapp.cli.terminal.sanitize import printable
from streamapp.errors import ServiceError
from streamapp.observe.tap_reader import TapReader
from streamapp.observe.tap_record import TapRecord

WAIT = 0.5
"""Seconds that one read waits for new records."""

DRAW_EVERY = 0.25
"""Seconds between two redraws of the status bar."""


@dataclass(frozen=True, slots=True)
class TailRequest:
    """What to show, and until when. Times are Unix milliseconds, *timeout* is in seconds."""

    wanted: TailFilter
    form: RecordForm = "line"
    last: int | None = 10
    since_ms: int = 0
    until_ms: int | None = None
    follows: bool = True
    count: int | None = None
    timeout: float | None = None


class TailSession:
    """One run of `tail`."""

    def __init__(
        self,
        reader: TapReader,
        screen: TailScreen,
        request: TailRequest,
        layout: LineLayout,
        *,
        depths: DepthPoller,
    ) -> None:
        self._reader = reader
        self._screen = screen
        self._request = request
        self._layout = layout
        self._depths = depths
        # A pipe gets all records, and so does `--count`.
        self._buffer = RecordBuffer(limited=screen.has_bar and request.count is None)
        self._shown = 0
        self._over = Event()
        self._code = 0

    async def run(self) -> int:
        """Show history, then follow; return the exit code."""
        failure: ServiceError | None = None
        with move_on_after(self._request.timeout) as patience:
            async with create_task_group() as tasks:
                await tasks.start(self._listen)
                tasks.start_soon(self._end, tasks.cancel_scope.cancel)
                if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
                    tasks.start_soon(self._wait_for_closed_pipe)
                if self._screen.has_bar:
                    tasks.start_soon(self._read_keys)
                try:
                    await self._show_history()
                    if self._screen.has_bar:
                        tasks.start_soon(self._draw)
                        tasks.start_soon(self._depths.run, self._reader)
                    await self._follow()
                except ServiceError as error:
                    failure = error  # raised below: a task group would wrap it in a group of errors
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
        is_noted = False
        while self._request.follows and not self._over.is_set():
            if until is not None and time.time() * 1000 > until:
                return
            try:
                records = await self._reader.follow(WAIT)
            except ServiceError as error:
                if not error.heals:
                    raise
                if not is_noted and not self._screen.has_bar:
                    out.note(f"streamapp: {error}; trying again")
                is_noted = True
                self._depths.trouble = "Redis does not answer"
                await sleep(WAIT)
                continue
            is_noted = False
            self._depths.trouble = ""
            self._buffer.counts.add(records, time.monotonic())
            chosen = [
                record
                for record in records
                if record.done_ms >= self._request.since_ms and (until is None or record.done_ms <= until)
                if self._request.wanted(record)
            ]
            self._show(self._buffer.take(chosen))

    def _show(self, records: Sequence[TapRecord]) -> None:
        """Show records, up to the number that `--count` allows in all."""
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
            self._stop_writing()
        if count is not None and self._shown >= count:
            self._over.set()

    def _lines(self, record: TapRecord) -> list[list[Piece]]:
        result = self._request.wanted.result(record)
        form = self._request.form
        if result is not True:
            is_text = isinstance(result, str) and form != "json"
            return [[(printable(str(result)) if is_text else as_json(result), "plain")]]
        if form == "pretty":
            return pretty(record, self._layout)
        return [line(record, self._layout)] if form == "line" else [[(json_line(record, form), "plain")]]

    async def _draw(self) -> None:
        turn = 0
        while True:
            turn += 1
            if turn % 4 == 0 and (note := self._buffer.note()):
                self._screen.show([cut([(note, "dim")], self._screen.width)])
            self._screen.show_bar(self._bar())
            await sleep(DRAW_EVERY)

    def _bar(self) -> str:
        queues = self._reader.queues
        what = printable(queues[0]) if len(queues) == 1 else f"{len(queues)} queues"
        return self._buffer.bar(what, self._depths.words(), self._screen.width - len("▌ "))

    def _on_keys(self, keys: str) -> None:
        """Pause or continue if the space bar was pressed; twice is as good as not at all."""
        if keys.count(" ") % 2:
            self._show(self._buffer.toggle())
            self._screen.show_bar(self._bar())

    async def _read_keys(self) -> None:
        await self._screen.read_keys(self._on_keys)
        self._over.set()

    async def _listen(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        # Without a status bar there is nothing to restore, so the system may suspend the process.
        numbers = [signal.SIGINT, signal.SIGTERM, *([signal.SIGTSTP] if self._screen.has_bar else [])]
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

    async def _wait_for_closed_pipe(self) -> None:
        """End when the reader closes the pipe, even if no record comes whose write would fail."""
        await wait_readable(sys.stdout)
        self._stop_writing()

    def _stop_writing(self) -> None:
        # What Python would still flush at its end must not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        self._over.set()
