"""Ctrl-C and SIGTERM, as calls."""

import os
import signal
from collections.abc import Callable

from anyio import TASK_STATUS_IGNORED, open_signal_receiver
from anyio.abc import TaskStatus


class StopSignals:
    """Calls *on_stop* for each SIGTERM and SIGINT. The third one ends the process at once."""

    def __init__(self) -> None:
        self.on_stop: Callable[[], object] = bool
        self.was_interrupted = False

    async def listen(self, *, task_status: TaskStatus[None] = TASK_STATUS_IGNORED) -> None:
        """Listen until cancelled."""
        with open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
            task_status.started()
            count = 0
            async for number in received:
                count += 1
                self.was_interrupted |= number == signal.SIGINT
                if count > 2:  # noqa: PLR2004 - the first drains, the second hurries, the third ends
                    os._exit(130 if self.was_interrupted else 1)
                self.on_stop()
