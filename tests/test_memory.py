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


_EIGHT_THREADS = """
import ctypes, sys, threading
from pathlib import Path
from irisrec.memory import share_freed_memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 >> 20

shares = sys.argv[1] == "shared"
assert not shares or share_freed_memory()
libc = ctypes.CDLL("libc.so.6")
libc.malloc.restype, libc.malloc.argtypes, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_size_t], [ctypes.c_void_p]
turn, done = threading.Lock(), threading.Barrier(9)

def work():
    with turn:
        pieces = [libc.malloc(65536) for _ in range(256)]  # 16 MB
        for piece in pieces:
            ctypes.memset(piece, 1, 65536)
        libc.malloc(64)  # stays, above all of them
        for piece in pieces:
            libc.free(piece)
    done.wait()  # a thread that ends leaves its place to the next one

before = resident()
for _ in range(8):
    threading.Thread(target=work, daemon=True).start()
done.wait()
print(resident() - before)
"""


def test_threads_use_what_others_have_freed():
    if not share_freed_memory_works():
        pytest.skip("another C library")
    grown = {
        name: int(
            subprocess.run(
                [sys.executable, "-c", _EIGHT_THREADS, name], check=True, capture_output=True, text=True
            ).stdout
        )
        for name in ("shared", "apart")
    }
    assert grown["shared"] < 20 < 40 < grown["apart"]


def share_freed_memory_works() -> bool:
    code = "import sys; from irisrec.memory import share_freed_memory; sys.exit(not share_freed_memory())"
    return subprocess.run([sys.executable, "-c", code]).returncode == 0
