"""The SQS for tests over HTTP, for real clients: aioboto3, other processes, the AWS CLI.

It speaks SQS's JSON protocol. The older query protocol gets a refusal that such a client can show.
"""

import json
import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import parse_qsl
from uuid import uuid4
from xml.sax.saxutils import escape

from aiohttp import web
from anyio import sleep

from streamapp.testing.faults.call import ResponseLost
from streamapp.testing.faults.effects import Drip, Effect, Garble
from streamapp.testing.faults.refusal import Refusal, spelling_of
from streamapp.testing.sqs.attributes import ACCOUNT
from streamapp.testing.sqs.json_protocol import JsonProtocol
from streamapp.testing.sqs.json_request import malformed
from streamapp.testing.sqs.memory import MemorySqs

_JSON = "application/x-amz-json-1.0"

# Ten messages of 1 MiB, every byte escaped, must be refused by SQS's rules and not by HTTP's.
_MAX_REQUEST = 64 * 1_048_576

_SERVER_ERROR = 500

_QUERY_ERROR = """<?xml version="1.0"?>
<ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type><Code>{code}</Code>\
<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>
"""


@asynccontextmanager
async def serve(sqs: MemorySqs, *, host: str = "127.0.0.1", port: int = 0) -> AsyncGenerator[str]:
    """Serve *sqs* over HTTP while the context is open, and yield the endpoint's URL.

    Port 0 is any free one. It is the same SQS: its ledger shows what the clients did, and its faults happen to them.
    It needs anyio's asyncio back end.

        sqs = MemorySqs()
        async with serve(sqs) as endpoint, session.client("sqs", endpoint_url=endpoint) as client:
            sqs.faults.add("receive", Reset(), times=1)
    """
    app = web.Application(client_max_size=_MAX_REQUEST)
    app.router.add_post("/{path:.*}", partial(_handle, sqs))
    app.router.add_get("/{path:.*}", _refuse_query)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        yield f"http://{host}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _handle(sqs: MemorySqs, request: web.Request) -> web.StreamResponse:
    if "X-Amz-Target" not in request.headers:
        return await _refuse_query(request)
    operation = request.headers["X-Amz-Target"].removeprefix("AmazonSQS.")
    protocol = JsonProtocol(sqs.simulator, f"http://{request.host}/{ACCOUNT}")
    try:
        response = await protocol.call(operation, _json(await request.read()))
    except Refusal as refusal:
        return _refused(refusal)
    except ResponseLost as lost:
        return await _damaged(request, lost.effect)
    return web.json_response(response, content_type=_JSON, headers=_headers())


def _json(body: bytes) -> object:
    # Not msgspec: it refuses half a surrogate pair, which SQS takes for a message with a wrong character.
    try:
        value: object = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise malformed("it is not JSON") from None
    return value


async def _refuse_query(request: web.Request) -> web.StreamResponse:
    """Refuse the query protocol, in its own XML: without that, its clients report only that they cannot read it."""
    form = dict(parse_qsl((await request.read()).decode(errors="replace")))
    action = form.get("Action") or request.query.get("Action") or ""
    name = action if action and action.isprintable() else "this request"
    message = (
        f"The SQS for tests refuses {name}: it speaks SQS's JSON protocol alone. "
        "Use an AWS client of 2024 or later."
    )
    code = spelling_of("UnsupportedOperation").query
    text = _QUERY_ERROR.format(code=code, message=escape(message), request_id=uuid4())
    return web.Response(text=text, status=400, content_type="text/xml", headers=_headers())


def _refused(refusal: Refusal) -> web.Response:
    spelling = spelling_of(refusal.code)
    status = refusal.status or spelling.status
    whose = "Receiver" if status >= _SERVER_ERROR else "Sender"
    return web.json_response(
        {"__type": f"com.amazonaws.sqs#{spelling.shape}", "message": refusal.message},
        status=status,
        content_type=_JSON,
        headers=_headers() | {"x-amzn-query-error": f"{spelling.query};{whose}"},
    )


async def _damaged(request: web.Request, effect: Effect) -> web.StreamResponse:
    match effect:
        case Garble(body, status):
            return web.Response(body=body, status=status, content_type="text/html")
        case Drip(seconds):
            return await _drip(request, seconds)
        case _:
            return _reset(request)


async def _drip(request: web.Request, seconds: float) -> web.StreamResponse:
    # White space may come before a JSON value, so no client can tell that the value never comes.
    response = web.StreamResponse(headers=_headers() | {"Content-Type": _JSON})
    await response.prepare(request)
    while request.transport is not None:
        await response.write(b" ")
        await sleep(seconds)
    return response


def _reset(request: web.Request) -> web.Response:
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        # With a linger of 0 s closing sends RST in place of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        request.transport.abort()
    return web.Response()


def _headers() -> dict[str, str]:
    return {"x-amzn-RequestId": str(uuid4())}
