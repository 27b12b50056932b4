from hypothesis import given
from hypothesis import strategies as st

from irisrec.data.collect.journal import Journal


def test_answers_are_there_after_opening_again(tmp_path):
    with Journal(tmp_path / "j") as journal:
        journal.add("a", {"x": "é"})
        journal.add("b", None)
        journal.add("a", 2)
    with Journal(tmp_path / "j") as journal:
        assert ("a" in journal, journal["a"]) == (True, 2)
        assert ("b" in journal, journal["b"]) == (True, None)
        assert "c" not in journal


def test_an_answer_is_on_disk_before_the_next_is_asked(tmp_path):
    journal = Journal(tmp_path / "j")
    journal.add("a", 1)
    with Journal(tmp_path / "j") as other:
        assert other["a"] == 1


@given(st.integers(0, 200))
def test_whatever_a_kill_leaves_whole_lines_are_kept(tmp_path_factory, length):
    path = tmp_path_factory.mktemp("journal") / "j"
    with Journal(path) as journal:
        for i in range(5):
            journal.add(f"k{i}", "x" * 10)
    data = path.read_bytes()[:length]
    path.write_bytes(data)
    with Journal(path) as journal:
        assert len(journal) == data.count(b"\n")
        assert journal.unreadable == 0
        journal.add("new", 1)
    with Journal(path) as journal:
        assert journal["new"] == 1


def test_lines_that_cannot_be_read_are_counted(tmp_path):
    (tmp_path / "j").write_bytes(b'{"key": "a", "answer": 1}\nnonsense\n[]\n{"key": "b", "answer": 2}\n')
    with Journal(tmp_path / "j") as journal:
        assert (journal.unreadable, journal["a"], journal["b"]) == (2, 1, 2)
