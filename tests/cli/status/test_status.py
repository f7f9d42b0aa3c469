"""`streamapp status` on a terminal."""

import re

from rigs.shop import Sample, Shop
from rigs.terminal import Terminal


async def test_status_follows_what_waits_until_ctrl_c(shop: Shop) -> None:
    """The terminal is restored at the end, and trouble is shown in colour."""
    await shop.send([Sample("pedido-events", "no json", "")])
    await shop.process()
    with Terminal(["status", "-w"], shop.env, columns=120, lines=20) as terminal:
        before = terminal.until_screen(lambda text: "no worker is there" in text)
        await shop.send([Sample("pedido-events", "{}", "")] * 3)
        terminal.until_screen(
            lambda text: any(line.split()[:2] == ["pedido-events", "3"] for line in text.splitlines())
        )
        terminal.resize(40, 20)
        narrow = terminal.until_screen(lambda text: "waiting" in text and "dlq" in text)
        terminal.press("\x03")
        code = terminal.ended()

    assert "pedido-events" in before
    assert max(map(len, narrow.splitlines())) <= 40, "what tells of trouble stays"
    assert re.search(rb"\x1b\[33mpedido-events ", terminal.raw), "it has a dead letter"
    assert not re.search(rb"\x1b\[33mpagamento-events ", terminal.raw)
    assert code == 130
    assert terminal.raw.count(b"\x1b[?25l") == terminal.raw.count(b"\x1b[?25h")
