"""Says, before anything is installed, why this machine cannot run the book, if it cannot.

The Makefile runs this file with whatever Python it finds, so it is written for old ones too
and imports nothing but the standard library.
"""
import platform
import sys

CONTAINER = "a Linux container (for example the image python:3.12)"


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
                "Run the book in {}; it runs natively there.".format(CONTAINER))
    if machine not in ("x86_64", "aarch64"):
        return ("MXNet 1.9.1 has no release for {} processors.\n"
                "Run the book on x86-64, or on Linux on 64-bit ARM.".format(machine))
    if version not in ((3, 11), (3, 12)):
        return ("This is Python {}.{}; the book is tested with Python 3.11 and 3.12.\n"
                "Install one of them, or name it: make book PYTHON=python3.12".format(*version))
    return None


if __name__ == "__main__":
    sys.exit(problem(sys.version_info[:2], platform.system(), platform.machine()))
