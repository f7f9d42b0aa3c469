"""`streamapp schema`: documents for the services around the app."""

import json
from pathlib import Path

import pytest

from rigs.inprocess import call
from rigs.terminal import bare


async def test_one_kind_has_a_schema_but_no_document(tmp_path: Path) -> None:
    """The document of all kinds would be no answer to a question about one."""
    kind = await call(bare(), "schema", "--format", "jsonschema", "pedido_criado")
    refused = await call(bare(), "schema", "pedido_criado", "-o", str(tmp_path / "document"))

    assert json.loads(kind.stdout)
    assert refused.returncode == 2
    assert "--format jsonschema" in refused.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", [".", "nowhere/schema.json"])
async def test_a_file_that_cannot_be_written_is_an_error_of_one_line(tmp_path: Path, place: str) -> None:
    """A missing folder is no bug of ours."""
    refused = await call(bare(), "schema", "-o", str(tmp_path / place))

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"streamapp: -o {tmp_path / place}: it cannot be written: ")
    assert len(refused.stderr.splitlines()) == 1
