"""The Slurm profile on a real cluster of one node: cancelled, killed and failed jobs and all.

SCOREBOUNDS_SLURM names a folder with start-slurm.sh, which starts a cluster and prints `export`
lines, and stop-slurm.sh. Where SLURM_CONF is set already, that cluster is taken, and if it keeps
accounts (start-accounting.sh), jobs are asked for with sacct.
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from helpers.clusters import PROBE, begin, digests, needs_plugin, results_of_one_machine
from helpers.workflow import ROOT, TINY, snakemake

PROFILE = ("--workflow-profile", ROOT / "profiles/slurm")


def keeps_accounts():
    """Tell whether the cluster has a database that sacct asks."""
    command = ["scontrol", "show", "config"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return "accounting_storage/slurmdbd" in shown


def here():
    """Ask with squeue where the cluster keeps no accounts; do not wait for slow file systems."""
    asked = () if keeps_accounts() else ("--slurm-status-command", "squeue")
    return (*asked, "--latency-wait", 10, "--slurm-init-seconds-before-status-checks", 3)


def started(scripts, folder):
    """Start the cluster and return the variables that it is found by."""
    environment = {**os.environ, "SLURM_TEST_DIR": str(folder)}
    finished = subprocess.run(
        [scripts / "start-slurm.sh"], env=environment, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        subprocess.run([scripts / "stop-slurm.sh"], env=environment, check=False)
        pytest.skip(f"no Slurm could be started: {finished.stderr.strip().splitlines()[-1]}")
    return dict(re.findall(r"(?m)^export (\w+)=(.*)$", finished.stdout))


@pytest.fixture(scope="module", autouse=True)
def cluster():
    needs_plugin("slurm")
    scripts = os.environ.get("SCOREBOUNDS_SLURM")
    if not scripts:
        if not (os.environ.get("SLURM_CONF") and shutil.which("sbatch")):
            pytest.skip("needs Slurm: set SCOREBOUNDS_SLURM to the folder of start-slurm.sh")
        yield
        return
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        # Slurm's own users have to get to its sockets.
        Path(place).chmod(0o755)
        for name, value in started(Path(scripts).resolve(), Path(place) / "run").items():
            patch.setenv(name, value)
        yield
        subprocess.run([Path(scripts) / "stop-slurm.sh"], check=True, capture_output=True)


def jobs(*states):
    """List the numbers of jobs in some states."""
    command = ["squeue", "--noheader", "--format=%A", "--states", ",".join(states)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def wait_for_none():
    """Wait until no job is left; the cluster itself ends one after its time."""
    while jobs("RUNNING", "PENDING", "COMPLETING"):
        time.sleep(1)


def submissions(folder):
    return len(re.findall("submitted with SLURM jobid", (folder / "said.log").read_text()))


def wait_for_running(run, folder, group):
    """Wait until a job of a group of a run runs, and return its number."""
    while True:
        has_ended = run.poll() is not None
        said = (folder / "said.log").read_text()
        submitted = re.findall(rf"SLURM jobid (\d+) \(log: .*group_{group}", said)
        if running := set(submitted) & set(jobs("RUNNING")):
            return running.pop()
        assert not has_ended, said
        time.sleep(1)


def test_cancelled_jobs_and_a_killed_run_end_in_the_same_results(tmp_path):
    first = begin(*PROFILE, *here(), folder=tmp_path)
    try:
        subprocess.run(["scancel", wait_for_running(first, tmp_path, "prepare")], check=True)
        if keeps_accounts():
            # sacct says "CANCELLED by" whom, which the plugin does not know: it waits for the job.
            wait_for_none()
        else:
            # The job is submitted again, or there would be nothing to optimise.
            wait_for_running(first, tmp_path, "optimize")
    finally:
        first.kill()
        first.wait()
    said = (tmp_path / "said.log").read_text()
    prepared = len(re.findall(r"SLURM jobid \d+ \(log: .*group_prepare", said))
    assert ("Error in group prepare" in said, prepared) == (
        (False, 1) if keeps_accounts() else (True, 2)
    )
    # What docs/clusters.md says: cancel what is left, unlock, and the same command again.
    if left := jobs("RUNNING", "PENDING"):
        subprocess.run(["scancel", *left], check=True)
    wait_for_none()
    assert begin(*PROFILE, "--unlock", folder=tmp_path).wait() == 0
    second = begin(*PROFILE, *here(), folder=tmp_path)
    assert second.wait() == 0, (tmp_path / "said.log").read_text()
    assert submissions(tmp_path) <= 20
    assert digests(tmp_path) == results_of_one_machine()


def test_group_asks_for_the_largest_memory_and_the_sum_of_times(tmp_path):
    targets = [f"results/layers/networks/{number}.nc" for number in (1, 2)]
    assert begin(*PROFILE, *here(), "--", *targets, folder=tmp_path).wait() == 0
    said = (tmp_path / "said.log").read_text()
    (number,) = re.findall(r"SLURM jobid (\d+)", said)
    first, second = re.findall(r"mem_mb=(\d+)", said)
    shown = subprocess.run(
        ["scontrol", "show", "job", number], capture_output=True, text=True, check=True
    ).stdout
    assert f"MinMemoryNode={max(int(first), int(second))}M" in shown
    assert "TimeLimit=00:10:00" in shown
    assert "NumCPUs=1 " in shown


def test_job_that_dies_gets_more_memory(tmp_path):
    snakefile = tmp_path / "Snakefile"
    say = "scontrol show job $SLURM_JOB_ID | grep -o 'MinMemoryNode=[^ ]*'"
    snakefile.write_text(PROBE.format(say=say))
    result = snakemake(*PROFILE, *here(), folder=tmp_path, root=tmp_path)
    assert result.returncode == 0, result.said
    assert "MinMemoryNode=400M" in (tmp_path / "probe.txt").read_text()
    assert result.said.count("submitted with SLURM jobid") == 2


def test_jobs_need_no_python_on_the_path(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin:/bin")
    options = (*PROFILE, *here(), "--configfile", TINY)
    result = snakemake(*options, "--", "results/data/two-fans.md", folder=tmp_path)
    assert result.returncode == 0, result.said


def test_cuda_asks_the_scheduler_for_a_gpu(tmp_path):
    target = "results/optimized/two-fans/cka.nc"
    options = (*PROFILE, *here(), "--retries", 0, "--configfile", TINY, "--config", "device=cuda")
    result = snakemake(*options, "--", target, folder=tmp_path)
    # A cluster for tests has none and refuses the job, which it takes with `device: auto`.
    assert result.returncode == 1
    assert "gpu=1" in result.said
    assert re.findall(r"SLURM jobid \d+ \(log: .*group_(\w+?)_", result.said) == ["prepare"]
