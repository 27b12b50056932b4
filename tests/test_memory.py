"""What a run needed is its own need, whatever ran before in the same process."""

import sys

import numpy as np
import pytest

from irisrec.memory import forget_peak, peak_memory

MEGA = 1 << 20


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak can be begun anew on Linux alone")
def test_a_new_peak_knows_nothing_of_an_old_one():
    np.ones(64 * MEGA, np.int8)
    if not forget_peak():
        pytest.skip("this process may not begin a new peak")
    low = peak_memory()
    np.ones(32 * MEGA, np.int8)
    assert 30 * MEGA < peak_memory() - low < 60 * MEGA
