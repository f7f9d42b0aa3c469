"""`streamapp tail` in pipes and scripts."""

import json
import subprocess
import sys
import time
from collections import Counter

import msgspec
import pytest

from rigs.inprocess import Done, here
from rigs.terminal import environment, record, write_records

PATIENCE = 50


@pytest.fixture
def env(redis_url: str, prefix: str) -> dict[str, str]:
    """The environment for `tail`."""
    return environment(redis_url, f"{prefix}:")


def tail(env: dict[str, str], *arguments: str) -> Done:
    """Run `tail` to its end, as in a pipe."""
    return here(env, "tail", *arguments)


@pytest.fixture
def written(redis_url: str, env: dict[str, str]) -> dict[str, str]:
    """Twenty records in the taps of two queues, one of them a retry. Returns the environment for `tail`."""
    now = int(time.time() * 1000) - 60_000
    records = [record(n, done_ms=now + n) for n in range(18)]
    bad = record(
        18, outcome="retry", attempt=2, done_ms=now + 18, reason="ServiceError", detail="Redis: no answer"
    )
    body = msgspec.Raw(
        '{"event_type":"acompanhamento_atualizado","data":{"status":"Em preparação"}}'.encode()
    )
    sent = record(19, "acompanhamento-events", outcome="sent", done_ms=now + 19, body=body)
    write_records(redis_url, env["STREAMAPP_KEY_PREFIX"], [*records, bad, sent])
    return env


def test_the_last_ten_come_first_in_plain_whole_lines(written: dict[str, str]) -> None:
    """As any tail does."""
    done = tail(written, "--no-follow")

    lines = done.stdout.splitlines()
    assert (done.returncode, len(lines), done.stderr) == (0, 10, "")
    assert "\x1b" not in done.stdout
    assert "#18" in lines[-2]
    assert "retry" in lines[-2]
    assert "2/5 · ServiceError: Redis: no answer" in lines[-2]
    assert "acompanhamento-events" in lines[-1]
    assert "Em preparação" in lines[-1]


@pytest.mark.parametrize(
    ("arguments", "keys"),
    [
        (["-n", "2"], ["18", "19"]),
        (["-n", "0"], []),
        (["pedido-events", "-n", "1"], ["18"]),
        (["acomp*"], ["19"]),
        (["--outcome", "retry"], ["18"]),
        (["--order", "3"], ["3"]),
        (["--type", "acompanhamento_*"], []),
        (["--type", "pedido_*", "-n", "1", "acomp*"], ["19"]),
        (["-g", "Em prepara.ão"], ["19"]),
        (["-q", "attempt > `1`"], ["18"]),
        (["--since", "30s"], []),
        (["--since", "1h", "-c", "3"], ["0", "1", "2"]),
        (["--since", "1h", "--until", "30s", "-n", "1"], ["19"]),
        (["--until", "2h"], []),
    ],
)
def test_options_choose_which_records_are_shown(
    written: dict[str, str], arguments: list[str], keys: list[str]
) -> None:
    """A question about one order needs only its records."""
    done = tail(written, "--no-follow", "-o", "json", *arguments)

    assert (done.returncode, done.stderr) == (0, "")
    assert [json.loads(line)["key"] for line in done.stdout.splitlines()] == keys


def test_a_query_with_the_result_0_has_a_result(written: dict[str, str]) -> None:
    """A discount of 0 is a value; only a missing one is left out."""
    zeros = tail(written, "--no-follow", "pedido*", "-n", "2", "-q", "length(effects || `[]`)")
    senseless = tail(written, "--no-follow", "-q", "body.data && keys(body.data)[::0]")

    assert zeros.stdout == "0\n0\n"
    assert (senseless.returncode, senseless.stdout, senseless.stderr) == (0, "", "")


def test_the_value_of_a_query_is_printed(written: dict[str, str]) -> None:
    """As with `--query` of AWS's own command."""
    done = tail(written, "--no-follow", "acomp*", "-q", "body.data.status")

    assert done.stdout == "Em preparação\n"


def test_the_body_alone_can_be_printed(written: dict[str, str]) -> None:
    """It can then be sent again."""
    done = tail(written, "--no-follow", "acomp*", "-o", "raw")

    assert json.loads(done.stdout)["data"] == {"status": "Em preparação"}
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["-g", "("], "--grep"),
        (["-q", "a["], "--query"),
        (["-q", "startswith(body.event_type, 'pedido')"], "--query"),
        (["-q", "length()"], "--query"),
        (["-q", "keys(@)[::0]"], "--query"),
        (["--since", "yesterday"], "--since"),
        (["--timeout", "soon"], "--timeout"),
        (["--outcome", "fine"], "outcome"),
        (["-c", "0"], "count"),
    ],
)
def test_wrong_arguments_are_an_error_of_a_line_or_two(
    env: dict[str, str], arguments: list[str], word: str
) -> None:
    """A traceback does not help a user."""
    done = tail(env, *arguments)

    assert done.returncode == 2
    assert word in done.stderr
    assert "Traceback" not in done.stderr


