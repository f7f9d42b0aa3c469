"""What a codec is: the plain one of a type, and errors with words of their own."""

from datetime import UTC, datetime

import msgspec
import pytest

from streamapp_codecs import Decoded, DecodeError, Json, Origin

ORIGIN = Origin(queue="clicks", message_id="m", sent_at=datetime(2025, 7, 28, 18, tzinfo=UTC))


class Click(msgspec.Struct, tag="clicked", frozen=True):
    """An event."""

    page: str
    visitor: str = ""


CODEC = Json(Click, private=["visitor"])


def test_a_value_comes_back_as_it_went() -> None:
    """The type is all that has to be declared."""
    click = Click("home", "maria")

    assert CODEC.decode(CODEC.encode(click), ORIGIN) == Decoded((click,))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "not_json"),
        ('{"type":"clicked","page":"\ud800"}', "not_json"),
        ('{"type":"clicked","page":7}', "invalid_value"),
        ('{"type":"clicked"}', "invalid_value"),
        ('{"type":"clicked","x":' + "[" * 100_000, "too_deep"),
    ],
)
def test_a_body_that_holds_no_value_is_an_error_and_raises_nothing(body: str, reason: str) -> None:
    """It becomes a dead letter with this reason."""
    decoded = CODEC.decode(body, ORIGIN)

    assert decoded.events == ()
    assert decoded.error is not None
    assert decoded.error.reason == reason


def test_the_detail_has_the_path_and_never_the_value() -> None:
    """Details are logged."""
    decoded = Json(dict[str, int]).decode('{"card":"4111 1111 1111 1111"}', ORIGIN)

    assert decoded.error is not None
    assert "4111" not in decoded.error.detail


def test_viewers_see_what_is_declared_but_nothing_private() -> None:
    """The tap keeps what viewers see."""
    shown = CODEC.show('{"type":"clicked","page":"home","visitor":"maria","more":1}', None)

    assert (shown.kind, shown.body) == ("clicked", b'{"type":"clicked","page":"home","visitor":"***"}')


def test_a_codec_of_ones_own_has_reasons_of_its_own() -> None:
    """A dead letter carries the word as it is."""
    error = DecodeError("no_page", "page is empty")

    assert (error.reason, error.detail, str(error)) == ("no_page", "page is empty", "no_page: page is empty")
