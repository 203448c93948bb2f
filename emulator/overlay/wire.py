"""Each request before and after moto: control endpoints, faults that were asked for, the list of calls, request ids, status codes."""

from __future__ import annotations

import io
import json
import re
import sys
import time
import traceback
import uuid
from typing import Any, Callable, Iterable
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.model import OperationNotFoundError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from .buckets import take_token
from .images import make_ready
from .state import STATE, BadConfig

CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/([^/]*)/([^/]*)/([^/]*)/")
# EC2 answers 400 to what the client did wrong, with these exceptions (EC2 API reference, "Error codes"; 412 of a dry run: moto's own
# checks against AWS; "AuthFailure: Not authorized for images" comes with 400: Orange-Cyberdefense/GOAD#304, where moto says 401).
STATUSES = {"DryRunOperation": 412, "UnauthorizedOperation": 403, "RequestLimitExceeded": 503}
REASONS = {200: "OK", 400: "Bad Request", 403: "Forbidden", 412: "Precondition Failed", 500: "Internal Server Error", 503: "Service Unavailable"}
# The access key ids of expired credentials start like this.
EXPIRED = "ASIAEXPIRED"
# EC2 API reference, ModifyImageAttribute and the others, Response Elements: `return`, "Is true if the request succeeds"; moto leaves it out.
SAYS_TRUE = re.compile("(Modify|Reset)(Image|Snapshot)Attribute")


