"""``benne`` without its imports: a process that has imported everything forks for each command.

Loading takes a command some seconds and running it a few milliseconds; a test that types ten commands would mostly
wait. ``serve SOCKET`` is the process that forks, ``ask SOCKET ARGUMENT…`` stands for ``benne ARGUMENT…``: it hands over
its streams, folder and environment, passes signals on, and ends with the command's exit code.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys

ROOM = 1 << 20


def serve(address: str) -> None:
    """Fork for every caller, until killed."""
    import benne.cli
    import benne.scoring.api.serving

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listening.bind(address)
    listening.listen()
    while True:
        caller, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            mind(caller, benne.cli.main)
        caller.close()


def mind(caller: socket.socket, main: object) -> None:
    """Run one command in a process of its own, and tell the caller how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    text, streams, _, _ = socket.recv_fds(caller, ROOM, 3)
    asked = json.loads(text)
    pid = os.fork()
    if pid == 0:
        caller.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = ["benne", *asked["arguments"]]
        main()  # type: ignore[operator]
    for stream in streams:
        os.close(stream)
    caller.send(str(pid).encode())
    _, status = os.waitpid(pid, 0)
    caller.send(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def ask(address: str, arguments: list[str]) -> int:
    """Have a command run, and end as it does."""
    asked = {"arguments": arguments, "folder": os.getcwd(), "environment": dict(os.environ)}
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        server.connect(address)
        socket.send_fds(server, [json.dumps(asked).encode()], [0, 1, 2])
        pid = int(server.recv(64))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda received, _: os.kill(pid, received))
        code = int(server.recv(64))
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    raise SystemExit(ask(sys.argv[2], sys.argv[3:]))
