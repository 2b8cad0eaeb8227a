"""Says, before anything is installed, why this machine cannot run the book, if so.

The Makefile runs this file with whatever Python it finds, so it is written for old ones
too and imports nothing but the standard library.
"""
import platform
import sys

CONTAINER = "a Linux container (for example the image python:3.13)"
OLDEST, NEWEST = (3, 11), (3, 14)


def problem(version, system, machine):
    """Return what is wrong and what to do instead, or None if all is well.

    Args:
        version: (major, minor) of the Python that would be used.
        system: as `platform.system()` names it.
        machine: as `platform.machine()` names it.
    """
    if system not in ("Linux", "Darwin"):
        return ("MXNet 1.9.1 has no release for {}.\n"
                "Run the book in WSL 2, or in {}.".format(system, CONTAINER))
    if system == "Darwin" and machine != "x86_64":
        return ("MXNet 1.9.1 has no release for Apple silicon.\n"
                "Run the book in {}, with --platform linux/amd64.".format(CONTAINER))
    if machine not in ("x86_64", "aarch64"):
        return ("MXNet 1.9.1 has no release for {} processors.\n"
                "Run the book on x86-64, or on Linux on 64-bit ARM.".format(machine))
    if not OLDEST <= version <= NEWEST:
        return ("This is Python {}.{}; the book is tested with Python 3.11 to 3.14.\n"
                "Install one of them, "
                "or name it: make book PYTHON=python3.13".format(*version))
    if system == "Darwin" and version == (3, 14):
        return ("onnxruntime has no release for Python 3.14 on macOS "
                "with an Intel processor.\n"
                "Install Python 3.13, or name it: make book PYTHON=python3.13")
    return None


if __name__ == "__main__":
    sys.exit(problem(sys.version_info[:2], platform.system(), platform.machine()))
