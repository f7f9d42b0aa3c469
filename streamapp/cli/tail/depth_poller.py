"""Ask how many messages wait in the queues that are shown, without receiving any."""

from importlib import import_module

from anyio import move_on_after, sleep, to_thread

from streamapp.cli import setup
from streamapp.config import Config
from streamapp.errors import StreamappError
from streamapp.messages import Queue
from streamapp.observe.tap_reader import TapReader
from streamapp.sqs.depths import depth_of

EVERY = 5.0
"""Seconds between two rounds of questions."""

PATIENCE = 5.0
"""Seconds for all responses of one round."""


class DepthPoller:
    """Counts messages waiting and in flight, over all queues that are shown."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._waiting: int | None = None
        self._in_flight = 0
        self._queues: dict[str, Queue] = {}
        self.trouble = ""
        """What does not work now, for the status bar."""

    def words(self) -> list[str]:
        """Return what is known, for the status bar."""
        trouble = [self.trouble] if self.trouble else []
        if self._waiting is None:
            return trouble
        return [*trouble, f"waiting {self._waiting:,}", f"in flight {self._in_flight:,}"]

    async def run(self, reader: TapReader) -> None:
        """Ask every few seconds until cancelled. Without rights, credentials or a response, nothing is known."""
        try:
            # The import takes a second, in which keys must work.
            await to_thread.run_sync(import_module, "streamapp.sqs.boto", abandon_on_cancel=True)
            async with setup.open_sqs() as sqs:
                while True:
                    waiting, in_flight, known = 0, 0, False
                    with move_on_after(PATIENCE):
                        for name in reader.queues:
                            if name not in self._queues:
                                self._queues[name] = await sqs.find(name)
                            depth = depth_of(await sqs.attributes(self._queues[name]))
                            waiting += depth.waiting or 0
                            in_flight += depth.in_flight or 0
                            known = True
                    self._waiting, self._in_flight = (waiting if known else None), in_flight
                    await sleep(EVERY)
        except StreamappError:
            self._waiting = None
