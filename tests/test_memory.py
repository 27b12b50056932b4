"""What a run needed is its own need, whatever ran before in the same process."""

import subprocess
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


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other systems count from the parent's peak on"
)
def test_the_peak_is_not_that_of_the_program_that_started_the_process():
    held = np.ones(200 * MEGA, np.int8)  # resident here, and nothing of it there
    code = "from irisrec.memory import peak_memory; print(peak_memory())"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert int(out.stdout) < held.nbytes
