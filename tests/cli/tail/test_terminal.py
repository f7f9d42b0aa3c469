"""`streamapp tail` on a real terminal."""

import re
import sys
import termios

import pytest

from rigs.shop import Shop, samples
from rigs.terminal import Terminal, environment, record, write_records
from streamapp.observe.tap_record import Effect, TapRecord
from streamapp.sqs.boto import BotoSqs


@pytest.fixture
def env(redis_url: str, prefix: str) -> dict[str, str]:
    """The environment for `tail`."""
    return environment(redis_url, f"{prefix}:")


def test_lines_scroll_above_a_bar_space_pauses_and_q_quits(redis_url: str, env: dict[str, str]) -> None:
    """Scrollback, copying and searching still work in the terminal."""
    prefix = env["STREAMAPP_KEY_PREFIX"]
    write_records(redis_url, prefix, [record(1)])
    with Terminal(["tail"], env) as terminal:
        terminal.until("#1 ", "space pause")

        write_records(redis_url, prefix, [record(n) for n in range(2, 60)])
        terminal.until("#59 ", "ok 58")
        terminal.press(" ")
        terminal.until("PAUSED")
        write_records(redis_url, prefix, [record(n, outcome="retry") for n in range(60, 63)])
        terminal.until("3 held")
        assert not any("#60" in row for row in terminal.rows)
        terminal.press(" ")
        terminal.until("#62 ", "retry 3")
        terminal.press("q")

        assert terminal.ended() == 0
        shown = [row for row in terminal.rows if "#" in row]
        assert [row.split("#")[1].split()[0] for row in shown] == [str(n) for n in range(1, 63)]
        assert not any(row.startswith("▌") for row in terminal.rows), "the bar is gone"
        assert termios.tcgetattr(terminal.child.child_fd) == terminal.modes


def test_ctrl_c_restores_the_terminal_and_exits_130(redis_url: str, env: dict[str, str]) -> None:
    """A shell without echo or cursor cannot be used."""
    write_records(redis_url, env["STREAMAPP_KEY_PREFIX"], [record(1)])
    with Terminal(["tail"], env) as terminal:
        terminal.until("space pause")
        assert terminal.screen.cursor.hidden

        terminal.press("\x03")

        assert terminal.ended() == 130
        assert not terminal.screen.cursor.hidden
        assert termios.tcgetattr(terminal.child.child_fd) == terminal.modes
        assert "Traceback" not in "\n".join(terminal.rows)


def test_ctrl_z_gives_the_terminal_to_the_shell_and_fg_goes_on(redis_url: str, env: dict[str, str]) -> None:
    """The shell needs its echo and its cursor while `tail` is suspended."""
    write_records(redis_url, env["STREAMAPP_KEY_PREFIX"], [record(1)])
    shell = ["/bin/bash", "--norc", "--noediting", "-i"]
    with Terminal([], {**env, "PS1": "$ "}, program=shell) as terminal:
        terminal.press(f"{sys.executable} -m streamapp tail\n")
        terminal.until("space pause")

        terminal.press("\x1a")
        terminal.until("Stopped")
        assert not terminal.screen.cursor.hidden
        terminal.press("stty -a | tr ';' '\\n' | grep -o -e '-icanon' -e ' icanon'; echo there\n")
        terminal.until(" icanon", "there")
        write_records(redis_url, env["STREAMAPP_KEY_PREFIX"], [record(2)])
        terminal.press("fg\n")
        terminal.until("#2 ", "ok 1  ")
        terminal.press("q")
        terminal.press("exit\n")

        assert terminal.ended() == 0


