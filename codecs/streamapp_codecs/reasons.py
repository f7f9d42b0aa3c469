"""Why the shop's codecs refuse a body for good."""

from typing import Literal, get_args

Reason = Literal[
    "not_json",
    "missing_field",
    "invalid_value",
    "undecidable",
    "too_deep",
    "s3_pointer",
    "too_large",
    "unknown_envelope",
]
"""The word that a dead letter carries as `streamapp-reason`; a codec of your own may have other words."""

REASONS: tuple[Reason, ...] = get_args(Reason)
