"""Runs the AWS CLI, scripts that use boto3, and the local EC2: each in a process forked from this one, which has loaded what they need.

It prints its port, and ends when the process that started it ends. A connection to it is one run, asked for with a line of JSON:
{"env": {…}, "aws": ["ec2", …]}: the AWS CLI; {"env": {…}, "script": "file.py", "stdin": "text"}: a script. Both answer
{"code": 0, "stdout": "…", "stderr": "…"}. {"serve": true}: the local EC2 answers with its ready line, and ends with the connection.
"""

import contextlib
import gc
import io
import json
import os
import runpy
import socketserver
import sys
import threading
import traceback
from pathlib import Path

import awscli.clidriver
import boto3

sys.path.insert(0, str(Path(__file__).parents[2] / "emulator"))
import serve
from moto.moto_api._internal import mock_random

PARENT = os.getppid()
CLI = awscli.clidriver.create_clidriver()
# What the tests call. Their models are loaded before.
COMMANDS = [["ec2", "describe-image-attribute"], ["kms", "list-grants"], ["sts", "assume-role"]]


class Run(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        asked = json.loads(self.rfile.readline())
        if "serve" in asked:
            self.serve()
            return
        os.environ.clear()
        os.environ.update(asked["env"])
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as errors:
            try:
                code = CLI.main(asked["aws"]) if "aws" in asked else script(asked["script"], asked["stdin"])
            except SystemExit as end:
                code = end.code or 0
            except Exception:
                traceback.print_exc()
                code = 1
        self.wfile.write(json.dumps({"code": code, "stdout": out.getvalue(), "stderr": errors.getvalue()}).encode())

    def serve(self) -> None:
        self.server.socket.close()
        mock_random.seed()  # not the ids of the other ones
        threading.Thread(target=self.end_with_connection, daemon=True).start()
        serve.serve(port=0, ready=lambda line: self.wfile.write(f"{line}\n".encode()))

    def end_with_connection(self) -> None:
        self.rfile.read()
        os._exit(0)


def script(file: str, text: str) -> int:
    sys.stdin = io.StringIO(text)
    runpy.run_path(file)
    return 0


class Host(socketserver.ForkingMixIn, socketserver.TCPServer):
    max_children = 1000

    def service_actions(self) -> None:
        super().service_actions()
        if os.getppid() != PARENT:
            os._exit(0)


def load() -> None:
    """Loads moto, and the models of the services, without a call."""
    serve.load()
    with contextlib.redirect_stdout(io.StringIO()):
        for command in COMMANDS:
            CLI.main([*command, "--generate-cli-skeleton"])
    keys = {"region_name": "us-east-1", "aws_access_key_id": "none", "aws_secret_access_key": "none"}
    for service, _ in COMMANDS:
        CLI.session.create_client(service, **keys)
        boto3.client(service, **keys)


load()
gc.collect()
gc.freeze()  # a collection in a child would copy the pages that it shares with this process
with Host(("127.0.0.1", 0), Run) as host:
    print(host.server_address[1], flush=True)
    host.serve_forever()
