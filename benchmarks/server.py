"""The benchmark's side of a server: start it, fill its queues, read its ledger."""

import http.client
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Literal

HERE = Path(__file__).parent
FAUXQS = HERE / "servers" / "fauxqs"
BATCH = 10
BATCH_BYTES = 900_000
"""Bytes of bodies in one call; SQS accepts 1 MiB."""

ServerName = Literal["stub", "fauxqs"]
Fields = Mapping[str, Any]


class ServerGone(Exception):
    """A server closed the connection in the middle of a call."""

    def __init__(self, name: str, status: int | None) -> None:
        state = "it still runs, see its stderr" if status is None else f"it has ended with status {status}"
        super().__init__(f"{name} broke off: {state}")


class Server:
    """One SQS on loopback. Times in its ledger are monotonic seconds, the same clock for all processes."""

    def __init__(
        self,
        name: ServerName,
        port: int,
        process: subprocess.Popen[bytes],
        tls: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._process = process
        self.port = port
        self.tls = tls
        """Settings of a client that uses TLS, None where this server has no TLS."""
        self.endpoint = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def url(self, queue: str) -> str:
        """Return the URL of a queue."""
        return f"{self.endpoint}/000000000000/{queue}"

    def call(self, operation: str, **said: object) -> Any:  # noqa: ANN401 - SQS's response
        """Make one SQS call."""
        headers = {"x-amz-target": f"AmazonSQS.{operation}", "content-type": "application/x-amz-json-1.0"}
        status, body = self._ask("POST", "/", json.dumps(said), headers)
        answer = json.loads(body or b"{}")
        if status != http.client.OK or answer.get("Failed"):
            raise RuntimeError(operation, answer)
        return answer

    def ledger(self, what: str) -> Any:  # noqa: ANN401 - the ledger's own form
        """Ask the ledger: `reset`, `hold`, `release`, `end`, `progress` or `all`."""
        _, body = self._ask("GET", f"/_bench/{what}")
        return json.loads(body)

    def _ask(
        self, method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> tuple[int, bytes]:
        try:
            self._connection.request(method, path, body, headers or {})
            response = self._connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise ServerGone(self.name, self._process.poll()) from error

    def create(self, queue: str) -> None:
        """Create a queue as `streamapp queues create` does: with a dead-letter queue, and 30 s of visibility timeout."""
        self.call("CreateQueue", QueueName=f"{queue}-dlq")
        arn = f"arn:aws:sqs:us-east-1:000000000000:{queue}-dlq"
        redrive = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 8})
        self.call(
            "CreateQueue", QueueName=queue, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "30"}
        )

    def send(self, queue: str, entries: Sequence[Fields]) -> None:
        """Send messages: entries of SendMessageBatch, without their ids."""
        batch: list[Fields] = []
        size = 0
        for entry in entries:
            if len(batch) == BATCH or size + len(entry["MessageBody"]) > BATCH_BYTES:
                self._send_batch(queue, batch)
                batch, size = [], 0
            batch.append(entry)
            size += len(entry["MessageBody"])
        self._send_batch(queue, batch)

    def _send_batch(self, queue: str, batch: Sequence[Fields]) -> None:
        if batch:
            entries = [{"Id": str(n), **entry} for n, entry in enumerate(batch)]
            self.call("SendMessageBatch", QueueUrl=self.url(queue), Entries=entries)

    def left(self, queue: str) -> int:
        """Return how many messages a queue still has, visible or not."""
        attributes = self.call("GetQueueAttributes", QueueUrl=self.url(queue), AttributeNames=["All"])[
            "Attributes"
        ]
        names = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")
        return sum(int(attributes[name]) for name in names)


@contextmanager
def running(name: ServerName) -> Generator[Server]:
    """Run a server, which ends with this process in any case."""
    with tempfile.TemporaryDirectory(prefix="streamapp-bench-") as folder:
        pem = None if name == "fauxqs" else _certificate(Path(folder))
        command = [sys.executable, "-m", "benchmarks.servers.stub", *([str(pem)] if pem else [])]
        if name == "fauxqs":
            command = ["node", str(FAUXQS / "server.mjs")]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=HERE.parent)
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port, *safe = process.stdout.readline().split()
            tls = None
            if pem is not None:
                url = f"https://127.0.0.1:{int(safe[0])}"
                tls = {"AWS_ENDPOINT_URL": url, "AWS_ENDPOINT_URL_SQS": url, "AWS_CA_BUNDLE": str(pem)}
            with closing(Server(name, int(port), process, tls)) as server:
                yield server
        finally:
            process.stdin.close()
            process.stdout.close()
            process.wait()


def _certificate(folder: Path) -> Path | None:
    """Make a certificate for loopback, with its key in the same file; None where openssl is missing."""
    if shutil.which("openssl") is None:
        return None
    pem = folder / "loopback.pem"
    asked = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"
    )
    command = ["openssl", *asked.split(), "-keyout", str(folder / "key.pem"), "-out", str(pem)]
    subprocess.run(command, check=True, capture_output=True)
    with pem.open("a") as whole:
        whole.write((folder / "key.pem").read_text())
    return pem


def install_fauxqs() -> str | None:
    """Install fauxqs from its lock file; return why that failed, or None."""
    if (FAUXQS / "node_modules" / "fauxqs").exists():
        return None
    try:
        subprocess.run(["npm", "ci", "--silent"], cwd=FAUXQS, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError) as error:
        return f"fauxqs cannot be installed: {type(error).__name__}"
    return None