def test_a_script_waits_for_an_event_or_gets_exit_code_4(written: dict[str, str]) -> None:
    """Deployment scripts need `-c 1 --timeout`."""
    found = tail(written, "acomp*", "-q", "body.data.status=='Em preparação'", "-c", "1", "--timeout", "30s")
    missed = tail(written, "acomp*", "-q", "body.data.status=='Pronto'", "-c", "1", "--timeout", "0.5")

    assert (found.returncode, len(found.stdout.splitlines())) == (0, 1)
    assert (missed.returncode, missed.stdout) == (4, "")


def test_an_empty_tap_is_explained(env: dict[str, str]) -> None:
    """An empty screen may have five reasons."""
    done = tail(env, "pedido-events", "--timeout", "0.5")

    assert done.returncode == 4
    assert "the tap of pedido-events is empty: no worker is running" in done.stderr


def test_a_redis_that_does_not_answer_is_exit_3(env: dict[str, str]) -> None:
    """To wait for a missing server would be useless."""
    env["REDIS_URL"] = "redis://127.0.0.1:1/0"

    done = tail(env)

    assert (done.returncode, done.stdout) == (3, "")
    assert "127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("form", ["line", "json"])
def test_it_ends_quietly_when_its_pipe_is_closed(written: dict[str, str], form: str) -> None:
    """`| head` must neither print an error nor leave a process behind."""
    command = f"{sys.executable} -m streamapp tail -o {form} -n 20 2>&1 | head -n 1; echo ${{PIPESTATUS[0]}}"

    done = subprocess.run(
        ["bash", "-c", command], env=written, capture_output=True, text=True, check=True, timeout=PATIENCE
    )

    lines = done.stdout.splitlines()
    assert (len(lines), lines[-1]) == (2, "0")


def test_each_of_a_thousand_records_written_while_it_starts_is_seen_once(
    redis_url: str, env: dict[str, str]
) -> None:
    """Between history and new records there is no gap and no repetition, and in a pipe there is no limit."""
    prefix = env["STREAMAPP_KEY_PREFIX"]
    write_records(redis_url, prefix, [record(0)])
    command = [sys.executable, "-m", "streamapp", "tail", "-n", "2000", "-o", "json", "-c", "1001"]
    with subprocess.Popen(
        [*command, "--timeout", "50"], env=env, stdout=subprocess.PIPE, text=True
    ) as tailing:
        for start in range(1, 1001, 10):
            write_records(redis_url, prefix, [record(n) for n in range(start, start + 10)])
            time.sleep(0.02)
        out, _ = tailing.communicate(timeout=PATIENCE)

    seen = Counter(json.loads(line)["key"] for line in out.splitlines())
    assert tailing.returncode == 0
    assert seen == Counter(str(n) for n in range(1001))


@pytest.mark.parametrize(
    ("arguments", "environ", "coloured"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1", "TERM": "dumb"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
        (["-o", "json", "--color", "always"], {}, False),
    ],
)
def test_a_pipe_gets_colour_only_on_request(
    written: dict[str, str], arguments: list[str], environ: dict[str, str], coloured: bool
) -> None:
    """Escape codes disturb in a log file, and are useful in `less -R`."""
    done = tail({**written, **environ}, "--no-follow", "-n", "3", *arguments)

    assert done.returncode == 0
    assert ("\x1b[" in done.stdout) is coloured
    assert len(done.stdout.splitlines()) == 3, "a line is a line, however long"


@pytest.mark.parametrize(("clock", "begins"), [("none", "pedido-events"), ("ago", " "), ("utc", None)])
def test_times_have_the_form_that_was_chosen(written: dict[str, str], clock: str, begins: str | None) -> None:
    """Logs of other machines are in UTC, and a person may want to know how long ago."""
    asked = ["--no-follow", "pedido-events", "-n", "1"]
    record = json.loads(tail(written, *asked, "-o", "json").stdout)

    line = tail(written, *asked, "--time", clock).stdout
    in_utc = time.strftime("%H:%M:%S", time.gmtime(record["done_ms"] / 1000))
    assert line.startswith(in_utc if begins is None else begins)
    assert (" ago " in line) is (clock == "ago")


def test_a_time_too_long_ago_is_refused(env: dict[str, str]) -> None:
    """A script may compute a senseless value."""
    done = tail(env, "--no-follow", "--since", "9" * 400)

    assert done.returncode == 2
    assert done.stderr.startswith("streamapp: --since: expected a time such as 10m")


def test_a_queue_name_that_is_not_utf_8_has_no_records(env: dict[str, str]) -> None:
    """A terminal with another encoding sends such names."""
    done = tail(env, "\udcff", "--timeout", "0.5")

    assert done.returncode == 4
    assert "the tap of \\udcff is empty" in done.stderr
