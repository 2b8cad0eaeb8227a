"""A process of its own, idle until the driver asks for a turn.

`Worker("training", ...)` starts `python -m benchmarks.worker training ...`, which calls
that module's `serve(...)` and answers each request with what the function it returned
says. Requests and answers are lines of JSON on standard input and output.
"""
import importlib
import json
import os
import subprocess
import sys

from .settings import THREADS

# In the environment, because the libraries read it once, while they are imported.
COUNTS = ("BENCHMARK_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
          "OPENBLAS_NUM_THREADS")
# Waiting threads give up soon. The package sets this for itself; without it, one other
# busy process slowed PyTorch's small steps down to a tenth.
PATIENCE = {"GOMP_SPINCOUNT": "10000"}


class Worker:
    """The driver's end: a process that answers one request at a time."""

    def __init__(self, *arguments, threads=THREADS):
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "benchmarks.worker", *arguments],
            text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, **PATIENCE, **dict.fromkeys(COUNTS, str(threads))})

    def ask(self, **request):
        """Send a request, wait for its answer."""
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(
                f"a worker ended, see its message above: {self.process.args}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def main(module, *arguments):
    if THREADS == 1:  # JAX has no setting for it
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    # The libraries print; what they print must not mix with the answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    answer = importlib.import_module(f"benchmarks.{module}").serve(*arguments)
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
