"""A CPF, and what is none."""

from decimal import Decimal

import pytest

from streamapp_codecs.lenient.cpf import mask_cpf


@pytest.mark.parametrize(
    "value",
    [
        "52998224725",
        "529.982.247-25",
        " 529.982.247-25 ",
        "529982247-25",
        52998224725,
        Decimal("52998224725.0"),
        "529.982.247-25 - Maria da Silva",
        "52998224725 - Maria",
    ],
)
def test_a_cpf_is_masked(value) -> None:
    """Only the six digits in the middle are left of it."""
    assert mask_cpf(value) == "***.982.247-**"


@pytest.mark.parametrize("value", ["1234567890", 1234567890])
def test_ten_digits_have_lost_a_zero(value) -> None:
    """A producer that keeps a CPF as a number loses it."""
    assert mask_cpf(value) == "***.345.678-**"


@pytest.mark.parametrize(
    "value",
    [
        *(
            None,
            "",
            "Maria",
            "77",
            77,
            0,
            -52998224725,
            529982247250,
            "529982247250",
            "123456789",
            True,
            [],
            {},
        ),
        *(
            "maria@exemplo.com",
            "b3c1f0aa-7a2e-4c6b-9b5c-1d2e3f4a5b6c",
            "٥٢٩٩٨٢٢٤٧٢٥",
            "52998224725" + "x" * 999,
        ),
        *(
            Decimal("NaN"),
            Decimal("1e999"),
            Decimal("52998224725.5"),
            "Maria - 529",
            "52.998.224/725",
            "1" * 10**5,
        ),
    ],
)
def test_what_is_no_cpf_is_anonymous_and_no_error(value) -> None:
    """A customer without a CPF is still a customer."""
    assert mask_cpf(value) is None
