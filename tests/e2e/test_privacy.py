"""Personal data stays in the message."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from rigs.shop import Sample, Shop, samples
from rigs.terminal import bare

CANARIES = {
    "cpf": "39053344705",
    "formatted": "390.533.447-05",
    "mail": "canario.maria@exemplo.com",
    "name": "Maria Canário dos Testes",
    "password": "senha-canario-123",
    "card": "4111111111111111",
}


def with_canaries() -> list[Sample]:
    """Messages in the forms of real producers, with all the personal data that they were seen to contain."""
    order = {
        "codigo": "9001",
        "nomeCliente": CANARIES["name"],
        "emailCliente": CANARIES["mail"],
        "cpfCliente": CANARIES["cpf"],
        "itens": [{"nomeProduto": "Suco", "precoProduto": 6.5, "quantidadeItem": 1}],
    }
    user = {
        "Id": "9002",
        "Usuario": {
            "Nome": CANARIES["name"],
            "Email": CANARIES["mail"],
            "CPF": CANARIES["formatted"],
            "Senha": CANARIES["password"],
        },
        "Produtos": [{"Id": "1", "Nome": "X", "Preco": 1}],
    }
    named = {
        "id_pedido": 9003,
        "cliente": f"{CANARIES['formatted']} - {CANARIES['name']}",
        "itens": [{"id": 1}],
    }
    paid = {
        "event_type": "pagamento_atualizado",
        "data": {"id_pedido": "9001", "status": "pago", "numeroCartaoCredito": CANARIES["card"]},
    }
    bad = {"event_type": "pedido_criado", "data": {"cliente": CANARIES["cpf"], "nome": CANARIES["name"]}}
    worse = {"event_type": "pedido_criado", "data": {"id_pedido": 9004, "produtos": CANARIES["name"]}}
    orders = [order, user, named, bad, worse, {"id_pedido": 9005, "status": CANARIES["mail"]}]
    return [
        *[Sample("pedido-events", json.dumps(body, ensure_ascii=False), "") for body in orders],
        Sample("pedido-events", f"not json {CANARIES['cpf']} {CANARIES['mail']}", ""),
        Sample("pagamento-events", json.dumps(paid), ""),
    ]


async def test_no_cpf_name_mail_or_secret_reaches_redis_logs_announcements_or_letter_attributes(
    shop: Shop,
) -> None:
    """The law requires it."""
    await shop.send([*samples(), *with_canaries()])
    shop.env["LOG_LEVEL"] = "debug"

    logs = await shop.work_off()

    tail = [sys.executable, "-m", "streamapp", "tail", "-n", "1000", "--no-follow", "-o"]
    seen = [
        subprocess.run([*tail, form], env=shop.env, capture_output=True, text=True, check=True).stdout
        for form in ("json", "pretty")
    ]
    letters = await shop.letters()
    assert any(CANARIES["cpf"] in body for body, _ in letters), "bodies stay as they came"
    left = {
        "logs": logs,
        "Redis": await shop.dump(),
        "tail": json.dumps(seen, ensure_ascii=False),
        "announcements": repr(await shop.announcements()),
        "letters": repr([dict(attributes) for _, attributes in letters]),
    }
    for where, text in left.items():
        for canary in CANARIES.values():
            assert canary not in text, f"{canary} in {where}"
    assert "tap:" in left["Redis"], "the tap was looked at too"
    assert "#9003" in left["tail"]
    assert (await shop.hashes("acompanhamento"))["9001"]["cliente"] == "***.533.447-**"


LOGGING = """
import logging
logging.getLogger("botocore.credentials").warning("renewal failed", exc_info=ValueError("canary"))
logging.basicConfig(level=logging.DEBUG)
logging.getLogger("botocore.auth").debug("a token: canary")
"""
BUGGY = """
from streamapp import App

class Shop(App):
    def __init__(self, name):
        pass  # so that `registry` is the property below
    @property
    def registry(self):
"""
BROKEN = {
    "one": "raise KeyError('canary')",
    "several": "raise ExceptionGroup('canary', [ExceptionGroup('', [KeyError('canary')])])",
    "from another": "try:\n    int('canary')\nexcept ValueError as it:\n    raise KeyError('canary') from it",
}


@pytest.mark.parametrize("command", ["worker", "schema"])
@pytest.mark.parametrize("broken", BROKEN)
def test_a_bug_is_reported_without_the_text_of_its_error(tmp_path: Path, command: str, broken: str) -> None:
    """Errors of the AWS client quote whole responses, one of which contained the keys of a role."""
    (tmp_path / "shop.py").write_text(
        BUGGY + textwrap.indent(BROKEN[broken], " " * 8) + "\napp = Shop('shop')"
    )

    ended = run_in(tmp_path, command)

    assert ended.returncode == 1
    assert "KeyError" in ended.stderr
    assert "shop.py" in ended.stderr, "where it was is all that is left to look for it by"
    assert without_source(ended.stderr).count("canary") == 0


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("from streamapp import Ap", "ImportError: cannot import name 'Ap'"),
        ("import os\nraise RuntimeError('DATABASE_URL is not set')", "DATABASE_URL is not set"),
        ("app = App(", "SyntaxError"),
    ],
)
def test_an_app_that_cannot_be_imported_is_one_line_with_cause_and_place(
    tmp_path: Path, source: str, told: str
) -> None:
    """The author of an app reads this often."""
    (tmp_path / "shop.py").write_text(source)

    ended = run_in(tmp_path, "status")
    (line,) = ended.stderr.splitlines()

    assert ended.returncode == 2
    assert told in line
    assert "shop.py" in line


@pytest.mark.parametrize("command", ["worker", "status"])
def test_no_log_of_the_aws_client_shows_a_secret_in_any_command(tmp_path: Path, command: str) -> None:
    """It logs responses when it cannot renew keys, and signatures at DEBUG."""
    (tmp_path / "shop.py").write_text(LOGGING)

    ended = run_in(tmp_path, command)

    assert "renewal failed" in ended.stderr
    assert without_source(ended.stderr).count("canary") == 0


def run_in(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run *command* for the module `shop.py` in *folder*."""
    program = [sys.executable, "-m", "streamapp", command, "--app", "shop:app"]
    env = {**bare(), "PYTHONPATH": str(folder)}
    return subprocess.run(program, env=env, capture_output=True, text=True, check=False, timeout=50)


def without_source(traceback: str) -> str:
    """Return *traceback* without the lines that quote source code."""
    lines = traceback.splitlines()
    return "\n".join(line for line in lines if not line.startswith("    "))
