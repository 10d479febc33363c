"""A job that fails for a reason that a user can remove ends with one sentence."""

import errno
import os
import subprocess
import sys

import pytest

from helpers.workflow import ROOT
from scorebounds.core import integrity
from scorebounds.core.joblog import job_log, sentence
from scorebounds.core.tables import write_dataset

JOB = """
import sys
from scorebounds.core.joblog import job_log
with job_log(sys.argv[1]):
    {work}
"""


def run_job(folder, log, work):
    return subprocess.run(
        [sys.executable, "-c", JOB.format(work=work), log],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ("raise ValueError('x: expected 3 rows,\\n got 2')", "x: expected 3 rows, got 2"),
        ("open('none/table.csv', 'w')", "[Errno 2] No such file or directory: 'none/table.csv'"),
        ("open('file/table.csv', 'w')", "file/table.csv: Not a directory; there is a file where"),
        ("open('folder', 'w')", "folder: Is a directory; there is a folder where a file is need"),
        ("raise OSError(28, 'x', 'a.nc')", "a.nc: No space left on device; the disk is full: free"),
        ("raise RuntimeError('x (errno = 28, y)')", "No space left on device; the disk is full"),
        ("raise MemoryError('cannot allocate 1 TiB')", "out of memory: cannot allocate 1 TiB; use"),
        ("raise MemoryError", "out of memory: no more could be allocated; use less data, or give"),
        (
            "import torch; torch.empty(10**15)",
            "out of memory: 4000000000000000 bytes could not be allocated; use less data, or give",
        ),
        (
            "import torch; raise torch.OutOfMemoryError('CUDA out of memory. Tried to allocate "
            "20.00 GiB. GPU 0 has a total capacity of 9 GiB')",
            "out of memory: 20.00 GiB could not be allocated; use less data, or give the job more",
        ),
        ("raise RuntimeError('CUDA error: out of memory')", "out of memory: no more could be all"),
    ],
)
def test_error_that_a_user_can_remove_is_one_sentence(tmp_path, work, said):
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    done = run_job(tmp_path, "logs/a/job.log", work)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {said}")
    assert "Traceback" in (tmp_path / "logs/a/job.log").read_text()


def test_fault_that_follows_from_a_full_disk_is_one_sentence(tmp_path):
    work = (
        "exec(\"try:\\n raise OSError(28, 'x', 'a.pdf')\\n"
        "finally:\\n raise AttributeError('closed twice')\")"
    )
    done = run_job(tmp_path, "job.log", work)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: a.pdf: No space left on device; the disk is full")
    assert "AttributeError" in (tmp_path / "job.log").read_text()


def test_fault_of_the_program_keeps_its_traceback(tmp_path):
    done = run_job(tmp_path, "job.log", "raise KeyError('x')")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "KeyError: 'x'"


def test_file_in_place_of_the_folder_of_logs_is_one_sentence(tmp_path):
    (tmp_path / "results").touch()
    done = run_job(tmp_path, "results/logs/job.log", "print('never')")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: results/logs: Not a directory; there is a file where a folder")


def test_folder_of_logs_without_permission_is_one_sentence(tmp_path, monkeypatch, capsys):
    # A superuser may write everywhere, so the system's answer is put in.
    def refused(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "results/logs")

    monkeypatch.setattr("pathlib.Path.mkdir", refused)
    with pytest.raises(SystemExit), job_log(str(tmp_path / "results/logs/job.log")):
        pass
    assert capsys.readouterr().err == (
        "error: results/logs: Permission denied; this user may not write or read there: change "
        "the permissions of the folder\n"
    )


def test_array_that_does_not_fit_on_the_disk_is_not_begun(tmp_path, monkeypatch):
    xr = pytest.importorskip("xarray")
    full = type("Usage", (), {"free": 7})
    monkeypatch.setattr(integrity.shutil, "disk_usage", lambda _: full)
    with pytest.raises(OSError, match=r"No space left on device") as error:
        write_dataset(tmp_path / "a.nc", xr.Dataset({"x": ("row", [1.0])}))
    assert sentence(error.value).startswith(f"{tmp_path / 'a.nc'}: No space left on device; the")
    assert list(tmp_path.iterdir()) == []


def test_the_backend_of_the_user_does_not_end_a_job():
    lines = "import scorebounds.core.joblog, matplotlib as mpl; print(mpl.get_backend())"
    ran = subprocess.run(
        [sys.executable, "-c", lines],
        env={**os.environ, "MPLBACKEND": "nonsense"},
        cwd=ROOT / "workflow/scripts",
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.strip().lower() == "agg"
