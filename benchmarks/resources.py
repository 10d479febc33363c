"""Compare what the rules request from a scheduler with what their jobs used in a finished run.

    .venv/bin/python benchmarks/resources.py --directory FOLDER [--configfile FILE]

Prints a row per rule with the job that used the most memory and the one that used the most time.
Exits with 1 if a job used more than it requested, or requested more than the floor and more than
four times what it used.
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
# Requests up to these are never too large: torch alone needs as much, and queues count minutes.
FLOORS = {"mem_mb": 1000, "runtime": 5}


class FinishedJob(NamedTuple):
    """One job: its rule, its benchmark file, and what it requested and used by resource."""

    rule: str
    benchmark: str
    requested: dict[str, float]
    used: dict[str, float]

    def ratio(self, resource):
        """Return the request divided by what was used."""
        return self.requested[resource] / max(self.used[resource], 1e-9)

    def is_short(self, resource):
        """Tell whether more was used than requested."""
        return self.used[resource] > self.requested[resource]

    def is_excessive(self, resource):
        """Tell whether far more was requested than used."""
        allowed = max(FLOORS[resource], LARGEST_RATIO * self.used[resource])
        return self.requested[resource] > allowed


def dry_run(folder, options):
    """Return what a dry run of all jobs prints."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile", "--dry-run"]
    command += ["--forceall", "--nolock", "--directory", folder, *options]
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout


def planned_jobs(plan):
    """Yield rule, benchmark file and requests of every job of a dry run, in groups or not."""
    for block in re.split(r"(?m)^(?= *(?:local)?rule \w+:)", plan):
        rule = re.match(r" *(?:local)?rule (\w+):", block)
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
    """List the jobs of a finished run, with what they requested and used."""
    return [
        FinishedJob(rule, benchmark, numbers(requested), used(folder / benchmark))
        for rule, benchmark, requested in planned_jobs(dry_run(folder, options))
        if (folder / benchmark).exists()
    ]


def table(jobs):
    """Return the lines of a table in Markdown: per rule the jobs that used most."""
    columns = ["MB requested", "MB used", "ratio", "minutes requested", "minutes used", "ratio"]
    yield f"| rule | jobs | {' | '.join(columns)} |"
    yield "|---|---|---|---|---|---|---|---|"
    for rule in sorted({job.rule for job in jobs}):
        own = [job for job in jobs if job.rule == rule]
        cells = []
        for resource, digits in (("mem_mb", 0), ("runtime", 2)):
            job = max(own, key=lambda one, resource=resource: one.used[resource])
            ratio = job.ratio(resource)
            cells += [f"{job.requested[resource]:.0f}", f"{job.used[resource]:.{digits}f}"]
            cells.append(f"{ratio:.1f}" if ratio < 100 else "> 100")
        yield f"| `{rule}` | {len(own)} | {' | '.join(cells)} |"


def faults(jobs):
    """Yield a sentence for each job that requested too little or far too much."""
    for job in jobs:
        for resource in FLOORS:
            for wrong, word in ((job.is_short, "too little"), (job.is_excessive, "too much")):
                if wrong(resource):
                    yield (
                        f"{job.benchmark}: requested {word} {resource}, "
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
