"""Full disks, read-only or missing folders, two runs at once: one sentence, or the same bytes."""

import contextlib
import os
import subprocess
import time

import pytest


@contextlib.contextmanager
def small_disk(folder, size):
    """Mount a file system in memory of a size; skip without the right to."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    made = subprocess.run(mount, capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"needs the right to mount a file system: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def remount(folder, options):
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


def fills_and_goes_on(run, folder, sentences, undisturbed, tried):
    """Run on a disk of each size, which ends in one of its sentences, then on a large one."""
    for size, expected in sentences.items():
        remount(folder, f"size={size}")
        code, said = run.finish("--keep-going")
        assert code != 0
        assert any(sentence in said for sentence in expected), said
        assert "Traceback" not in said, said
        run.finish("--unlock")
    tried(len(sentences))
    remount(folder, "size=500m")
    code, said = run.finish()
    assert code == 0, said
    assert run.products() == undisturbed


def test_the_disk_fills(run, undisturbed, tried):
    full = ("No space left on device", "disk is full")
    with small_disk(run.folder / "results", "200k") as folder:
        sentences = dict.fromkeys(("200k", "600k", "1500k"), full)
        fills_and_goes_on(run, folder, sentences, undisturbed, tried)


def test_the_disk_of_the_whole_folder_fills(run, undisturbed, tried):
    """Here Snakemake's own records do not fit either."""
    full = ("No space left",)
    sentences = {"500k": ("expected 1 MB of free space",), "1500k": full, "3m": full}
    with small_disk(run.folder, "16k") as folder:
        fills_and_goes_on(run, folder, sentences, undisturbed, tried)


def test_results_cannot_be_written_to(run, undisturbed, tried):
    with small_disk(run.folder / "results", "500m") as folder:
        remount(folder, "ro")
        code, said = run.finish()
        assert code != 0
        assert "expected a folder that this user can write to" in said, said
        assert "Traceback" not in said, said
        tried(1)
        remount(folder, "rw")
        code, said = run.finish()
        assert code == 0, said
        assert run.products() == undisturbed


def test_no_home_and_no_folder_for_temporary_files(run, undisturbed, tried):
    away = {name: value for name, value in os.environ.items() if name not in ("HOME", "TMPDIR")}
    code, said = run.finish(environment={**away, "TMPDIR": "/nowhere"})
    assert code == 0, said
    tried(1)
    assert run.products() == undisturbed


def test_a_second_run_at_the_same_time_is_refused(run, undisturbed, tried):
    first = run.start()
    locks = run.folder / ".snakemake/locks"
    while first.poll() is None and not list(locks.glob("*")):
        time.sleep(0.01)
    code, said = run.finish()
    assert code != 0
    assert "--unlock" in said
    assert "Traceback" not in said, said
    assert first.wait() == 0, (run.folder / "said.log").read_text()
    tried(1)
    assert run.products() == undisturbed
