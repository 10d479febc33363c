"""What the rules ask of a scheduler beside what their jobs took, of a finished run.

    .venv/bin/python benchmarks/resources.py --directory FOLDER [--configfile FILE]

Prints a row per rule with the job that asked for the most beside what it used, of memory and of
time. Ends with 1 if a job used more than it asked for, or asked for more than four times what it
used and more than the floor.
"""

import argparse
import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
LARGEST_RATIO = 4
# Asking for this little is never too much: an idle Python or torch, and the minutes of a queue.
FLOORS = {"mem_mb": 1000, "runtime": 5}


class Asked(NamedTuple):
    """One job: its rule, its benchmark file, and what it asks for and used by resource."""

    rule: str
    benchmark: str
    requested: dict[str, float]
    used: dict[str, float]

    def ratio(self, resource):
        """Return how many times what was used was asked for."""
        return self.requested[resource] / max(self.used[resource], 1e-9)

    def is_short(self, resource):
        """Tell whether more was used than asked for."""
        return self.used[resource] > self.requested[resource]

    def is_lavish(self, resource):
        """Tell whether far more was asked for than used."""
        allowed = max(FLOORS[resource], LARGEST_RATIO * self.used[resource])
        return self.requested[resource] > allowed


def planned_jobs(folder, options):
    """Yield rule, benchmark file and requests of every job, as a dry run tells them."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--dry-run"]
    command += ["--forceall", "--nolock", "--directory", folder, *options]
    told = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    for block in re.split(r"(?m)^(?=(?:local)?rule )", told):
        rule = re.match(r"(?:local)?rule (\w+):", block)
        benchmark = re.search(r"(?m)^ +benchmark: (.*)$", block)
        resources = re.search(r"(?m)^ +resources: (.*)$", block)
        if rule and benchmark and resources:
            found = dict(part.split("=", 1) for part in resources[1].split(", "))
            yield rule[1], benchmark[1], {name: found[name] for name in FLOORS}


def used(path):
    """Return the largest memory in MB and the minutes of a benchmark file."""
    with path.open(encoding="utf-8", newline="") as file:
        row = list(csv.DictReader(file, delimiter="\t"))[-1]
    measured = row["max_rss"]
    memory = float(measured) if re.fullmatch(r"[\d.]+", measured) else 0.0
    return {"mem_mb": memory, "runtime": float(row["s"]) / 60}


def numbers(requested):
    """Return requests as numbers; those of a job that has run are known."""
    return {name: float(value) for name, value in requested.items()}


def compare(folder, options):
    """List the jobs of a finished run, with what they asked for and used."""
    return [
        Asked(rule, benchmark, numbers(requested), used(folder / benchmark))
        for rule, benchmark, requested in planned_jobs(folder, options)
        if (folder / benchmark).exists()
    ]


def table(jobs):
    """Return the lines of a table in Markdown: per rule the job that comes nearest to its limit."""
    yield "| rule | jobs | MB asked | MB used | ratio | minutes asked | minutes used | ratio |"
    yield "|---|---|---|---|---|---|---|---|"
    for rule in sorted({job.rule for job in jobs}):
        own = [job for job in jobs if job.rule == rule]
        cells = []
        for resource, digits in (("mem_mb", 0), ("runtime", 2)):
            job = max(own, key=lambda one: one.used[resource])
            ratio = job.ratio(resource)
            cells += [f"{job.requested[resource]:.0f}", f"{job.used[resource]:.{digits}f}"]
            cells.append(f"{ratio:.1f}" if ratio < 100 else "> 100")
        yield f"| `{rule}` | {len(own)} | {' | '.join(cells)} |"


def faults(jobs):
    """Yield a sentence for each job that asked for too little or for far too much."""
    for job in jobs:
        for resource in FLOORS:
            for wrong, word in ((job.is_short, "too little"), (job.is_lavish, "too much")):
                if wrong(resource):
                    yield (
                        f"{job.benchmark}: asked for {word} {resource}, "
                        f"{job.requested[resource]:.0f} where {job.used[resource]:.1f} were used"
                    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--directory", type=Path, required=True)
    arguments, options = parser.parse_known_args()
    jobs = compare(arguments.directory.resolve(), options)
    print("\n".join(table(jobs)))
    wrong = list(faults(jobs))
    print("\n".join(wrong), file=sys.stderr)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
