"""`streamapp worker`: which agents run, with which settings, for which app."""

import pytest

from rigs.shop import Shop, ended, until


async def test_only_the_agents_asked_for_run(shop: Shop) -> None:
    """One agent may be scaled without the others."""
    with shop.running("--agents", "pagamentos") as worker:
        await until(worker, "ready")
        await shop.send([])
    unknown = shop.run("worker", "--agents", "nobody")

    assert unknown.returncode == 2
    assert "pedidos, pagamentos, catalogo" in unknown.stderr


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("STREAMAPP_CONCURRENCY", "many", "a whole number"),
        ("STREAMAPP_NAIVE_TZ", "Mars/Olympus", "a time zone"),
        ("REDIS_URL", "http://x", "redis://"),
        ("STREAMAPP_DURABILITY", "eventually", "replicated:N"),
        ("ACOMPANHAMENTO_INICIO", "talvez", "automatico or manual"),
        ("LOG_LEVEL", "loud", "debug"),
    ],
)
async def test_a_bad_setting_names_its_variable_and_what_was_expected(
    shop: Shop, name: str, value: str, expected: str
) -> None:
    """A user must not need the code to correct a setting."""
    shop.env[name] = value

    worker = shop.start("--check")
    errors = await ended(worker)

    assert worker.returncode == 2
    assert name in errors
    assert expected in errors
    assert len(errors.splitlines()) == 1


async def test_an_unknown_setting_is_a_warning_with_the_nearest_match(shop: Shop) -> None:
    """Otherwise a typo in a name would silently mean the default."""
    shop.env["STREAMAPP_CONCURENCY"] = "5"

    worker = shop.start("--check")
    errors = await ended(worker)

    assert worker.returncode == 0
    assert "STREAMAPP_CONCURRENCY" in errors


async def test_an_app_of_ones_own_runs(shop: Shop, tmp_path: object) -> None:
    """The framework is for any app."""
    with open(f"{tmp_path}/hits.py", "w") as file:
        file.write(
            "import msgspec\n"
            "from streamapp import App, Stream\n"
            "from streamapp_codecs import Json\n"
            "class Hit(msgspec.Struct):\n    page: str\n"
            "app = App('hits')\n"
            "@app.agent('hits', Json(Hit))\n"
            "async def count(hits: Stream[Hit]) -> None:\n    async for hit in hits:\n        pass\n"
        )
    shop.env["PYTHONPATH"] = str(tmp_path)
    shop.env["HITS_QUEUE_URL"] = f"{shop.names['pedido-events']}-hits"

    created = shop.run("queues", "create", "--app", "hits:app")
    sent = shop.run("send", "--app", "hits:app", "hits", '{"page":"/"}')
    worker = shop.start("--app", "hits:app", "--exit-when-idle", "1")
    logs = await ended(worker)

    assert created.returncode == sent.returncode == worker.returncode == 0, (
        created.stderr + sent.stderr + logs
    )
    assert '"ok":1' in logs
