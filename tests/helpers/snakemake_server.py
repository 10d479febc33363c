"""Run Snakemake for many requests from one process that has imported it once.

Its import takes more time than many a run. This program reads a request a line from
stdin (arguments, folder, environment), runs each in a fork of itself, as `python -m snakemake`
would, and answers with a line of what came of it. The request says whether jobs, too, start from
a process that has imported their libraries.
"""

import gc
import json
import os
import sys
import tempfile
from pathlib import Path

import jsonschema  # noqa: F401 - imported here once, for all requests
import smart_open  # noqa: F401
import snakemake.api
import snakemake.cli
import snakemake.report
import snakemake.utils
import snakemake.workflow
from job_server import stand_in


def become(request, stdout, stderr):
    """Run Snakemake in this process, which a fork made for it."""
    # Jobs must not read the requests.
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(stdout.fileno(), 1)
    os.dup2(stderr.fileno(), 2)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.path[0] = request["folder"]
    if request["preloaded"]:
        # Snakemake starts scripts with it.
        sys.executable = request["preloaded"]
    sys.argv = ["snakemake", *request["arguments"]]
    code = 1
    try:
        snakemake.cli.main(request["arguments"])
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def answer(request):
    """Run one request, and return its exit code and output."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        child = os.fork()
        if child == 0:
            become(request, stdout, stderr)
        _, status = os.waitpid(child, 0)
        texts = []
        for file in (stdout, stderr):
            file.seek(0)
            texts.append(file.read().decode())
        return {"returncode": os.waitstatus_to_exitcode(status), "said": "".join(texts)}


if __name__ == "__main__":
    # Imports the plugins.
    snakemake.cli.get_argument_parser()
    with tempfile.TemporaryDirectory() as folder:
        python = str(stand_in(Path(folder)))
        # What is there now stays, so that no fork has to look through it for garbage.
        gc.freeze()
        for line in sys.stdin:
            request = json.loads(line)
            request["preloaded"] = request["preloaded"] and python
            print(json.dumps(answer(request)), flush=True)
