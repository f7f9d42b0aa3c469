"""Tracing is used only where a tracer provider is set."""

import subprocess
import sys


def test_opentelemetry_is_not_imported_without_a_provider() -> None:
    """Without tracing it costs nothing, and OpenTelemetry need not be installed."""
    program = """
import sys
sys.modules["opentelemetry"] = None  # as if it were not installed
import streamapp, streamapp.cli.root, streamapp.cli.worker.process
from streamapp.web.monitoring import tracing_in_use
assert tracing_in_use() is None
assert "streamapp.observe.tracing" not in sys.modules
"""

    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_a_provider_that_is_set_is_used() -> None:
    """The app, or the program that starts it, decides where spans go."""
    program = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from streamapp.web.monitoring import tracing_in_use
assert tracing_in_use() is None
trace.set_tracer_provider(TracerProvider())
assert tracing_in_use() is not None
"""

    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
