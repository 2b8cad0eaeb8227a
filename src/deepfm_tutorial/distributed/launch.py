"""The launcher: one command starts, watches and ends a distributed job (chapter 12).

::

    python -m deepfm_tutorial.distributed --workers 2 --servers 1 -- python train.py

starts a scheduler, the servers and the workers on this machine. With `DMLC_ROLE` and
its companions in the environment, the same command is the one process that they
describe.
"""
import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Sequence

from . import environment

GRACE = 3.0  # seconds that a process has to end by itself, before it is killed
POLL = 0.05

# The job's process group has this process as its leader: it kills the group, itself
# included, when its input ends. That happens however the launcher ends, by SIGKILL too.
GUARD = """
import os, signal, sys
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
print(flush=True)
sys.stdin.read()
os.killpg(0, signal.SIGKILL)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit status.

    Returns:
        0 when all workers ended with 0; 2 for bad input; 128 plus a signal's number
        when a signal ended a process or this command; else the status of what failed.
    """
    parser = _parser()
    options = parser.parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    try:
        role = environment.check(os.environ)
    except ValueError as error:
        parser.error(str(error))
    if not command:
        parser.error("the workers' command is missing: "
                     "add, for example, -- python train.py")
    if not (program := shutil.which(command[0])):
        parser.error(f"{command[0]}: no such program")
    if role is None:
        return Job(command, options.workers, options.servers, options.port).run()
    os.execv(program, command)  # a worker: the import of MXNet was the other two


class Job:
    """A scheduler, servers and workers, in one process group of this machine.

    Args:
        command: the workers' program and its arguments.
        num_workers, num_servers: how many of each.
        port: the scheduler's, or None for a free one.
    """

    def __init__(self, command: Iterable[str], num_workers: int, num_servers: int = 1,
                 port: int | None = None) -> None:
        self.command = list(command)
        self.variables = environment.on_this_machine(num_workers, num_servers, port)
        self.threads = max(1, (os.cpu_count() or 1) // num_workers)
        self.processes, self.readers = {}, []
        self.lock, self.received = threading.Lock(), []

    def run(self) -> int:
        """Start all processes, print their lines, and return the job's exit status."""
        with _signals_noted(self.received):
            self.guard = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", GUARD], process_group=0,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            self.guard.stdout.readline()  # from now on it ignores what ends the others
            try:
                for place, variables in self.variables.items():
                    self._start(place, variables)
                return self._watch()
            finally:
                self._end()

    def _start(self, place, variables):
        role, rank = place
        serve = [sys.executable, "-c", "import deepfm_tutorial"]  # see `environment`
        inherited = {name: value for name, value in os.environ.items()
                     if name != "PORT" and not name.startswith("DMLC_")}
        # This process's own count, set as it imported the package, is for one process.
        threads = {"OMP_NUM_THREADS": str(self.threads if role == "worker" else 1)}
        process = subprocess.Popen(
            self.command if role == "worker" else serve, process_group=self.guard.pid,
            env=inherited | threads | {"PYTHONUNBUFFERED": "1"} | variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.processes[place] = process
        name = "scheduler" if role == "scheduler" else f"{role} {rank}"
        self.readers.append(threading.Thread(target=self._copy, args=(name, process),
                                             daemon=True))
        self.readers[-1].start()

    def _copy(self, name, process):
        with process.stdout:  # if this end closes, the process finds out as it writes
            for line in process.stdout:
                with self.lock:
                    text = line.decode(errors="replace").rstrip()
                    print(f"[{name}] {text}", flush=True)

    def _watch(self):
        """Wait until the workers end or a process fails; return the exit status."""
        while True:
            if self.received:
                _say(f"{signal.Signals(self.received[0]).name} received, the job ends")
                return 128 + self.received[0]
            for (role, rank), process in self.processes.items():
                if status := process.poll():
                    _say(f"{role} {rank} {_how(status)}, the others are ended")
                    return status if status > 0 else 128 - status
            if all(self.processes[place].poll() == 0 for place in self.processes
                   if place[0] == "worker"):
                self._wait_for_all()
                return 0
            time.sleep(POLL)

    def _wait_for_all(self):
        deadline = time.monotonic() + GRACE
        while (time.monotonic() < deadline
               and any(p.poll() is None for p in self.processes.values())):
            time.sleep(POLL)

    def _end(self):
        """Leave no process of the group behind, and no line unread."""
        self._send(self.received[0] if self.received else signal.SIGTERM)
        self._wait_for_all()
        self._send(signal.SIGKILL)
        for process in [self.guard, *self.processes.values()]:
            process.wait()
        self.guard.stdin.close()
        self.guard.stdout.close()
        for reader in self.readers:
            # Its pipe is still open only if a process left the group.
            reader.join(timeout=10 * GRACE)

    def _send(self, number):
        with contextlib.suppress(ProcessLookupError, PermissionError):  # nobody is left
            os.killpg(self.guard.pid, number)


class _signals_noted:
    """While it lasts, signals that ask this process to end go to a list instead."""

    def __init__(self, received):
        self.received = received

    def __enter__(self):
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        if threading.current_thread() is not threading.main_thread():
            numbers = ()  # Python hands signals to the main thread alone
        self.before = {number: signal.signal(number, self._note) for number in numbers}

    def _note(self, number, frame):
        self.received.append(number)

    def __exit__(self, *error):
        for number, handler in self.before.items():
            signal.signal(number, handler)


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m deepfm_tutorial.distributed",
        description="Start a distributed job on this machine; or, with DMLC_ROLE set, "
                    "the one process of it that runs here.")
    parser.add_argument("--workers", type=_count, default=1,
                        help="how many workers, 1 by default")
    parser.add_argument("--servers", type=_count, default=1,
                        help="how many servers, 1 by default")
    parser.add_argument("--port", type=_port,
                        help="of the scheduler; a free one by default")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- command",
                        help="what each worker runs")
    return parser


def _count(text):
    return _between(text, 1, 1000)


def _port(text):
    return _between(text, 1, 65535)


def _between(text, least, most):
    if not text.isdecimal() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(
            f"{text}: a whole number from {least} to {most} is allowed")
    return int(text)


def _how(status):
    if status > 0:
        return f"failed with exit status {status}"
    return f"was killed by {signal.Signals(-status).name}"


def _say(text):
    print(f"launcher: {text}", file=sys.stderr, flush=True)
