"""Run LocalStack's SQS on a loopback port, in LocalStack's own environment; ends with its parent.

`local/native.py` makes that environment in .local/localstack; the conformance suite runs on it with
LOCALSTACK_PYTHON=.local/localstack/bin/python uv run pytest tests/testing/sqs/test_server_rules.py
"""

import os
import runpy
import sys
import threading

SETTINGS = {
    "SERVICES": "sqs",
    "EAGER_SERVICE_LOADING": "1",
    "STRICT_SERVICE_LOADING": "1",
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    # LocalStack's other server listens on all addresses, whatever its settings say.
    "GATEWAY_SERVER": "hypercorn",
}


def end_with_parent() -> None:
    """Exit when the pipe that the parent holds is closed."""
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    port, folder = sys.argv[1:]
    os.environ |= SETTINGS | {"GATEWAY_LISTEN": f"127.0.0.1:{port}", "FILESYSTEM_ROOT": folder}
    threading.Thread(target=end_with_parent, daemon=True).start()
    runpy.run_module("localstack.runtime.main", run_name="__main__")
