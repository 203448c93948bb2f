"""Finding AMIs, snapshots and keys across accounts, and the errors that EC2 answers when one is absent, foreign or malformed."""

from __future__ import annotations

import re
from typing import Any, Iterator

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.kms import kms_backends
from moto.organizations.models import organizations_backends

from .state import STATE

# EC2 API reference, "Error codes": InvalidAMIID.Malformed and InvalidSnapshotID.Malformed want the full id, 8 or 17 hexadecimal digits.
AMI_ID = re.compile(r"ami-[0-9a-f]{8}([0-9a-f]{9})?")
SNAPSHOT_ID = re.compile(r"snap-[0-9a-f]{8}([0-9a-f]{9})?")
MANAGED_KEY_ALIAS = "alias/aws/ebs"


def backends_of(region: str) -> Iterator[Any]:
    """The EC2 of each account that has been used in this region."""
    for account in list(ec2_backends.values()):
        if region in account:
            yield account[region]


def malformed_image(image_id: str) -> EC2ClientError:
    expecting = "" if str(image_id).startswith("ami-") else ' (expecting "ami-...")'
    return EC2ClientError("InvalidAMIID.Malformed", f'Invalid id: "{image_id}"{expecting}')


def own_image(backend: Any, image_id: str) -> Any:
    """The AMI if the caller owns it; else the error.

    EC2 API reference, "Error codes": .Malformed, .NotFound (absent, or in another Region), .Unavailable (deregistered).
    "Not authorized for image:…" is what EC2 answers for an AMI of another account, public or not (cloudquery/cloudquery#9406).
    """
    if not AMI_ID.fullmatch(image_id or ""):
        raise malformed_image(image_id)
    if image_id in backend.amis:
        return backend.amis[image_id]
    if image_id in backend.deleted_amis and STATE.config["deregistered"] != "gone":
        raise EC2ClientError("InvalidAMIID.Unavailable", f"The image id '[{image_id}]' is no longer available")
    if any(image_id in other.amis for other in backends_of(backend.region_name)):
        raise EC2ClientError("AuthFailure", f"Not authorized for image:{image_id}")
    raise EC2ClientError("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")


def own_snapshot(backend: Any, snapshot_id: str) -> Any:
    """The snapshot if the caller owns it; else the error (EC2 API reference, "Error codes")."""
    if not SNAPSHOT_ID.fullmatch(snapshot_id or ""):
        raise EC2ClientError("InvalidSnapshotID.Malformed", f'Invalid id: "{snapshot_id}"')
    if snapshot_id in backend.snapshots:
        return backend.snapshots[snapshot_id]
    if any(snapshot_id in other.snapshots for other in backends_of(backend.region_name)):
        raise EC2ClientError("AuthFailure", f"Not authorized for snapshot:{snapshot_id}")
    raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")


def memberships(account_id: str) -> set[str]:
    """ARNs of the organization and of every OU, at any depth, that the account is in (user guide: nested OUs inherit)."""
    arns: set[str] = set()
    for account in list(organizations_backends.values()):
        for backend in list(account.values()):
            member = next((a for a in getattr(backend, "accounts", []) if a.id == account_id), None)
            if member is None or backend.org is None:
                continue
            arns.add(backend.org.arn)
            parent = member.parent_id
            while True:
                unit = next((u for u in backend.ou if u.id == parent and getattr(u, "parent_id", None)), None)
                if unit is None:
                    break
                arns.add(unit.arn)
                parent = unit.parent_id
    return arns


def shared_with(grants: list[dict[str, str]], account_id: str) -> bool:
    """Explicitly: by account, or by an organization or OU it is in; "public" does not count."""
    if any(grant.get("UserId") == account_id for grant in grants):
        return True
    arns = {grant.get("OrganizationArn") or grant.get("OrganizationalUnitArn") for grant in grants} - {None}
    return bool(arns) and bool(arns & memberships(account_id))


def may_use_snapshot(backend: Any, snapshot: Any, account_id: str) -> bool:
    if snapshot.owner_id == account_id or account_id in snapshot.create_volume_permission_userids:
        return True
    # EC2 API reference, EnableSnapshotBlockPublicAccess: under block-all-sharing the attributes still say public, yet nobody else has access.
    blocked = STATE.public_block(backend.account_id, backend.region_name, "snapshot") == "block-all-sharing"
    return "all" in snapshot.create_volume_permission_groups and not blocked


def find_snapshot(backend: Any, snapshot_id: str) -> Any:
    """The snapshot if the caller may read it, its own or one shared with it."""
    for other in backends_of(backend.region_name):
        snapshot = other.snapshots.get(snapshot_id)
        if snapshot is not None and may_use_snapshot(other, snapshot, backend.account_id):
            return snapshot
    return None


def key_arn(backend: Any, key_id: str | None) -> str:
    """The ARN of a key given by id, alias or ARN; without one the account's default key for EBS."""
    if not key_id:
        return backend.default_kms_key_id or backend._create_default_encryption_key()
    if key_id.endswith(MANAGED_KEY_ALIAS):
        kept = backend.default_kms_key_id
        arn = backend._create_default_encryption_key()
        backend.default_kms_key_id = kept
        return arn
    if key_id.startswith("arn:") and ":key/" in key_id:
        return key_id
    kms = kms_backends[backend.account_id][backend.region_name]
    try:
        return kms.describe_key(key_id).arn
    except Exception:
        return f"arn:aws:kms:{backend.region_name}:{backend.account_id}:key/{key_id}"


def is_managed_key(arn: str | None) -> bool:
    """Whether the key is the AWS managed key of EBS, alias/aws/ebs, of the account that the ARN names."""
    if not arn or not arn.startswith("arn:"):
        return arn == MANAGED_KEY_ALIAS
    _, _, _, region, account, name = arn.split(":", 5)
    if account not in kms_backends or region not in kms_backends[account]:
        return False
    key = kms_backends[account][region].keys.get(name.removeprefix("key/"))
    return key is not None and MANAGED_KEY_ALIAS in key.aliases
