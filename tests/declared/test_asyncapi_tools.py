"""AsyncAPI's own tools read our documents: its parser, and Modelina, its generator of models (docs/parser)."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from declared.documented import BODIES, app_of
from streamapp.app import App
from streamapp.config import Config
from streamapp.declared.asyncapi import asyncapi
from streamapp_agents import app as shop

PARSER = Path(__file__).parents[2] / "docs" / "parser"

pytestmark = [
    pytest.mark.skipif(
        shutil.which("node") is None or not (PARSER / "node_modules" / "@asyncapi" / "modelina").is_dir(),
        reason="needs npm, and AsyncAPI's tools, which `just docs-check` installs",
    ),
    pytest.mark.timeout(300),  # Modelina brings TypeScript's compiler
]

NEWER = "asyncapi-latest-version"
"""The parser's hint that there is a version 3.1.0, which Modelina does not read."""


def generated(app: App) -> dict[str, str]:
    """Return the TypeScript that Modelina makes of the document of *app*, by the names of the models."""
    document = json.dumps(asyncapi(app.registry, Config()))
    ran = subprocess.run(
        ["node", PARSER / "check.js"], check=False, input=document, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    told: dict[str, Any] = json.loads(ran.stdout)
    assert [it for it in told["diagnostics"] if it["code"] != NEWER] == []
    return told["models"]


def test_the_application_has_a_model_of_each_message_and_each_part() -> None:
    """A neighbour in another language generates its client; one model "Root", or numbered ones, are no client."""
    models = generated(shop)

    for reference in (
        message["payload"]["$ref"]
        for message in asyncapi(shop.registry, Config())["components"]["messages"].values()
    ):
        assert models[reference.rpartition("/")[2]].startswith("interface ")
    assert "eventType: PedidoCriadoEventType;" in models["PedidoCriado"]
    assert 'PEDIDO_CRIADO = "pedido_criado"' in models["PedidoCriadoEventType"]
    assert not [name for name in models if name.startswith(("Anonymous", "Root"))]


def test_a_body_of_any_type_has_a_model() -> None:
    """What msgspec reads, its neighbours must be able to."""
    models = generated(app_of(*(body for body, _ in BODIES.values())))

    assert {
        "Made",
        "Moved",
        "Counted",
        "Tree",
        "PageMade",
        "PageMadeMoved",
        "Colour",
        "Size",
    } <= models.keys()
    assert "children?: Tree[];" in models["Tree"]
    assert any(model.endswith("= Made | Moved;") for model in models.values())  # the queue of two kinds
    assert "to?: [number, number];" in models["Moved"]
    assert not [name for name in models if name.startswith(("Anonymous", "Root"))]