@pytest.mark.parametrize("columns", [40, 80, 120, 200])
def test_each_record_and_the_bar_are_one_line_at_any_width_and_after_a_resize(
    redis_url: str, env: dict[str, str], columns: int
) -> None:
    """A bar that wraps leaves remains at each redraw, and records that wrap cannot be told apart."""
    prefix = env["STREAMAPP_KEY_PREFIX"]
    changed = Effect(
        "acompanhamento", "1", {f"campo_{n}": ("de um valor", "a outro valor") for n in range(9)}
    )

    def long(number: int) -> TapRecord:
        return record(number, effects=(changed,))

    write_records(redis_url, prefix, [long(n) for n in range(3)])
    with Terminal(["tail", "pedido-events"], env, columns=columns) as terminal:
        terminal.until("▌ pedido-events", "ok 0")
        write_records(redis_url, prefix, [long(n) for n in range(3, 8)])
        terminal.until("ok 5")
        lines = [row for row in terminal.rows if row and not row.startswith("▌")]
        assert [re.findall(r"^\d\d:\d\d:\d\d\S* .*#(\d) +ok +", row) for row in lines] == [
            [str(n)] for n in range(8)
        ]
        assert max(map(len, lines)) == columns if columns < 160 else "pedido_status_atualizado" in lines[0]
        assert sum(row.startswith("▌") for row in terminal.rows) == 1
        assert terminal.screen.display[terminal.screen.cursor.y].startswith("▌")

        terminal.resize(240 - columns, 30)
        write_records(redis_url, prefix, [long(n) for n in range(8, 10)])
        terminal.until("ok 7", "#9 ")

        assert len(terminal.bar) <= 240 - columns
        assert "ok 7  retry 0  dead 0" in terminal.bar, "what tells most stays"
        terminal.press("q")
        assert terminal.ended() == 0


def test_records_above_the_limit_are_left_out_and_counted(redis_url: str, env: dict[str, str]) -> None:
    """A terminal that is minutes behind is useless."""
    prefix = env["STREAMAPP_KEY_PREFIX"]
    write_records(redis_url, prefix, [record(0)])
    with Terminal(["tail", "-n", "0"], env, columns=160) as terminal:
        terminal.until("space pause")

        write_records(redis_url, prefix, [record(n) for n in range(3_000)])
        terminal.until("not shown (over 500/s", "ok 3,000")
        terminal.press("q")

        assert terminal.ended() == 0
        shown = sum("#" in row for row in terminal.rows)
        (note,) = [row for row in terminal.rows if "not shown" in row]
        assert shown + int(note.split()[1].replace(",", "")) == 3_000
        assert 500 <= shown < 2_000


@pytest.mark.parametrize(
    ("environ", "arguments", "has_bar", "has_colour"),
    [
        ({}, [], True, True),
        ({"NO_COLOR": "1"}, [], True, False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True, True),
        ({"TERM": "dumb"}, [], False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, [], False, True),
        ({}, ["-o", "json"], False, False),
        ({}, ["--no-follow"], False, True),
    ],
)
def test_colour_and_bar_depend_on_the_terminal_and_the_options(
    redis_url: str,
    env: dict[str, str],
    environ: dict[str, str],
    arguments: list[str],
    has_bar: bool,
    has_colour: bool,
) -> None:
    """Colour and redrawing can be turned off."""
    write_records(redis_url, env["STREAMAPP_KEY_PREFIX"], [record(1, outcome="retry")])
    with Terminal(["tail", *arguments], {**env, **environ}) as terminal:
        if has_bar:
            terminal.until("retry", "▌")
            terminal.press("q")
            assert terminal.ended() == 0
        elif "--no-follow" in arguments:
            assert terminal.ended() == 0
        else:
            terminal.until("retry")
            terminal.press("\x03")
            assert terminal.ended() == 130
        coloured = any(code in terminal.raw for code in (b"\x1b[33m", b"\x1b[2m", b"\x1b[1m"))
        assert coloured is has_colour
        assert any("▌" in row for row in terminal.raw.decode().splitlines()) is has_bar
        if not has_bar and not has_colour:
            assert b"\x1b" not in terminal.raw


async def test_it_shows_what_a_real_worker_does_with_the_depth_of_the_queues(
    aws: BotoSqs, redis_url: str, prefix: str
) -> None:
    """A user sees worker, tail and queues together."""
    shop = Shop(aws, redis_url, prefix)
    await shop.open()
    name = shop.names["pedido-events"]
    with Terminal(["tail", "-n", "0"], shop.env, columns=200, lines=50) as terminal:
        terminal.until("the tap of any queue is empty: no worker is running", "space pause")

        await shop.send(samples())
        with shop.running():
            terminal.until("  waiting ", "acompanhamento-events", "not_json", "status Em preparação")
        terminal.press("q")

        assert terminal.ended() == 0
        assert any(name in row and "invalid" in row for row in terminal.rows)
    await shop.close()
