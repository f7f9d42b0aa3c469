"""The names of what is skipped."""


def test_an_unknown_kind_is_named_only_if_it_looks_like_one(decode) -> None:
    """A producer may put anything there, and nothing personal must be shown."""
    for kind in ("maria@exemplo.com", "529.982.247-25", "\x1b[2J", "a" * 65, "x\ny"):
        assert decode({"event_type": kind}).skipped == ("(unknown kind)",)
