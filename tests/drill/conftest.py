"""One undisturbed run that faults are compared with, and the table of faults at the end."""

import datetime as dt
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.job_server import stand_in
from helpers.workflow import ROOT, TINY, copy_project, digests

PRODUCTS = (
    "results/tables/*.csv",
    "results/figures/**/*.csv",
    "results/scorecards/**/*.csv",
    "results/optimized/**/*.nc",
    "data/prepared/*.nc",
)
# Tables with the address of files, and figures, whose bytes hold dates, are not compared.
NOT_COMPARED = ("availability",)
DRILL = ROOT / "tests/config/drill.yaml"
# Snakemake with another Python for its jobs.
SNAKEMAKE = "import sys; sys.executable = sys.argv.pop(1); import snakemake.cli as c; c.main()"


def heed_signals():
    """Undo what nohup and a shell in the background do: ignore SIGHUP and SIGINT."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class Run:
    """A workflow in a folder, of the drill if nothing else is said; `python` runs its jobs."""

    def __init__(self, project, folder, python, settings=(TINY, DRILL)):
        self.project, self.folder, self.python = project, folder, python
        self.settings = settings
        folder.mkdir(parents=True, exist_ok=True)

    def command(self, *more, cores=2):
        settings = ("--configfile", *self.settings)
        start = (sys.executable, "-c", SNAKEMAKE, self.python)
        start += ("--snakefile", self.project / "Snakefile")
        return [str(part) for part in (*start, "--cores", cores, *settings, *more)]

    def start(self, *more, environment=None, **options):
        """Start it in a process group of its own; the output goes to a file."""
        with open(self.folder / "said.log", "a", encoding="utf-8") as said:
            return subprocess.Popen(
                self.command(*more, **options),
                cwd=self.folder,
                env=environment or os.environ,
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=heed_signals,
            )

    def finish(self, *more, environment=None, **options):
        """Run it to its end; return exit code and output."""
        ran = subprocess.run(
            self.command(*more, **options),
            cwd=self.folder,
            env=environment or os.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout

    def products(self):
        """Return the digest of each product by its path."""
        found = digests(self.folder, *PRODUCTS)
        return {name: made for name, made in found.items() if Path(name).stem not in NOT_COMPARED}


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("drill") / "project")


@pytest.fixture(scope="session")
def jobs():
    """Return the function that starts a process whose forks are jobs, with variables set."""
    with tempfile.TemporaryDirectory() as folder:

        def start(**environment):
            return stand_in(Path(tempfile.mkdtemp(dir=folder)), environment)

        yield start


@pytest.fixture(scope="session")
def python(jobs):
    return jobs()


@pytest.fixture(scope="session")
def undisturbed(project, python):
    """Return the products of a run that nothing disturbed."""
    run = Run(project, project.parent / "undisturbed", python)
    code, said = run.finish()
    assert code == 0, said
    products = run.products()
    assert len(products) > 20
    return products


@pytest.fixture
def run(project, tmp_path, python):
    return Run(project, tmp_path / "run", python)


@pytest.fixture
def tried(request):
    """Return the function that notes how often a fault was tried."""

    def note(number):
        request.node.user_properties.append(("tried", number))

    return note


def pytest_terminal_summary(terminalreporter):
    """Print the table of docs/reliability.md."""
    lines = []
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            properties = dict(getattr(report, "user_properties", []))
            fault = report.nodeid.rpartition("::")[2].removeprefix("test_").replace("_", " ")
            number = properties.get("tried", 1)
            survived = {"passed": f"{number} of {number}", "failed": "no", "skipped": "skipped"}
            lines.append(f"| {fault} | {number} | {survived[outcome]} |")
    if lines:
        revision = subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True
        ).stdout.strip()
        today = dt.datetime.now(tz=dt.UTC).date()
        terminalreporter.write_line(f"\nReliability drill, {today}, commit {revision}\n")
        terminalreporter.write_line("| fault | tried | survived |\n|---|---|---|")
        terminalreporter.write_line("\n".join(lines))
