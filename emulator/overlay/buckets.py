"""EC2's request rate limits: a token bucket for each action, account and region."""

from __future__ import annotations

import time
from typing import Any

from .state import STATE

# EC2 developer guide, "Request throttling for the Amazon EC2 API", request token bucket sizes and refill rates (tokens a second).
BUCKETS = {"ModifyImageAttribute": (100, 5), "ModifySnapshotAttribute": (100, 5), "CopyImage": (100, 1)}
NON_MUTATING, UNFILTERED, MUTATING = (100, 20), (50, 10), (50, 5)


def bucket_of(action: str, params: dict[str, Any]) -> tuple[int, int]:
    """Size and refill rate of an action's bucket."""
    if not action.startswith(("Describe", "Get", "List")):
        return BUCKETS.get(action, MUTATING)
    # The guide: Describe* actions without filters, ids and pagination have a smaller bucket.
    lists = action in ("DescribeImages", "DescribeSnapshots")
    return UNFILTERED if lists and not any(name.startswith(("ImageId", "SnapshotId", "Filter", "MaxResults")) for name in params) else NON_MUTATING


def take_token(account: str, region: str, action: str, params: dict[str, Any]) -> bool:
    """Whether the bucket had a token. `bucketRate` multiplies every refill rate; 0: there are no limits."""
    scale = STATE.config["bucketRate"]
    if not scale:
        return True
    size, rate = bucket_of(action, params)
    key, now = (account, region, f"{action} {size}"), time.monotonic()
    tokens, then = STATE.buckets.get(key, (float(size), now))
    tokens = min(float(size), tokens + (now - then) * rate * scale)
    STATE.buckets[key] = (max(tokens - 1, 0.0) if tokens >= 1 else tokens, now)
    return tokens >= 1
