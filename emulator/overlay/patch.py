"""How methods are put over moto's classes: one helper for its backends (models), one for its answers (responses)."""

from __future__ import annotations

from typing import Any, Callable

from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response


def on(target: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Adds a function to a class, or replaces its method of that name; `wrapped` of the new one is the old one."""

    def put(function: Callable[..., Any]) -> Callable[..., Any]:
        function.wrapped = getattr(target, function.__name__, None)  # type: ignore[attr-defined]
        setattr(target, function.__name__, function)
        return function

    return put


backend = on(EC2Backend)
response = on(EC2Response)
