"""Made-up ids of people and of messages."""

from random import Random
from uuid import UUID


def cpf(luck: Random) -> str:
    """Make up a CPF with the right check digits."""
    digits = [luck.randrange(10) for _ in range(9)]
    for _ in range(2):
        weights = range(len(digits) + 1, 1, -1)
        rest = sum(digit * weight for digit, weight in zip(digits, weights, strict=True)) * 10 % 11
        digits.append(rest % 10)
    return "".join(map(str, digits))


def uuid(luck: Random) -> str:
    """Make up a UUID."""
    return str(UUID(int=luck.getrandbits(128), version=4))
