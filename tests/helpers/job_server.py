"""Start jobs of a workflow in forks of one process that has imported their libraries.

Most jobs of the tests take less time than the import of these libraries. `stand_in` starts the
process, and writes a program to be used as Python by Snakemake. This program sends its arguments,
folder, environment and streams to the process, and ends as the job did. A job whose program is
killed is killed, too.
"""

import atexit
import gc
import importlib
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from pathlib import Path

# None of the project, whose code differs between its copies.
LIBRARIES = ("torch", "scipy.optimize", "scipy.stats", "pandas", "xarray", "h5netcdf", "jinja2")
LIBRARIES += ("matplotlib.pyplot", "psutil", "requests", "snakemake.iocontainers")

CLIENT = """\
#!{python} -ISE
import json, os, socket, sys
# `-m snakemake`, and scripts with a search path of their own, start as they do for users.
if sys.argv[1:2] == [] or sys.argv[1].startswith("-") or "PYTHONPATH" in os.environ:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
request = {{"arguments": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    socket.send_fds(server, [b"3"], [0, 1, 2])
    server.sendall(json.dumps(request).encode() + b"\\n")
    # A job that was killed sends nothing.
    sys.exit(int(server.recv(8) or 1))
"""


# As Snakemake sets it for jobs of one thread, whatever the user's shell says; libraries read it
# when they are imported.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def stand_in(folder, environment=None):
    """Start the process with these variables in addition, and return the path of the program."""
    address, program = folder / "jobs", folder / "python"
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        listening.listen(64)
        server = subprocess.Popen(
            [sys.executable, __file__, str(listening.fileno())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[listening.fileno()],
            env={**os.environ, **(environment or {}), **ONE_THREAD},
        )
    # It ends with its input.
    atexit.register(server.communicate)
    program.write_text(CLIENT.format(python=sys.executable, address=str(address)))
    program.chmod(0o755)
    return program


def serve(listening):
    """Fork for each connection, until the input ends."""
    while sys.stdin not in (ready := select.select([sys.stdin, listening], [], [])[0]):
        assert ready == [listening]
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            run_job(connection)
        connection.close()
        reap()


def reap():
    """Take notice of the jobs that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def end_with(connection):
    """Kill this process when the program at the other end has been killed."""
    connection.recv(1)
    os.kill(os.getpid(), signal.SIGKILL)


def run_job(connection):
    """Run a script as Python would, and send its exit code."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    with connection.makefile() as sent:
        request = json.loads(sent.readline())
    threading.Thread(target=end_with, args=[connection], daemon=True).start()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = request["arguments"]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    code = 1
    try:
        runpy.run_path(sys.argv[0], run_name="__main__")
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - whatever ends the job, it is reported and the fork ends
        traceback.print_exc()
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        connection.sendall(str(code).encode())
        os._exit(code)


if __name__ == "__main__":
    for library in LIBRARIES:
        importlib.import_module(library)
    # What is there now stays, so that no fork has to look through it for garbage.
    gc.freeze()
    serve(socket.socket(fileno=int(sys.argv[1])))
