from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from irisrec.features.encode import encode_with
from tests.features.content import catalog_of

PAGE = Path(__file__).parents[2] / "docs" / "features.md"


def test_the_code_of_the_page_does_what_it_says():
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    encoded = names["encoded"]
    assert encoded.tables["text"].present.tolist() == [True, True, False]
    assert encoded.failures == [("text", 3, "no text")]
    length = names["Length"](names["LengthSettings"](unit=2))
    values = encode_with(catalog_of(text=["four", None]), {"text": length}).tables["text"].values
    np.testing.assert_array_equal(values, [[2.0], [0.0]])