class Request:
    """What the overlay needs to know of a request, whatever the service and its protocol."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self.method, self.path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        self.body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(self.body)
        signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        self.access_key, _, self.region, self.service = signed.groups() if signed else ("", "", "", "")
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if target:
            self.action = target.rsplit(".", 1)[-1]
            try:
                self.params: dict[str, Any] = json.loads(self.body or b"{}")
            except ValueError:
                self.params = {}
            resource = self.params.get("KeyId") or self.params.get("SecretId") or ""
        else:
            fields = dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))
            fields = fields or dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
            self.action = fields.pop("Action", "")
            fields.pop("Version", None)
            self.params = fields
            names = ("ImageId", "SnapshotId", "ImageId.1", "SnapshotId.1", "SourceImageId", "InstanceId", "ReportId", "ReportId.1", "RoleArn")
            resource = next((fields[name] for name in names if name in fields), "")
        self.json = bool(target)
        self.resource = resource
        self.given_account = environ.get("HTTP_X_MOTO_ACCOUNT_ID")
        self.id = str(uuid.uuid4())

    @property
    def account(self) -> str:
        from moto.iam.models import get_account_id_from

        return self.given_account or get_account_id_from(self.access_key)


Answer = tuple[int, list[tuple[str, str]], bytes]


def error(request: Request, code: str, message: str, status: int) -> Answer:
    """An error in the service's own form: JSON, the query protocol, or EC2's (EC2 API reference, "Error codes", example)."""
    if request.json:
        body, kind = json.dumps({"__type": code, "message": message}), "application/x-amz-json-1.1"
    elif request.service == "ec2":
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
            f"<RequestID>{request.id}</RequestID></Response>"
        )
        kind = "text/xml;charset=UTF-8"
    else:
        who = "Sender" if status < 500 else "Receiver"
        body = (
            f"<ErrorResponse><Error><Type>{who}</Type><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
            f"<RequestId>{request.id}</RequestId></ErrorResponse>"
        )
        kind = "text/xml"
    return status, [("Content-Type", kind)], body.encode()


def refusal(request: Request) -> Answer | None:
    """The errors that come before the action is looked at: expired credentials, IAM, throttling."""
    ec2 = request.service == "ec2"
    if request.access_key.startswith(EXPIRED):
        # EC2 API reference, "Error codes", RequestExpired; other services say ExpiredToken ("Common errors").
        if ec2:
            return error(request, "RequestExpired", "Request has expired.", 400)
        return error(request, "ExpiredTokenException" if request.json else "ExpiredToken", "The security token included in the request is expired", 403)
    if f"{request.service}:{request.action}" in STATE.config["deny"]:
        # EC2 API reference, "Error codes", UnauthorizedOperation.
        name = f"{request.service}:{request.action}"
        message = (
            f"You are not authorized to perform this operation. User: arn:aws:sts::{request.account}:assumed-role/tester/session is not "
            f"authorized to perform: {name} because no identity-based policy allows the {name} action"
        )
        code = "UnauthorizedOperation" if ec2 else "AccessDeniedException" if request.json else "AccessDenied"
        return error(request, code, message, 400 if request.json else 403)
    left = STATE.config["throttle"].get(request.action, 0)
    if left > 0 or (ec2 and not take_token(request.account, request.region, request.action, request.params)):
        # EC2 developer guide, "Request throttling for the Amazon EC2 API": RequestLimitExceeded.
        STATE.config["throttle"][request.action] = max(left - 1, 0)
        if ec2:
            return error(request, "RequestLimitExceeded", "Request limit exceeded.", 503)
        return error(request, "ThrottlingException" if request.json else "Throttling", "Rate exceeded", 400)
    return None


def fault(request: Request, after: bool) -> Answer | None:
    """A failure that a test asked for, before the action is done or after."""
    for rule in STATE.config["failures"]:
        if rule.get("action") not in (None, request.action) or rule.get("resource") not in (None, request.resource):
            continue
        if bool(rule.get("after")) != after or rule.get("times", 1) <= 0:
            continue
        rule["times"] = rule.get("times", 1) - 1
        code = rule.get("code", "InternalError")
        return error(request, code, rule.get("message", "An internal error has occurred"), rule.get("status", STATUSES.get(code, 500)))
    return None


class Application:
    """The WSGI application: the overlay's control endpoints, and moto behind everything else."""

    def __init__(self, log: Callable[[str], None] | None = None) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        self.log = log

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        try:
            if request.path.startswith("/overlay/"):
                status, headers, body = control(request)
            elif request.path.startswith("/moto-api"):
                with STATE.lock:
                    status, headers, body = self.ask_moto(environ)
                    if request.path == "/moto-api/reset" and request.method == "POST":
                        STATE.reset()
            elif request.service == "ec2":
                # Before the lock: requests that wait do not wait for each other.
                time.sleep(STATE.config["latency"])
                with STATE.lock:
                    status, headers, body = self.answer(request, environ)
            else:
                status, headers, body = self.answer(request, environ)
        except Exception:
            # Neither moto nor the overlay knows what to do: said once on stderr, and with a status that no SDK retries.
            traceback.print_exc(file=sys.stderr)
            words = traceback.format_exc().strip().splitlines()[-1]
            status, headers, body = error(request, "EmulatorDefect", f"{request.action}: {words}", 501)
        headers = [(k, v) for k, v in headers if k.lower() not in ("content-length", "x-amzn-requestid", "connection")]
        headers += [("Content-Length", str(len(body))), ("x-amzn-RequestId", request.id)]
        start_response(f"{status} {REASONS.get(status, 'Status')}", headers)
        return [body]

    def answer(self, request: Request, environ: dict[str, Any]) -> Answer:
        answer = refusal(request) or fault(request, after=False)
        if answer is None:
            try:
                answer = self.ask_moto(environ)
            except OperationNotFoundError:
                answer = error(request, "InvalidAction", f"The action {request.action} is not valid for this web service.", 400)
            except NotImplementedError as problem:
                answer = error(request, "EmulatorDefect", f"{request.action}: {problem}", 501)
            if answer[0] < 400:
                answer = fault(request, after=True) or answer
        status, headers, body = answer
        code = ""
        if status >= 400:
            found = re.search(rb"<Code>([^<]*)</Code>", body) or re.search(rb'"__type":\s*"([^"]*)"', body)
            code = found.group(1).decode() if found else ""
            if request.service == "ec2" and status < 500:
                status = STATUSES.get(code, 400)
        if request.service == "ec2":
            body = re.sub(rb"<request(I[dD])>[^<]*</request", lambda m: b"<request" + m[1] + b">" + request.id.encode() + b"</request", body, count=1)
            if status < 300 and SAYS_TRUE.fullmatch(request.action):
                body = body.replace(b"</requestId>", b"</requestId><return>true</return>", 1)
            body = re.sub(rb"<RequestID>[^<]*<", b"<RequestID>" + request.id.encode() + b"<", body, count=1)
        STATE.calls.append(
            {
                "service": request.service,
                "action": request.action,
                "resource": request.resource,
                "params": request.params,
                "account": request.account,
                "region": request.region,
                "status": status,
                "code": code,
                "requestId": request.id,
            }
        )
        if self.log:
            self.log(f"{request.action} {request.resource or '-'} {status}{' ' + code if code else ''}")
        return status, headers, body

    def ask_moto(self, environ: dict[str, Any]) -> Answer:
        taken: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], _info: Any = None) -> Callable[[bytes], None]:
            taken.update(status=int(status.split(" ", 1)[0]), headers=headers)
            return lambda _data: None

        chunks = self.moto(environ, start)
        try:
            body = b"".join(chunks)
        finally:
            getattr(chunks, "close", lambda: None)()
        return taken["status"], taken["headers"], body


def control(request: Request) -> Answer:
    """The endpoints under /overlay/, in JSON. README.md describes them."""
    route = (request.method, request.path.removeprefix("/overlay/").rstrip("/"))
    with STATE.lock:
        try:
            given = json.loads(request.body or b"null")
            if route == ("POST", "config"):
                result: Any = STATE.configure(given)
            elif route == ("GET", "config"):
                result = STATE.config
            elif route == ("POST", "reset"):
                STATE.reset()
                result = {"status": "ok"}
            elif route == ("GET", "calls"):
                result = STATE.calls
            elif route == ("DELETE", "calls"):
                STATE.calls.clear()
                result = {"status": "ok"}
            elif route == ("POST", "images"):
                result = [make_ready(spec) for spec in given] if isinstance(given, list) else make_ready(given or {})
            else:
                return 404, [("Content-Type", "application/json")], b'{"error": "no such control endpoint"}\n'
            status = 200
        except (BadConfig, ValueError, TypeError, KeyError, AttributeError) as problem:
            status, result = 400, {"error": f"{type(problem).__name__}: {problem}"}
        body = json.dumps(result).encode() + b"\n"
    return status, [("Content-Type", "application/json")], body
