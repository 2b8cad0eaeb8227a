"""Makes .venv with the pinned packages: `python tools/install.py`, which `make` calls.

uv installs them if it is on the path, else pip does. What they say goes to
_build/install.log. The standard library is all that is there when this runs.
"""
import ctypes
import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOG = ROOT / "_build" / "install.log"

PINNED = ["--require-hashes", "--no-deps", "--only-binary", ":all:", "-r",
          "requirements.txt"]
PACKAGE = ["--no-deps", "--no-build-isolation", "--editable", "."]

# What MXNet 1.9.1 wants from outside → where it is found if the system's loader does
# not know it: a file of a package that is installed anyway, or another library of the
# system. MXNet looks into its own folder first, so a link there is enough. Its files
# for 64-bit ARM were linked to Arm's own libraries, which no package brings: OpenBLAS
# and LAPACKE have the functions that it calls.
GOMP = "scikit_learn.libs/libgomp-*.so.1.*"
LIBRARIES = {
    "x86_64": {"libquadmath.so.0": "scipy.libs/libquadmath-*.so.0.*",
               "libgomp.so.1": GOMP},
    "aarch64": {"libgomp.so.1": GOMP, "libarmpl_lp64_mp.so": "libopenblas.so.0",
                "libamath.so": "liblapacke.so.3", "libastring.so": "libm.so.6"}}
FOLDERS = ["/usr/lib/{}-linux-gnu", "/lib/{}-linux-gnu", "/usr/lib64", "/usr/lib",
           "/lib64", "/lib"]

UNREACHABLE = re.compile(
    r"NewConnectionError|ConnectTimeout|ReadTimeout|ConnectionError|ProxyError|"
    r"Retrying|error sending request|[Ff]ailed to (fetch|lookup)|name resolution")


def main():
    start = time.monotonic()
    LOG.parent.mkdir(exist_ok=True)
    LOG.write_text("")
    uv = shutil.which("uv")
    make_environment(uv)
    installer = install(uv)
    lend_libraries(site_packages(), platform.machine())
    (VENV / "installed").touch()
    print("Installed the pinned packages into .venv with {}  {:.0f} s".format(
        installer, time.monotonic() - start))


def make_environment(uv):
    """An empty .venv. Only uv makes one where Debian has split `venv` from Python."""
    if uv and run([uv, "venv", "--quiet", "--seed", "--clear", "--python",
                   sys.executable, str(VENV)]):
        return
    if (importlib.util.find_spec("ensurepip") is None
        or importlib.util.find_spec("venv") is None):
        sys.exit(
            "This Python cannot make a virtual environment. On Debian and Ubuntu:\n"
            "apt-get install python3.{}-venv".format(sys.version_info[1]))
    if not run([sys.executable, "-m", "venv", "--clear", str(VENV)]):
        stop("The virtual environment .venv could not be made.")


def install(uv):
    """Install everything; return the name of what did."""
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check",
           "--no-input", "--retries", "1"]
    ways = {"uv": [
        uv, "pip", "install", "--compile-bytecode", "--python", str(PYTHON)
    ]} if uv else {}
    for name, command in (ways | {"pip": pip}).items():
        print("Installing the pinned packages with {} …".format(name), flush=True)
        if run([*command, *PINNED]) and run([*command, *PACKAGE]):
            return name
    # Of pip, which may know an index that uv does not.
    last = LOG.read_text(errors="replace").rpartition("\n$ ")[2]
    if UNREACHABLE.search(last):
        stop("No package index can be reached: the first command needs one, once.")
    stop("The pinned packages could not be installed.")


def run(command):
    """Run it in the book's folder, its words in the log; return whether it worked."""
    with LOG.open("a") as log:
        print("$", *command, file=log, flush=True)
        return subprocess.run(command, cwd=ROOT, stdout=log, stderr=log,
                              stdin=subprocess.DEVNULL).returncode == 0


def stop(message):
    last = [line for line in LOG.read_text(errors="replace").splitlines()
            if line.strip()][-3:]
    sys.exit("\n".join([message, *last,
                        "All that was said is in {}".format(LOG.relative_to(ROOT))]))


def site_packages():
    return VENV / "lib" / "python{}.{}".format(*sys.version_info) / "site-packages"


def lend_libraries(packages, machine, is_there=None):
    """Link what MXNet needs and the system lacks into MXNet's own folder."""
    for name, pattern in LIBRARIES[machine].items() if sys.platform == "linux" else ():
        if not (is_there or loads)(name):
            folders = ([packages] if "/" in pattern
                       else [Path(f.format(machine)) for f in FOLDERS])
            found = [path for folder in folders
                     for path in sorted(folder.glob(pattern))]
            if not found:
                sys.exit(
                    "MXNet needs {}, which this system lacks. On Debian and Ubuntu:\n"
                    "apt-get install libopenblas0-pthread liblapacke".format(pattern))
            (packages / "mxnet" / name).symlink_to(
                os.path.relpath(found[0], packages / "mxnet")
                if "/" in pattern else found[0])


def loads(name):
    """Whether the system's loader finds the library."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    os.environ["UV_PYTHON_DOWNLOADS"] = "never"
    main()
