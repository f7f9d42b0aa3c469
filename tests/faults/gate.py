"""A proxy before an SQS that checks signatures and credentials as AWS does, and an endpoint that issues credentials."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
from aiohttp import web

SKEW = 300.0
"""Seconds by which the time of a signature may be off: AWS's own limit for most services."""


@dataclass
class Gate:
    """*issued* is the session token that the credentials endpoint issues, *valid* the one that SQS accepts."""

    issued: str = "T1"
    valid: str = "T1"
    lives: float = 300.0
    """Seconds until issued credentials expire; negative: they have expired already."""
    refused: int = 0
    passed: int = 0
    checks_token: bool = True

    def credentials(self) -> dict[str, str]:
        """Return the response of a container's credentials endpoint."""
        until = datetime.now(UTC) + timedelta(seconds=self.lives)
        return {
            "AccessKeyId": f"AKIA{self.issued}",
            "SecretAccessKey": "secret",
            "Token": self.issued,
            "Expiration": until.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }

    def refusal(self, headers: Any) -> str | None:
        """Return why a call is refused, None where it is accepted."""
        stamp = headers.get("X-Amz-Date", "19700101T000000Z")
        signed_at = datetime.strptime(stamp, "%Y%m%dT%H%M%S%z").timestamp()
        if abs(time.time() - signed_at) > SKEW:  # clock: the rule of SQS
            return "SignatureDoesNotMatch"
        if self.checks_token and headers.get("X-Amz-Security-Token") != self.valid:
            return "ExpiredToken"
        return None


_SHAPES = {"SignatureDoesNotMatch": "InvalidSignatureException", "ExpiredToken": "ExpiredTokenException"}


@asynccontextmanager
async def gate_to(endpoint: str) -> AsyncIterator[tuple[Gate, str]]:
    """Yield a gate to *endpoint*, and the gate's own endpoint; `/credentials` there issues credentials."""
    gate = Gate()

    async def credentials(_: web.Request) -> web.Response:
        return web.json_response(gate.credentials())

    async def call(request: web.Request) -> web.Response:
        body = await request.read()
        code = gate.refusal(request.headers)
        if code is not None:
            gate.refused += 1
            return web.json_response(
                {"__type": f"com.amazonaws.sqs#{_SHAPES[code]}", "message": "refused at the gate"},
                status=403,
                content_type="application/x-amz-json-1.0",
                headers={"x-amzn-query-error": f"{code};Sender"},
            )
        gate.passed += 1
        kept = {name: request.headers[name] for name in ("X-Amz-Target", "Content-Type")}
        async with session.post(f"{endpoint}{request.path}", data=body, headers=kept) as answer:
            said = {name: it for name, it in answer.headers.items() if name.lower().startswith("x-amz")}
            text = await answer.read()
            return web.Response(
                body=text, status=answer.status, content_type="application/x-amz-json-1.0", headers=said
            )

    app = web.Application(client_max_size=64 * 1_048_576)
    app.router.add_get("/credentials", credentials)
    app.router.add_post("/{path:.*}", call)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    async with aiohttp.ClientSession() as session:
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            yield gate, f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
