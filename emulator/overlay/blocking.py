"""Block public access for AMIs and for snapshots: the account's setting in a region. The refusals that follow from it are in sharing.py."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError

from .patch import response
from .state import STATE

OFF = "unblocked"
# EC2 API reference: EnableImageBlockPublicAccess takes one mode, EnableSnapshotBlockPublicAccess two.
MODES = {"image": ("block-new-sharing",), "snapshot": ("block-all-sharing", "block-new-sharing")}


def _set(self: Any, kind: str, mode: str) -> str:
    self.error_on_dryrun()
    if mode != OFF and mode not in MODES[kind]:
        raise EC2ClientError("InvalidParameterValue", f"Value ({mode}) for parameter state is invalid. Valid values: {', '.join(MODES[kind])}")
    # EC2 API reference, GetImageBlockPublicAccessState, ManagedBy: a state managed by a declarative policy "can't be modified by the account".
    if kind in STATE.config["declarativePolicy"]:
        raise EC2ClientError("OperationNotPermitted", f"Block public access for {kind}s is managed by a declarative policy.")
    STATE.block_public_access[(self.current_account, self.region, kind)] = mode
    return mode


def _get(self: Any, kind: str) -> tuple[str, str]:
    self.error_on_dryrun()
    managed_by = "declarative-policy" if kind in STATE.config["declarativePolicy"] else "account"
    return STATE.public_block(self.current_account, self.region, kind), managed_by


@response
def enable_image_block_public_access(self: Any) -> ActionResult:
    return ActionResult({"ImageBlockPublicAccessState": _set(self, "image", self._get_param("ImageBlockPublicAccessState"))})


@response
def disable_image_block_public_access(self: Any) -> ActionResult:
    return ActionResult({"ImageBlockPublicAccessState": _set(self, "image", OFF)})


@response
def get_image_block_public_access_state(self: Any) -> ActionResult:
    state, managed_by = _get(self, "image")
    return ActionResult({"ImageBlockPublicAccessState": state, "ManagedBy": managed_by})


@response
def enable_snapshot_block_public_access(self: Any) -> ActionResult:
    return ActionResult({"State": _set(self, "snapshot", self._get_param("State"))})


@response
def disable_snapshot_block_public_access(self: Any) -> ActionResult:
    return ActionResult({"State": _set(self, "snapshot", OFF)})


@response
def get_snapshot_block_public_access_state(self: Any) -> ActionResult:
    state, managed_by = _get(self, "snapshot")
    return ActionResult({"State": state, "ManagedBy": managed_by})


