"""What moto works out anew for every request or every list member, worked out once: nothing here changes an answer."""

from __future__ import annotations

import functools
from typing import Any

import moto.core.responses
from moto.core.parse import QueryParser
from moto.moto_server.werkzeug_app import DomainDispatcherApplication

from .patch import on

# The names of a class's methods, and the service behind a host name, never change.
moto.core.responses.method_names_from_class = functools.cache(moto.core.responses.method_names_from_class)
DomainDispatcherApplication.get_backend_for_host = functools.cache(DomainDispatcherApplication.get_backend_for_host)  # type: ignore[method-assign]


# moto looks through every parameter for every list member: minutes for 10,000 accounts.
@on(QueryParser)
def _do_parse(self: Any, request_dict: dict[str, Any], shape: Any) -> Any:
    values = dict(request_dict["values"].items())
    self.prefixes = set()
    for name in values:
        parts = name.split(".")
        self.prefixes.update(".".join(parts[:n]) for n in range(1, len(parts) + 1))
    return _do_parse.wrapped(self, {**request_dict, "values": values}, shape)  # type: ignore[attr-defined]


@on(QueryParser)
def _gonna_recurse(self: Any, query_params: dict[str, Any], prefix: str) -> bool:
    return prefix != "" and prefix not in self.prefixes
