"""Values as text: JSON, amounts and times."""

import json
from datetime import UTC, datetime


def em_json(valor: object) -> str:
    """Return *valor* as JSON text, accents as they are."""
    return json.dumps(valor, ensure_ascii=False)


def em_compacto(valor: object) -> str:
    """Return *valor* as JSON text without spaces, as fields of a hash hold it."""
    return json.dumps(valor, ensure_ascii=False, separators=(",", ":"))


def em_z(em: datetime) -> str:
    """Return RFC 3339 in UTC, with Z."""
    return em.astimezone(UTC).isoformat().replace("+00:00", "Z")


def reais(centavos: int) -> str:
    """Return the decimal text of an amount."""
    return f"{centavos // 100}.{centavos % 100:02}"
