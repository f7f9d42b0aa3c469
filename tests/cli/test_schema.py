"""`streamapp schema`: documents for the app's neighbours."""

import json
from pathlib import Path

import pytest

from rigs.inprocess import call
from rigs.terminal import bare


async def test_one_kind_has_a_schema_and_no_document(tmp_path: Path) -> None:
    """Whoever names a kind and gets the document of all would look for it there in vain."""
    kind = await call(bare(), "schema", "--format", "jsonschema", "pedido_criado")
    refused = await call(bare(), "schema", "pedido_criado", "-o", str(tmp_path / "document"))

    assert json.loads(kind.stdout)
    assert refused.returncode == 2
    assert "--format jsonschema" in refused.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("place", [".", "nowhere/schema.json"])
async def test_a_file_that_cannot_be_written_is_told_in_one_line(tmp_path: Path, place: str) -> None:
    """A folder that is not there yet is no bug of ours."""
    refused = await call(bare(), "schema", "-o", str(tmp_path / place))

    assert refused.returncode == 2
    assert refused.stderr.startswith(f"streamapp: -o {tmp_path / place}: it cannot be written: ")
    assert len(refused.stderr.splitlines()) == 1
