"""Block public access for AMIs and for snapshots: the account's setting in a region. The refusals that follow from it are in sharing.py."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError

from .patch import response
from .state import STATE

# AWS turns it on for new accounts (EC2 user guide, "Block public access to your AMIs"); here an account starts with it off.
OFF = "unblocked"
# EC2 API reference: EnableImageBlockPublicAccess takes one mode, EnableSnapshotBlockPublicAccess two.
MODES = {"image": ("block-new-sharing",), "snapshot": ("block-all-sharing", "block-new-sharing")}


def _set(self: Any, kind: str, mode: str) -> str:
    self.error_on_dryrun()
    if mode != OFF and mode not in MODES[kind]:
        raise EC2ClientError("InvalidParameterValue", f"Value ({mode}) for parameter state is invalid. Valid values: {', '.join(MODES[kind])}")
    STATE.block_public_access[(self.current_account, self.region, kind)] = mode
    return mode


def _get(self: Any, kind: str) -> str:
    self.error_on_dryrun()
    return STATE.block_public_access.get((self.current_account, self.region, kind), OFF)


@response
def enable_image_block_public_access(self: Any) -> ActionResult:
    return ActionResult({"ImageBlockPublicAccessState": _set(self, "image", self._get_param("ImageBlockPublicAccessState"))})


@response
def disable_image_block_public_access(self: Any) -> ActionResult:
    return ActionResult({"ImageBlockPublicAccessState": _set(self, "image", OFF)})


@response
def get_image_block_public_access_state(self: Any) -> ActionResult:
    return ActionResult({"ImageBlockPublicAccessState": _get(self, "image"), "ManagedBy": "account"})


@response
def enable_snapshot_block_public_access(self: Any) -> ActionResult:
    return ActionResult({"State": _set(self, "snapshot", self._get_param("State"))})


@response
def disable_snapshot_block_public_access(self: Any) -> ActionResult:
    return ActionResult({"State": _set(self, "snapshot", OFF)})


@response
def get_snapshot_block_public_access_state(self: Any) -> ActionResult:
    return ActionResult({"State": _get(self, "snapshot"), "ManagedBy": "account"})


