import numpy as np
import pytest

from irisrec import budget
from irisrec.budget import at_once, bytes_left, memory_budget, parse_bytes, resident_memory
from irisrec.errors import ConfigError
from irisrec.memory import give_back


@pytest.mark.parametrize("text", ["", "GB", "2 parsecs", "0", "-1GB", "1.2.3GB"])
def test_a_budget_that_is_none_is_refused_with_its_value(text):
    with pytest.raises(ConfigError, match="memory budget"):
        parse_bytes(text)


def test_what_is_left_is_the_budget_without_what_the_process_has(monkeypatch):
    with memory_budget("1kB"):
        assert bytes_left() == 0  # any process has more
    monkeypatch.setattr(budget, "resident_memory", lambda: 300)
    with memory_budget(1000):
        assert bytes_left() == 700


def test_what_the_process_has_grows_with_what_it_holds():
    give_back()  # else the allocator may take what was freed before
    before = resident_memory()
    held = np.ones(256 << 20, np.int8)
    assert resident_memory() - before > held.nbytes // 2


def test_without_a_budget_no_more_is_taken_than_is_free():
    assert 0 < bytes_left() < budget.free_memory()


def test_a_control_group_limits_what_is_free(tmp_path, monkeypatch):
    (tmp_path / "memory.max").write_text("3000\n")
    (tmp_path / "memory.current").write_text("1000\n")
    monkeypatch.setattr(budget, "_CGROUP", tmp_path)
    assert budget.free_memory() == 2000
    (tmp_path / "memory.max").write_text("max\n")
    assert budget.free_memory() > 1 << 20


def test_blocks_fit_and_are_powers_of_two(monkeypatch):
    monkeypatch.setattr(budget, "bytes_left", lambda: 1000)
    assert at_once(10, 100) == 10
    assert at_once(1000, 10) == 64
    assert at_once(1000, 10, share=0.5) == 32
    assert at_once(1000, 10, reserve=900) == 8
    assert at_once(1000, 5000) == 1
    assert at_once(0, 1) == 0
