"""Jobs reuse the memory of arrays that they freed."""

import platform
import subprocess
import sys

import pytest

from helpers.workflow import ROOT

N_ARRAYS, N_BYTES = 20, 50_000_000
PROGRAM = f"""
import resource, sys
import numpy as np
from scorebounds.core.joblog import job_log

def fill():
    for _ in range({N_ARRAYS}):
        np.ones({N_BYTES} // 8)

def new_pages(work):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    work()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = new_pages(fill)
with job_log(sys.argv[1]):
    fill()
    in_job = new_pages(fill)
print(usual * resource.getpagesize(), in_job * resource.getpagesize())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_a_job_reuses_the_memory_of_arrays_that_it_freed(tmp_path):
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path / "job.log"],
        env={"PYTHONPATH": str(ROOT / "workflow/scripts")},
        capture_output=True,
        text=True,
        check=True,
    )
    usual, in_job = map(int, ran.stdout.split())
    assert in_job < N_BYTES
    # Where the kernel gives large pages to all arrays, there is nothing to save.
    assert usual > 5 * in_job or usual < N_BYTES
