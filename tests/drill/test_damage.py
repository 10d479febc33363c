"""A cut file is refused by every job that reads it, and a deleted product is made again."""

import os
import re
import shutil
from pathlib import Path

from helpers.workflow import digests

# What README and results/index.html name: tables, figures, reports on data, pages.
PRODUCTS = ("tables/*", "figures/**/*.*", "data/*", "scorecards/*/*.html", "*.html")


def jobs_of(said):
    """Yield rule, inputs and outputs of each job in the output of a dry run."""
    for block in re.split(r"(?m)^(?= *(?:local)?rule \w+:)", said)[1:]:
        rule = re.match(r" *(?:local)?rule (\w+):", block)[1]
        files = {name: re.search(rf"(?m)^ +{name}: (.*)$", block) for name in ("input", "output")}
        yield rule, *(found[1].split(", ") if found else [] for found in files.values())


def readers_by_kind(jobs):
    """Return, by rule and number of an output, a file and one job of each rule that reads it."""
    files = {}
    for rule, _, outputs in jobs:
        for number, file in enumerate(outputs):
            readers = {
                reader: made for reader, read, made in jobs if file in read and reader != "all"
            }
            if len(readers) > len(files.get((rule, number), ("", {}))[1]):
                files[rule, number] = (file, readers)
    return list(files.values())


def test_cut_file_is_refused_by_every_job_that_reads_it(tiny_copy, tried, tmp_path):
    planned = tiny_copy.run("-n", "--forceall", "--quiet", "progress")
    jobs = list(jobs_of(planned.said))
    assert len(jobs) > 60
    kinds = readers_by_kind(jobs)
    accepted, n_readers = [], 0
    for file, readers in kinds:
        path = tiny_copy.folder / file
        content, time = path.read_bytes(), path.stat()
        path.write_bytes(content[: len(content) // 2])
        os.utime(path, ns=(time.st_atime_ns, time.st_mtime_ns))
        for rule, outputs in readers.items():
            n_readers += 1
            for number, output in enumerate(outputs):
                shutil.copy2(tiny_copy.folder / output, tmp_path / str(number))
            ran = tiny_copy.run(outputs[0], "--forcerun", outputs[0])
            sentence = f"error: {file}: expected the file as it was written"
            if ran.returncode == 0 or sentence not in ran.said or "Traceback" in ran.said:
                accepted.append((file, rule, ran.said))
            for number, output in enumerate(outputs):
                (tiny_copy.folder / output).unlink(missing_ok=True)
                # Snakemake removes the folder of an output with it.
                (tiny_copy.folder / output).parent.mkdir(parents=True, exist_ok=True)
                shutil.move(tmp_path / str(number), tiny_copy.folder / output)
        path.write_bytes(content)
        os.utime(path, ns=(time.st_atime_ns, time.st_mtime_ns))
    tried(n_readers)
    print(f"{len(kinds)} kinds of files, {n_readers} readers")
    assert len(kinds) > 20
    assert not accepted, "\n".join(
        f"{file} read by {rule}:\n{said}" for file, rule, said in accepted
    )


def test_each_deleted_product_is_made_again(tiny_copy, tried):
    """Each is planned by the same command; the first of each rule is also made."""
    results = tiny_copy.folder / "results"
    before = digests(results, *PRODUCTS)
    # The digest of a table is a hidden file, which is written with the table.
    names = [name for name in before if not Path(name).name.startswith(".")]
    assert len(names) > 80
    missing, rules_made = [], set()
    for name in names:
        (results / name).rename(tiny_copy.folder / "away")
        planned = tiny_copy.run("-n")
        makers = {rule for rule, _, made in jobs_of(planned.said) if f"results/{name}" in made}
        if not makers - rules_made:
            if not makers:
                missing.append((name, planned.said[-2000:]))
            (tiny_copy.folder / "away").rename(results / name)
            continue
        rules_made |= makers
        ran = tiny_copy.run()
        if ran.returncode or not (results / name).is_file():
            missing.append((name, ran.said[-2000:]))
    tried(len(names))
    assert len(rules_made) > 10
    assert not missing, "\n".join(f"{name}:\n{said}" for name, said in missing)
    assert digests(results, *PRODUCTS) == before
