"""Alerts and the dashboard ask only for metrics that exist."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from streamapp.observe.counters import EVENTS, Counters
from streamapp.web.metrics import Metrics

ROOT = Path(__file__).parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yaml"
NAME = re.compile(r"\b(?:streamapp|messaging|process)_[a-z_]+")


def panels() -> list[str]:
    """The queries of the dashboard's panels."""
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


def asked() -> set[str]:
    """Every metric in a rule or a panel."""
    groups = yaml.safe_load(ALERTS.read_text())["groups"]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]] + panels()
    labels = {"messaging_destination_name", "messaging_operation_name"}
    return {name for text in expressions for name in NAME.findall(text)} - labels


def exported() -> str:
    """The source and the output of a worker's metrics: a family without a value yet has no line in the output."""
    page = Metrics(Counters()).render()[0].decode()
    return page + (ROOT / "streamapp" / "web" / "metrics.py").read_text()


def test_every_metric_that_is_asked_for_is_there() -> None:
    """An alert on a misspelt metric never fires."""
    known = exported()

    missing = {
        name
        for name in asked()
        if re.sub("_(total|bucket|count|sum)$", "", name).removeprefix("streamapp_") not in known
    }

    assert len(asked()) > 10
    assert missing == set()


def test_the_documentation_names_every_metric() -> None:
    """Authors of alerts look there."""
    documented = (ROOT / "docs" / "operating.md").read_text()

    named = re.findall(
        r'"((?:streamapp|messaging)_[a-z_]+)"', (ROOT / "streamapp" / "web" / "metrics.py").read_text()
    )

    assert len(named) > 5
    labels = {"messaging_system", "messaging_operation_name", "messaging_destination_name"}
    assert [name for name in named if name not in documented and name not in labels] == []


def test_the_documentation_names_every_event_that_is_counted() -> None:
    """A word in an alert that no page explains wakes people for nothing."""
    (row,) = [
        line
        for line in (ROOT / "docs" / "operating.md").read_text().splitlines()
        if line.startswith("| `streamapp_events_total`")
    ]

    assert [name for name in EVENTS if name not in row] == []


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Prometheus")
def test_prometheus_takes_the_rules_and_what_the_panels_ask(tmp_path: Path) -> None:
    """Checked by Prometheus's own tool; a panel's query is checked as a rule."""
    rules = [
        {"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(panels(), 1)
    ]
    page = tmp_path / "panels.yaml"
    page.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": rules}]}))

    done = subprocess.run(
        ["promtool", "check", "rules", ALERTS, page], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr + done.stdout


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool comes with Prometheus")
def test_prometheus_has_nothing_to_say_of_the_page() -> None:
    """Names, help texts and units follow Prometheus's conventions."""
    page = Metrics(Counters()).render()[0]

    done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True, check=False)

    assert (done.returncode, done.stderr) == (0, b"")
