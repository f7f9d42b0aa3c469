"""The deployment files are well-formed by their platforms' own tools, and ask for no more than the worker needs."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.session import get_session
from botocore.validate import ParamValidator

from streamapp.config import Config
from streamapp_agents import app

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
BIN = Path(sys.executable).parent


def tool(*command: str | Path) -> str:
    """Run a tool of this environment; return its output, with its exit code at the end."""
    done = subprocess.run(
        [BIN / command[0], *command[1:]], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return f"{done.stdout}{done.stderr}exit {done.returncode}"


def test_the_dockerfile_has_no_finding() -> None:
    """There is no container engine where this is tested, so a linter reads the file."""
    assert tool("hadolint", "Dockerfile") == "exit 0"


@pytest.mark.parametrize("name", ["compose.yaml", ".devcontainer/compose.yaml"])
def test_compose_files_keep_the_specification(name: str) -> None:
    """A misspelt key would otherwise be found by the first `just up`."""
    assert tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", name).endswith("exit 0")


def test_every_port_of_compose_is_on_loopback() -> None:
    """An emulator takes any credentials, and Redis has no password here."""
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]

    ports = [port for service in services.values() for port in service.get("ports", [])]

    assert ports
    assert [port for port in ports if not port.startswith("127.0.0.1:")] == []


def test_kubernetes_takes_the_worker() -> None:
    """The schema of the cluster, unknown fields refused."""
    assert tool("kubernetes-validate", "--strict", "deploy/kubernetes/worker.yaml").endswith("exit 0")


def test_keda_scales_on_every_source_queue() -> None:
    """A queue without a scaler fills while the others are idle."""
    (scaled,) = [it for it in documents("scaledobject.yaml") if it["kind"] == "ScaledObject"]
    (worker,) = [it for it in documents("worker.yaml") if it["kind"] == "Deployment"]
    (settings,) = [it for it in documents("worker.yaml") if it["kind"] == "ConfigMap"]

    variables = [trigger["metadata"]["queueURLFromEnv"] for trigger in scaled["spec"]["triggers"]]

    assert sorted(variables) == ["PAGAMENTO_QUEUE_URL", "PEDIDO_QUEUE_URL", "PRODUTO_QUEUE_URL"]
    assert set(variables) <= set(settings["data"])
    assert scaled["spec"]["scaleTargetRef"]["name"] == worker["metadata"]["name"]


def test_every_platform_waits_longer_than_the_drain() -> None:
    """A worker that is killed while draining leaves messages invisible."""
    drain = Config().drain_timeout
    (worker,) = [it for it in documents("worker.yaml") if it["kind"] == "Deployment"]
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]["worker"]

    assert worker["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > drain
    assert float(compose["stop_grace_period"].removesuffix("s")) > drain
    assert task_definition()["containerDefinitions"][0]["stopTimeout"] > drain


def test_ecs_takes_the_task_definition() -> None:
    """ECS's own API model defines what a task definition is."""
    shape = get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape

    report = ParamValidator().validate(task_definition(), shape)

    assert report.generate_report() == ""


@pytest.mark.parametrize("name", ["worker.json", "tail.json", "redrive.json"])
def test_a_policy_names_its_queues_and_its_actions(name: str) -> None:
    """A wildcard in a policy is what an attacker hopes for."""
    for statement in policy(name):
        assert statement["Effect"] == "Allow"
        for word in (*statement["Action"], *statement["Resource"]):
            assert "*" not in word
        for action in statement["Action"]:
            assert re.fullmatch(
                "sqs:(Get|Receive|Delete|Change|Send)(Message(Visibility)?|QueueUrl|QueueAttributes)", action
            )


def test_the_policies_know_the_queues_of_the_app() -> None:
    """A queue that was renamed in the app must be renamed in its policies."""
    sources = {agent.queue for agent in app.agents.values()}

    assert queues("worker.json", "sqs:DeleteMessage") == sources
    assert queues("worker.json", "sqs:SendMessage") == {*app.sinks, *(f"{name}-dlq" for name in sources)}
    assert queues("tail.json", "sqs:ReceiveMessage") == set()
    assert queues("redrive.json", "sqs:DeleteMessage") == {f"{name}-dlq" for name in sources}
    assert queues("redrive.json", "sqs:SendMessage") == sources


def documents(name: str) -> list[dict[str, Any]]:
    """All documents of a Kubernetes file."""
    return list(yaml.safe_load_all((DEPLOY / "kubernetes" / name).read_text()))


def task_definition() -> dict[str, Any]:
    """The ECS task definition."""
    return json.loads((DEPLOY / "ecs" / "task-definition.json").read_text())


def policy(name: str) -> Iterator[dict[str, Any]]:
    """The statements of an IAM policy."""
    yield from json.loads((DEPLOY / "iam" / name).read_text())["Statement"]


def queues(name: str, action: str) -> set[str]:
    """The queues on which a policy allows *action*."""
    return {
        arn.rsplit(":", 1)[-1]
        for statement in policy(name)
        if action in statement["Action"]
        for arn in statement["Resource"]
    }
