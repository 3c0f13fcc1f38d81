"""Code is read only where nobody else can have written it, and old code does not pile up."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benne.code_cache import CodeCache

DAY = 86_400
STATE = "kernel-0123456789abcdef"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the cache will be."""
    return tmp_path / "cache" / "benne" / STATE


def unused(folder: Path, days: int) -> Path:
    """A folder with a file in it, last opened so many days ago."""
    folder.mkdir(parents=True)
    (folder / "code").write_bytes(b"old")
    then = time.time() - days * DAY
    os.utime(folder, (then, then))
    return folder


def test_what_is_written_is_read_and_what_is_not_is_none(folder: Path) -> None:
    cache = CodeCache(folder)
    cache.write("twice", b"code")
    assert (cache.read("twice"), cache.read("thrice")) == (b"code", None)
    cache.drop("twice")
    cache.drop("twice")
    assert cache.read("twice") is None


def test_every_folder_that_is_made_is_closed_to_everybody_else(folder: Path) -> None:
    before = os.umask(0)
    try:
        CodeCache(folder).write("twice", b"code")
    finally:
        os.umask(before)
    for made in (folder, folder.parent, folder.parent.parent):
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
    assert [stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()] == [0o600]


@pytest.mark.parametrize("opened", [0o770, 0o702, 0o777])
@pytest.mark.parametrize("above", [0, 1])
def test_a_folder_that_others_can_write_to_is_left_alone(folder: Path, opened: int, above: int, caplog) -> None:
    CodeCache(folder).write("twice", b"code")
    which = [folder, folder.parent][above]
    which.chmod(opened)
    cache = CodeCache(folder)
    assert cache.read("twice") is None
    cache.write("thrice", b"code")
    assert [file.name for file in folder.iterdir()] == ["twice"]
    assert f"closed to others for writing, got one that is not: {which}. Every process" in caplog.text
    assert caplog.text.count("\n") == 1


def test_a_place_where_anybody_can_exchange_folders_is_left_alone(folder: Path) -> None:
    CodeCache(folder).write("twice", b"code")
    folder.parent.parent.chmod(0o777)
    assert CodeCache(folder).read("twice") is None
    folder.parent.parent.chmod(0o1777)  # as /tmp
    assert CodeCache(folder).read("twice") == b"code"


@pytest.mark.parametrize("which", ["folder", "above", "file"])
def test_what_belongs_to_somebody_else_is_not_run(folder: Path, which: str, monkeypatch) -> None:
    CodeCache(folder).write("twice", b"code")
    theirs = {"folder": folder, "above": folder.parent, "file": folder / "twice"}[which]
    if os.geteuid() == 0:
        os.chown(theirs, 12345, -1)
    else:
        mine = os.geteuid()
        monkeypatch.setattr("os.geteuid", lambda: mine + 1)
    assert CodeCache(folder).read("twice") is None


def test_a_file_that_others_can_write_to_is_not_run(folder: Path) -> None:
    CodeCache(folder).write("twice", b"code")
    (folder / "twice").chmod(0o620)
    assert CodeCache(folder).read("twice") is None


def test_a_folder_that_nobody_used_for_thirty_days_goes_and_nothing_else(folder: Path) -> None:
    neighbours = folder.parent
    old = unused(neighbours / "kernel-aaaaaaaaaaaaaaaa", 31)
    half_removed = unused(neighbours / "kernel-bbbbbbbbbbbbbbbb.gone-7_8", 31)
    kept = [
        unused(neighbours / "kernel-cccccccccccccccc", 29),
        unused(neighbours / "somebody's own notes", 400),
        unused(neighbours / "kernel", 400),
    ]
    neighbours.chmod(0o700)
    CodeCache(folder).write("twice", b"code")
    assert not old.exists()
    assert not half_removed.exists()
    assert sorted(neighbours.iterdir()) == sorted([*kept, folder])


def test_using_a_folder_keeps_it(folder: Path) -> None:
    unused(folder, 31)
    folder.parent.chmod(0o700)
    folder.chmod(0o700)
    CodeCache(folder).read("twice")
    CodeCache(folder.with_name("kernel-ffffffffffffffff")).read("twice")
    assert (folder / "code").exists()


def test_a_folder_that_another_process_removes_is_as_good_as_empty(folder: Path) -> None:
    cache = CodeCache(folder)
    cache.write("twice", b"code")
    folder.rename(folder.with_name(f"{STATE}.gone-1_1"))
    assert cache.read("twice") is None
    cache.write("twice", b"code")
    cache.drop("twice")
    assert not folder.exists()


def test_many_processes_remove_and_write_at_once(folder: Path) -> None:
    for number in range(40):
        unused(folder.parent / f"kernel-{number:016x}", 31)
    folder.parent.chmod(0o700)
    code = (
        "import sys; from pathlib import Path; from benne.code_cache import CodeCache\n"
        "for k in range(50):\n"
        "    cache = CodeCache(Path(sys.argv[1])); cache.write('twice', b'code' * 1000)\n"
        "    assert cache.read('twice') in (None, b'code' * 1000), k\n"
    )
    running = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(folder)], stderr=subprocess.PIPE)
        for _ in range(4)
    ]
    assert [process.communicate()[1] for process in running] == [b""] * 4
    assert [one.name for one in folder.parent.iterdir()] == [STATE]
    assert [one.name for one in folder.iterdir()] == ["twice"]
