"""The library is compiled once, loaded from nobody else, and done without where it cannot be had."""

import subprocess
import sys

import pytest

from irisrec.native import library as native
from irisrec.native.library import compiler, compiling, library

needs_compiler = pytest.mark.skipif(compiler() is None, reason="no C++ compiler on this machine")
BESIDE = """
import os, sys, torch
from irisrec.native.library import compiling, library
from irisrec.native.lists import Lists, row_sums
torch.set_num_threads(3)
table = torch.arange(40_000.0).view(100, 400)
lists = Lists.of(torch.arange(100).repeat(300), torch.arange(301) * 100, None)

def sums():
    with compiling(True):
        return row_sums(library(), table, lists)

assert torch.equal(sums()[7], table.sum(0))
"""


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache folder of its own, and a process that has loaded nothing yet."""
    monkeypatch.setenv("IRISREC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CXX", raising=False)
    for name, value in (("_loaded", None), ("_failed", False), ("_looked", False)):
        monkeypatch.setattr(native, name, value)
    return tmp_path / "cache"


def forget(monkeypatch):
    """Begin as a new process would."""
    monkeypatch.setattr(native, "_loaded", None)
    monkeypatch.setattr(native, "_looked", False)


def program(folder, text):
    path = folder / "compiler"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def said(capsys):
    return capsys.readouterr().err.strip().splitlines()


@needs_compiler
def test_it_is_compiled_once_and_said_once(cache, monkeypatch, capsys):
    with compiling(True):
        assert library() is not None
        assert len(said(capsys)) == 1
        forget(monkeypatch)
        assert library() is not None
        assert said(capsys) == []
    assert len(list(cache.rglob("*.so"))) == 1


@needs_compiler
def test_it_is_used_unasked_where_it_is_there_already_or_worth_compiling(cache, monkeypatch):
    assert library() is None
    assert library() is None
    assert library(worth_compiling=True) is not None
    forget(monkeypatch)
    assert library() is not None
    with compiling(False):
        assert library(worth_compiling=True) is None


@needs_compiler
def test_a_damaged_file_is_compiled_anew_and_never_loaded(cache, monkeypatch, capsys):
    with compiling(True):
        library()
        (path,) = cache.rglob("*.so")
        whole = path.read_bytes()
        path.unlink()  # and not overwritten: this process has it in its memory
        path.write_bytes(whole[: len(whole) // 2])
        path.chmod(0o700)
        said(capsys)
        forget(monkeypatch)
        assert library() is not None
    assert path.read_bytes() == whole
    assert "compiling" in said(capsys)[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("echo 'no such option: -march' >&2; exit 1", "no such option: -march"),
        ("exit 0", "exit 0"),
        ('for last; do :; done; while [ "$1" != -o ]; do shift; done; echo nothing > "$2"', "file too short"),
    ],
    ids=["fails", "makes nothing", "makes no library"],
)
def test_a_failing_compiler_is_told_once_and_done_without(text, reason, cache, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("CXX", program(tmp_path, text))
    with compiling(True):
        assert library() is None
        assert library() is None
    lines = said(capsys)
    assert len(lines) == 2, lines
    assert reason in lines[1]
    assert "without them" in lines[1]


def test_no_compiler_is_no_reason_to_say_anything(cache, monkeypatch, capsys):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with compiling(True):
        assert library() is None
    assert said(capsys) == []


def test_a_cache_that_cannot_be_written_is_told_once(cache, capsys):
    cache.write_text("a file where the folder should be")
    with compiling(True):
        assert library() is None
        assert library() is None
    (line,) = said(capsys)
    assert str(cache) in line


@needs_compiler
@pytest.mark.parametrize("what", ["the folder", "the file", "the folder above"])
def test_nothing_is_loaded_that_others_may_write_to(what, cache, monkeypatch, capsys):
    with compiling(True):
        library()
        forget(monkeypatch)
        said(capsys)
        (path,) = cache.rglob("*.so")
        open_to_all = {"the file": path, "the folder": path.parent, "the folder above": cache}[what]
        open_to_all.chmod(0o777)
        assert library() is None
    (line,) = said(capsys)
    assert f"others may write to {open_to_all}" in line


@needs_compiler
def test_processes_that_begin_at_once_share_the_folder(cache):
    running = [subprocess.Popen([sys.executable, "-c", BESIDE], stderr=subprocess.PIPE) for _ in range(3)]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert len([p for p in cache.rglob("*") if p.is_file()]) == 2


@needs_compiler
def test_a_forked_process_has_threads_of_its_own(cache):
    code = BESIDE + (
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os._exit(0 if sums()[3, 0].item() == sum(table[:, 0].tolist()) else 1)\n"
        "assert os.waitpid(pid, 0)[1] == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
