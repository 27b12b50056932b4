from __future__ import annotations

import threading

import pytest
import torch

from irisrec.features.encoders.slices import on_all_cores


@pytest.fixture
def two_cores():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_cores")
def test_slices_run_side_by_side_each_on_one_core_and_keep_their_order():
    together = threading.Barrier(2, timeout=30)

    def work(part: int) -> tuple[int, int]:
        together.wait()
        return part, torch.get_num_threads()

    assert on_all_cores(work, list(range(8))) == [(part, 1) for part in range(8)]


@pytest.mark.usefixtures("two_cores")
def test_the_number_of_threads_is_as_it_was_also_after_an_error():
    with pytest.raises(ZeroDivisionError):
        on_all_cores(lambda part: 1 / part, [1, 0])
    found = [torch.get_num_threads()]
    later = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    later.start()
    later.join()
    assert found == [2, 2]


@pytest.mark.usefixtures("two_cores")
def test_a_single_slice_has_all_cores():
    assert on_all_cores(lambda part: (part, torch.get_num_threads()), ["all"]) == [("all", 2)]
