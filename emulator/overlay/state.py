"""What the overlay remembers beside moto's own resources: its configuration, settings of accounts, counters and the list of calls."""

from __future__ import annotations

import copy
import threading
from typing import Any

# Each key that POST /overlay/config takes, with its value after a reset. README.md says what each does.
DEFAULTS: dict[str, Any] = {
    "staleReads": 0,
    "imagePendingReads": 0,
    "imageStates": {},
    "deregistered": "recent",
    # EC2 user guide, "AMI quotas": an AMI can be shared with 1,000 entities; 5 public AMIs per Region (both adjustable).
    "entityQuota": 1000,
    "publicImageQuota": 5,
    "productCodes": {},
    "marketplace": [],
    "watermarks": {},
    "imageDetails": {},
    "deny": [],
    "throttle": {},
    "bucketRate": 0,
    "latency": 0,
    "failures": [],
    "usage": {},
    "usageReportPendingReads": 0,
    "usageReportError": "",
    "declarativePolicy": {},
}


class BadConfig(Exception):
    """The words for a configuration that cannot be taken."""


class State:
    def __init__(self) -> None:
        # One request at a time changes or reads EC2: moto's own structures are not made for threads.
        self.lock = threading.RLock()
        self.calls: list[dict[str, Any]] = []
        self.reset()

    def reset(self) -> None:
        self.config: dict[str, Any] = copy.deepcopy(DEFAULTS)
        self.calls.clear()
        self.block_public_access: dict[tuple[str, str, str], str] = {}
        self.stale: dict[str, tuple[int, Any]] = {}
        self.pending_left: dict[str, int] = {}
        self.usage_reports: dict[str, dict[str, Any]] = {}
        # (account, region, action) → tokens left, and when they were counted.
        self.buckets: dict[tuple[str, str, str], tuple[float, float]] = {}

    def configure(self, given: Any) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise BadConfig("the configuration is a JSON object")
        unknown = sorted(set(given) - set(DEFAULTS))
        if unknown:
            raise BadConfig(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(DEFAULTS))}")
        for key, value in given.items():
            kind = type(DEFAULTS[key])
            if key == "imagePendingReads":
                if not isinstance(value, (int, dict)):
                    raise BadConfig("imagePendingReads is a number, or an object of image id → number")
                self.pending_left = dict(value) if isinstance(value, dict) else {}
            elif not isinstance(value, (int, float) if key in ("bucketRate", "latency") else kind):
                raise BadConfig(f"{key} is of type {kind.__name__}")
            if key == "staleReads":
                self.stale = {}
            if key == "bucketRate":
                self.buckets = {}
            self.config[key] = copy.deepcopy(value)
        return self.config

    def public_block(self, account: str, region: str, kind: str) -> str:
        """What holds of block public access: an organization's declarative policy, else the account's own setting, else nothing.

        AWS turns it on for new accounts (EC2 user guide, "Block public access to your AMIs"); here an account starts with it off.
        """
        own = self.block_public_access.get((account, region, kind), "unblocked")
        return str(self.config["declarativePolicy"].get(kind, own))

    # Eventual consistency (EC2 developer guide, "Eventual consistency in the Amazon EC2 API"): what a call changed may not be
    # visible to the calls that follow it.
    def changed(self, resource: str, before: Any) -> None:
        if self.config["staleReads"]:
            self.stale[resource] = (self.config["staleReads"], before)

    def visible(self, resource: str, now: Any) -> Any:
        left, before = self.stale.get(resource, (0, None))
        if left <= 0:
            return now
        self.stale[resource] = (left - 1, before)
        return before

    def image_state(self, image_id: str, state: str) -> str:
        """The state that DescribeImages and the calls that change an AMI see; moto's AMIs are available at once."""
        state = self.config["imageStates"].get(image_id, state)
        return "pending" if self.pending_reads(image_id) > 0 and state == "available" else state

    def pending_reads(self, image_id: str) -> int:
        setting = self.config["imagePendingReads"]
        return self.pending_left.get(image_id, 0 if isinstance(setting, dict) else setting)

    def described(self, image_id: str) -> None:
        left = self.pending_reads(image_id)
        if left > 0:
            self.pending_left[image_id] = left - 1


STATE = State()
