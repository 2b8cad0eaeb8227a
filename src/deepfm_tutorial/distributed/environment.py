"""What a process of a distributed job reads from its environment (chapter 12).

MXNet's parameter server, ps-lite, knows its place in a job from variables that begin
with `DMLC_`. And it acts on them early: where `DMLC_ROLE` says server or scheduler,
importing MXNet *is* the server or the scheduler, and the import ends when the job does.
So this module imports no MXNet.
"""
import os
import socket
from collections.abc import Mapping
from contextlib import ExitStack

ROLES = ("scheduler", "server", "worker")
HOST = "127.0.0.1"


def check(environ: Mapping[str, str]) -> str | None:
    """Return the role that the variables give to this process, or None without one.

    Raises:
        ValueError: they name a role, and one is missing or not what ps-lite can use.
    """
    if "DMLC_ROLE" not in environ:
        return None
    if (role := environ["DMLC_ROLE"]) not in ROLES:
        raise ValueError(f"DMLC_ROLE={role!r}: {', '.join(ROLES)} is allowed")
    if not environ.get("DMLC_PS_ROOT_URI"):
        raise ValueError(f"DMLC_ROLE={role} needs DMLC_PS_ROOT_URI, "
                         "the scheduler's IP address")
    for name, most in (("PS_ROOT_PORT", 65535), ("NUM_WORKER", 1000),
                       ("NUM_SERVER", 1000)):
        value = environ.get(f"DMLC_{name}")
        if value is None or not value.isdecimal() or not 1 <= int(value) <= most:
            given = " is not set" if value is None else f"={value!r}"
            raise ValueError(f"DMLC_{name}{given}: DMLC_ROLE={role} needs "
                             f"a whole number from 1 to {most}")
    return role


def stop_unless_complete(environ: Mapping[str, str]) -> None:
    """End this process with status 2 and a message if `check` raises.

    Without its variables, ps-lite would abort.
    """
    try:
        check(environ)
    except ValueError as error:
        os.write(2, f"{error}\n".encode())
        raise SystemExit(2) from None


def on_this_machine(num_workers: int, num_servers: int,
                    port: int | None = None) -> dict[tuple[str, int], dict[str, str]]:
    """Return the variables of each process of a job on loopback: (role, rank) → a dict.

    ps-lite numbers the processes of one machine by their ports. It takes a port from
    `PORT`, a variable that some hosts set for other purposes. So a worker's rank is
    known beforehand. (If another program takes such a port in the moment between, the
    process takes another port, and a worker's rank may differ from its name in the log.
    `store.rank` is always right.)

    Args:
        num_workers, num_servers: how many of each.
        port: the scheduler's, or None for a free one.
    """
    free = iter(_free_ports(1 + num_servers + num_workers))
    shared = {"DMLC_PS_ROOT_URI": HOST, "DMLC_NODE_HOST": HOST,
              "DMLC_PS_ROOT_PORT": str(port or next(free)),
              "DMLC_NUM_WORKER": str(num_workers), "DMLC_NUM_SERVER": str(num_servers)}
    places = ([("scheduler", 0)] + [("server", rank) for rank in range(num_servers)]
              + [("worker", rank) for rank in range(num_workers)])
    own = {place: {"PORT": str(next(free))} for place in places[1:]}
    return {(role, rank): shared | own.get((role, rank), {}) | {"DMLC_ROLE": role}
            for role, rank in places}


def _free_ports(count: int) -> list[int]:
    """Ports that nobody listens on at the moment, in ascending order."""
    with ExitStack() as sockets:
        bound = [sockets.enter_context(socket.socket()) for _ in range(count)]
        for one in bound:
            one.bind((HOST, 0))
        return sorted(one.getsockname()[1] for one in bound)
