"""After a kill and, where Snakemake says so, `--unlock`, the same command gives the same bytes."""

import contextlib
import os
import random
import signal
import time

import psutil

N_KILLS = 3


def wait_for(condition, process, seconds=300):
    """Wait until a condition holds; return whether it did before the process ended."""
    end = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.002)
    return False


def jobs_of(process):
    """Return the processes that run scripts."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return [
            child
            for child in psutil.Process(process.pid).children(recursive=True)
            if any(".snakemake/scripts/" in part for part in child.cmdline())
        ]
    return []


def kill_group(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def finish(run):
    """Unlock and repeat the command, as its message asks."""
    code, said = run.finish("--unlock")
    assert code == 0, said
    code, said = run.finish()
    assert code == 0, said
    return run.products()


def test_everything_killed_at_random_times(run, undisturbed, tried):
    times = random.Random(0)
    for _ in range(N_KILLS):
        process = run.start()
        wait_for(lambda process=process: jobs_of(process), process)
        time.sleep(times.uniform(0, 6))
        kill_group(process)
        run.finish("--unlock")
    tried(N_KILLS)
    assert finish(run) == undisturbed


def test_everything_killed_while_a_file_is_written(run, undisturbed, tried):
    outputs = (
        "data/prepared/simulated-pfc.nc",
        "results/optimized/simulated-pfc/cka.nc",
        "results/scorecards/simulated-pfc/rnn-context.scores.csv",
    )
    for output in outputs:
        file = run.folder / output
        file.unlink(missing_ok=True)
        process = run.start()
        seen = wait_for(file.exists, process)
        kill_group(process)
        assert seen, (run.folder / "said.log").read_text()
        run.finish("--unlock")
    tried(len(outputs))
    assert finish(run) == undisturbed


def test_a_single_job_killed(run, undisturbed, tried):
    for number in range(N_KILLS):
        process = run.start("--keep-going")
        found = []
        wait_for(
            lambda process=process, found=found: found.extend(jobs_of(process)) or found, process
        )
        time.sleep(0.5 * number)
        for job in found[:1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                job.kill()
        process.wait()
    tried(N_KILLS)
    code, said = run.finish()
    assert code == 0, said
    assert run.products() == undisturbed


def test_the_main_process_killed_while_its_jobs_go_on(run, undisturbed, tried):
    for _ in range(N_KILLS):
        process = run.start()
        wait_for(lambda process=process: jobs_of(process), process)
        time.sleep(1)
        process.kill()
        process.wait()
        run.finish("--unlock")
    tried(N_KILLS)
    assert finish(run) == undisturbed


def locks_of(run):
    return list(run.folder.glob(".snakemake/locks/*"))


def interrupt(run, undisturbed, tried, signals, send):
    """Send each signal to a new run; no lock may remain, and the next run finishes the work."""
    for number in signals:
        process = run.start()
        assert wait_for(lambda process=process: jobs_of(process), process)
        send(process.pid, number)
        assert process.wait() != 0
        assert not locks_of(run), number
    tried(len(signals))
    code, said = run.finish()
    assert code == 0, said
    assert run.products() == undisturbed


def test_a_signal_leaves_no_lock(run, undisturbed, tried):
    signals = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
    interrupt(run, undisturbed, tried, signals, os.kill)


def test_a_signal_before_the_first_job_leaves_no_lock(run, undisturbed, tried):
    """With the first lock, and while jobs are chosen."""
    signals = (signal.SIGHUP, signal.SIGTERM)
    log = run.folder / "said.log"
    for number in signals:
        for begun in (lambda: locks_of(run), lambda: "Select jobs to" in log.read_text()):
            log.unlink(missing_ok=True)
            process = run.start()
            assert wait_for(begun, process)
            os.kill(process.pid, number)
            assert process.wait(300) != 0
            assert not locks_of(run), number
    tried(2 * len(signals))
    assert finish(run) == undisturbed


def test_ctrl_c_and_a_closed_terminal_leave_no_lock(run, undisturbed, tried):
    """Both signals go to the jobs, too."""
    interrupt(run, undisturbed, tried, (signal.SIGINT, signal.SIGHUP), os.killpg)


def test_everything_deleted_is_made_again(run, undisturbed, tried):
    code, said = run.finish()
    assert code == 0, said
    patterns = ("tables/*", "figures/**/*.*", "data/*", "scorecards/*/*", "*.html")
    made = [path for pattern in patterns for path in (run.folder / "results").glob(pattern)]
    for path in made:
        path.unlink()
    code, said = run.finish()
    assert code == 0, said
    tried(len(made))
    assert [path for path in made if not path.is_file()] == []
    assert run.products() == undisturbed
