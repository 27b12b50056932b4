"""Texts as people write them: cleaned without loss, and cut into words of any language."""

from __future__ import annotations

import re

from irisrec.errors import FeatureError

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WORD = re.compile(
    r"[\u2E80-\u2FDF\u3040-\u30FF\u3400-\u4DBF\u4E00-\u9FFF\uF900-\uFAFF\U00020000-\U0003FFFF]"  # one sign, one word
    r"|[\u2600-\u27BF\U0001F000-\U0001FAFF]"  # emoji and symbols
    r"|(?:(?![\u2E80-\u2FDF\u3040-\u30FF\u3400-\u4DBF\u4E00-\u9FFF])[^\W_])+"
)


def clean(text: str | None) -> str:
    """Return the text with control characters (such as NUL) as spaces, stripped; languages and emoji stay.

    Raises:
        FeatureError: there is no text, or nothing but blanks.
    """
    if text is None:
        raise FeatureError("no text")
    cleaned = _CONTROL.sub(" ", text).strip()
    if not cleaned:
        raise FeatureError("the text is blank")
    return cleaned


def words(text: str) -> list[str]:
    """Cut a text into lower-case words; a Chinese or Japanese sign and an emoji are words of their own.

    >>> words("The Matrix, 1999: 東京 🤖!")
    ['the', 'matrix', '1999', '東', '京', '🤖']
    """
    return _WORD.findall(text.lower())
