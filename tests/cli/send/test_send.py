"""`streamapp send`: one message, examples, edits, many lines."""

import json

import pytest

import streamapp_agents
from rigs.inprocess import call
from rigs.shop import Shop


async def test_send_sends_one_message_or_many_and_refuses_what_no_agent_could_process(shop: Shop) -> None:
    """A typo is found before it becomes a dead letter."""
    body = '{"event_type":"pedido_status_atualizado","data":{"id_pedido":1,"status":"Pronto"}}'
    shop.env["PEDIDO_QUEUE_URL"] = shop.names["pedido-events"]

    one = shop.run("send", "pedido-events", body)
    many = shop.run("send", "pedido-events", "-", typed=f"{body}\n\n{body}\n")
    bad = shop.run("send", "pedido-events", '{"event_type":"pedido_criado","data":{}}')
    forced = shop.run("send", "--no-validate", "pedido-events", "not json")

    assert one.returncode == 0, one.stderr
    assert one.stdout == f"sent 1 to pedido-events ({len(body)} B)\n"
    assert many.stdout == f"sent 2 to pedido-events ({2 * len(body)} B)\n"
    assert bad.returncode == 2
    assert "missing_field" in bad.stderr
    assert forced.returncode == 0
    assert await shop.counts("pedido-events") == (4, 0)


async def test_every_example_is_understood_and_makes_an_order(shop: Shop) -> None:
    """The first thing that a new user sends must work."""
    for example in streamapp_agents.app.extras.examples:
        if example.kind != "produto_removido":
            sent = await call(shop.env, "send", example.queue, "--example", example.kind)
            assert sent.returncode == 0, sent.stderr
    await shop.process()

    orders = await shop.hashes("acompanhamento")
    assert orders["1042"]["status"] == "Pronto"
    assert orders["1042"]["status_pagamento"] == "pago"
    assert orders["1042"]["total"] == "61.30"
    assert (await shop.letters()) == []


async def test_an_edit_that_makes_a_message_wrong_is_refused_with_its_path(shop: Shop) -> None:
    """The path is needed to correct it."""
    bad = await call(
        shop.env,
        "send",
        "pedido-events",
        "--example",
        "pedido_criado",
        "--set",
        "data.produtos.0.quantidade=0",
    )
    good = await call(
        shop.env,
        "send",
        "pedido-events",
        "--example",
        "pedido_criado",
        "--set",
        'data.id_pedido="0042"',
        "--json",
    )
    await shop.process()

    assert bad.returncode == 2
    assert "quantidade" in bad.stderr
    assert json.loads(good.stdout)["sent"] == 1
    assert list(await shop.hashes("acompanhamento")) == ["0042"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pedido-events"], "--example KIND"),
        (["pedido-events", "{}", "--example", "pedido_criado"], "one of them"),
        (
            ["pedido-events", "--example", "pagamento_criado"],
            "it has pedido_criado, pedido_status_atualizado",
        ),
        (["pedido-events", "--example", "pedido_criado", "--set", "data"], "path=value"),
        (["pedido-events", "not json", "--set", "a=1"], "the message is not JSON"),
        (["pedido-events", ""], "message 1 is refused: not_json"),
        (["pedido-events", '{"a":"\udcff"}', "--no-validate"], "message 1 is not UTF-8"),
        (["pedido-events", r'{"a":"\ud800"}', "--set", "b=1", "--no-validate"], "message 1 is not UTF-8"),
        (["pedido-events", "[" * 100_000, "--set", "a=1"], "nested too deep"),
        (["pedido-events", "{}", "--set", f"a={'[' * 100_000}"], "nested too deep"),
    ],
)
async def test_wrong_arguments_are_an_error_of_one_line(shop: Shop, arguments: list[str], words: str) -> None:
    """The line says what is expected, and the exit code is 2."""
    shown = await call(shop.env, "send", *arguments)

    assert shown.returncode == 2
    assert words in shown.stderr
    assert len(shown.stderr.splitlines()) == 1


async def test_many_lines_go_in_batches_and_the_bad_one_is_named(shop: Shop) -> None:
    """A file of a thousand events is a normal thing to send."""
    line = '{"event_type":"pedido_status_atualizado","data":{"id_pedido":%d,"status":"Pronto"}}'
    good = "\r\n".join(line % number for number in range(25))

    sent = await call(shop.env, "send", "pedido-events", "-", typed=f"\ufeff{good}\n".encode())
    refused = await call(shop.env, "send", "pedido-events", "-", typed=f"{good}\n{{}}\n".encode())
    binary = await call(shop.env, "send", "pedido-events", "-", typed=b"\xff\xfe\n")

    assert sent.stdout.startswith("sent 25 to pedido-events"), sent.stderr
    assert refused.returncode == 2
    assert "message 26 is refused" in refused.stderr
    assert binary.returncode == 2
    assert "not UTF-8" in binary.stderr
    assert await shop.counts("pedido-events") == (25, 0), "all or nothing, of a thousand"


async def test_a_queue_that_is_named_by_its_url_has_the_same_agent(shop: Shop) -> None:
    """A script may have only the URL; it must still get the check and the examples."""
    url = (await shop.aws.find(shop.names["pedido-events"])).url

    sent = await call(shop.env, "send", url, "--example", "pedido_criado")
    refused = await call(shop.env, "send", url, "{}")

    assert sent.returncode == 0, sent.stderr
    assert refused.returncode == 2
    assert "message 1 is refused" in refused.stderr
