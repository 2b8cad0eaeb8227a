"""The fastest libraries again where less of the machine is theirs: one thread, or two
threads beside a process that never rests. MovieLens, without batch norm."""
import subprocess
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path

from . import compare, data, settings
from .store import write

LIBRARIES = settings.LIBRARIES[:4]
# Name → threads, and whether another process is busy all the time.
CONDITIONS = {"two threads": (2, False), "one thread": (1, False),
              "two threads, one core busy": (2, True)}


class Busy:
    """Keeps a core busy within a `with` block."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-c", "while True: pass"])

    def __exit__(self, *error):
        self.process.kill()
        self.process.wait()


def main():
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "data.npz")
        data.write("MovieLens", path)
        for name, (threads, is_busy) in CONDITIONS.items():
            print(name, flush=True)
            with Busy() if is_busy else nullcontext():
                turn = list(compare.compare(path, False, 1, LIBRARIES, threads))
            compare.show(compare.summary(turn, LIBRARIES))
            rows += [{"condition": name, **row} for row in turn]
    write("conditions", rows)


if __name__ == "__main__":
    main()
