"""The cluster-generic profile, with a small scheduler that runs its jobs on this machine."""

import subprocess
import time

import pytest

from helpers.clusters import (
    PROBE,
    begin,
    digests,
    needs_plugin,
    results_of_one_machine,
    write_program,
)
from helpers.workflow import ROOT, snakemake

PROFILE = ("--workflow-profile", ROOT / "profiles/cluster-generic")
SUBMIT = """#!/bin/bash
exec 9> "{home}/lock"; flock 9
number=$(($(ls -d "{home}"/job* 2> /dev/null | wc -l) + 1))
mkdir "{home}/job$number"
setsid bash -c 'bash "$1" > "$2/out" 2>&1; echo $? > "$2/end"' - "${{!#}}" "{home}/job$number" \\
    < /dev/null > /dev/null 2>&1 9>&- &
echo $! > "{home}/job$number/process"
echo $number
"""
STATUS = """#!/bin/bash
if [ ! -f "{home}/job$1/end" ]; then echo running
elif [ "$(cat "{home}/job$1/end")" = 0 ]; then echo success
else echo failed; fi
"""
CANCEL = """#!/bin/bash
for number in "$@"; do
    kill -- "-$(cat "{home}/job$number/process")"
    echo cancelled > "{home}/job$number/end"
done
"""


@pytest.fixture
def scheduler(tmp_path):
    """Write the scheduler's three programs, and return its folder and Snakemake's options."""
    needs_plugin("cluster-generic")
    home = tmp_path / "scheduler"
    home.mkdir()
    options = [
        *PROFILE,
        "--latency-wait",
        "5",
        "--seconds-between-status-checks",
        "1",
        "--jobs",
        "2",
    ]
    for name, text in (("submit", SUBMIT), ("status", STATUS), ("cancel", CANCEL)):
        write_program(home / name, text.format(home=home))
        options += [f"--cluster-generic-{name}-cmd", str(home / name)]
    return home, options


def test_job_that_dies_gets_more_memory(tmp_path, scheduler):
    _, options = scheduler
    (tmp_path / "Snakefile").write_text(PROBE.format(say="echo {resources.mem_mb}"))
    result = snakemake(*options, folder=tmp_path, root=tmp_path)
    assert result.returncode == 0, result.said
    assert (tmp_path / "probe.txt").read_text() == "400\n"


def test_cancelled_job_and_a_killed_run_end_in_the_same_results(tmp_path, scheduler):
    home, options = scheduler
    first = begin(*options, folder=tmp_path)
    while not (home / "job1").exists():
        time.sleep(0.2)
    subprocess.run([home / "cancel", "1"], check=True)
    while not (home / "job4").exists():
        assert first.poll() is None, (tmp_path / "said.log").read_text()
        time.sleep(0.2)
    first.kill()
    first.wait()
    for number in ("2", "3", "4"):
        if not (home / f"job{number}/end").exists():
            subprocess.run([home / "cancel", number], check=True)
    assert begin(*options, "--unlock", folder=tmp_path).wait() == 0
    assert begin(*options, folder=tmp_path).wait() == 0, (tmp_path / "said.log").read_text()
    assert digests(tmp_path) == results_of_one_machine()
    assert len(list(home.glob("job*"))) <= 25
