"""Callers over HTTP in a process of their own: `python -m tests.bench.volley PORT SECONDS`, told what to call on stdin.

One kept connection per line of stdin, each line a JSON list of a request's head and body; `{fresh}` in the head becomes
something else for each call. Prints as JSON: how many were answered in how long, the statuses, and the latencies' p50
and p99 in ms.
"""

# ruff: noqa: T201 - what the bench reads

import json
import os
import socket
import statistics
import sys
import threading
import time
from collections import Counter


def main(port: int, seconds: float) -> None:
    """Call until the time is over."""
    shots = [json.loads(line) for line in sys.stdin]
    took: list[float] = []
    statuses: Counter[str] = Counter()
    begin = time.monotonic()
    callers = [
        threading.Thread(
            target=call, args=(port, *shot), kwargs={"until": begin + seconds, "took": took, "statuses": statuses}
        )
        for shot in shots
    ]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    cuts = statistics.quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
    answer = {"answered": len(took), "seconds": time.monotonic() - begin, "statuses": statuses}
    print(json.dumps(answer | {"p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000}))


def call(port: int, head: str, body: str, *, until: float, took: list[float], statuses: Counter[str]) -> None:
    """One caller: the next request when the answer to the last has come."""
    raw, run, number = body.encode(), os.urandom(8).hex(), 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while (started := time.monotonic()) < until:
            number += 1
            sent = head.replace("{fresh}", f"{run}-{number}").encode()
            line.sendall(sent + b"Host: 127.0.0.1\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw)
            statuses[answer(line)] += 1
            took.append(time.monotonic() - started)


def answer(line: socket.socket) -> str:
    """Read one answer to its end; its status."""
    got = b""
    while (end := got.find(b"\r\n\r\n")) < 0:
        got += received(line)
    length = int(got[:end].lower().partition(b"content-length:")[2].split(b"\r\n", 1)[0])
    while len(got) < end + 4 + length:
        got += received(line)
    return got[9:12].decode()


def received(line: socket.socket) -> bytes:
    """Some more of it.

    Raises: ConnectionError when the server hangs up.
    """
    part = line.recv(65536)
    if not part:
        raise ConnectionError("the server hung up")
    return part


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
