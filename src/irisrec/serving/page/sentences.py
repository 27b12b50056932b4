"""The library's messages as sentences of a page."""

from __future__ import annotations


def sentence(message: object) -> str:
    """Begin with a capital, and end as sentences do.

    >>> sentence("there is no item 'p1'"), sentence("what is 'imag'; did you mean 'image'?")
    ("There is no item 'p1'.", "What is 'imag'; did you mean 'image'?")
    """
    text = str(message).strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "?", "!")) else ".")
