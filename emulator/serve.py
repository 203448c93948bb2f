"""Starts the local EC2 endpoint: moto with the overlay, on loopback, until it is told to stop or the process that started it ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import time
from typing import Callable

# moto seeds 1,301 AMIs of others unless it is told not to, and reads this when it is imported.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

HOST = "127.0.0.1"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; 0 (the default) takes a free one")
    parser.add_argument("--log", metavar="FILE", help="write one line a request: action, main resource id, status")
    parser.add_argument("--with-parent", action="store_true", help="end when the process that started this one ends")
    arguments = parser.parse_args()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    if arguments.with_parent:
        threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()

    lines = open(arguments.log, "a", buffering=1, encoding="utf-8") if arguments.log else None
    load()
    serve(
        arguments.port,
        ready=lambda line: print(line, flush=True),
        log=(lambda line: print(line, file=lines)) if lines else None,
    )


def load() -> None:
    """What is slow is done before anybody waits for it: the imports, and the first region."""
    import overlay  # noqa: F401  (its import puts it in place)
    from moto.ec2.models import ec2_backends

    ec2_backends["123456789012"]["us-east-1"]


def serve(port: int, ready: Callable[[str], None], log: Callable[[str], None] | None = None) -> None:
    from moto.moto_server.werkzeug_app import MotoRequestHandler
    from overlay.wire import Application
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log(self, *_: object) -> None:
            pass

    server = make_server(HOST, port, Application(log=log), threaded=True, request_handler=Quiet)
    ready(f"emulator ready http://{HOST}:{server.server_port}")
    server.serve_forever()


def end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.3)
    os._exit(0)


if __name__ == "__main__":
    try:
        main()
    except OSError as problem:
        sys.exit(f"emulator: {problem.strerror or problem}")
