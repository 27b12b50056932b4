"""How pages print numbers."""

from __future__ import annotations


def plain(value: float, digits: int = 3) -> str:
    """Print a number with three decimals or another number of them, zero without a sign.

    >>> plain(-0.0001), plain(-0.0001, 4)
    ('0.000', '−0.0001')
    """
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def signed(value: float, digits: int = 3) -> str:
    """Print a number with three decimals or another number of them, and its sign.

    >>> signed(0.25), signed(-1.5), signed(-0.0001)
    ('+0.250', '−1.500', '+0.000')
    """
    return f"{round(value, digits) + 0.0:+.{digits}f}".replace("-", "−")


def percent(probability: float) -> str:
    """Print a probability with about three digits.

    >>> percent(0.8731), percent(0.0042), percent(0.00001)
    ('87.3\u202f%', '0.42\u202f%', '<\u202f0.01\u202f%')
    """
    if probability < 0.0001:
        return "<\u202f0.01\u202f%"
    return f"{100 * probability:.{1 if probability >= 0.01 else 2}f}\u202f%"
