"""Who may launch an AMI and make volumes from a snapshot: modify, reset, describe, cancel, disable, and every refusal of AWS."""

from __future__ import annotations

import random
import re
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError

from .lookup import AMI_ID, backends_of, is_managed_key, malformed_image, own_image, own_snapshot, shared_with
from .patch import response
from .state import STATE

ACCOUNT = re.compile(r"[0-9]{12}")
# AWS Organizations API reference, Organization and OrganizationalUnit: the patterns of Arn.
ORGANIZATION = re.compile(r"arn:aws[a-z-]*:organizations::[0-9]{12}:organization/o-[a-z0-9]{10,32}")
UNIT = re.compile(r"arn:aws[a-z-]*:organizations::[0-9]{12}:ou/o-[a-z0-9]{10,32}/ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}")
# EC2 API reference, LaunchPermission: UserId "Up to 10 000 account IDs can be specified in a single request".
MOST_ACCOUNTS_A_CALL = 10_000
# EC2 API reference, ModifySnapshotAttribute: "You can make up to 500 modifications to a snapshot in a single operation."
MOST_SNAPSHOT_CHANGES = 500
MARKETPLACE = {"UserId": "aws-marketplace"}

Grant = dict[str, str]


def refuse(code: str, message: str) -> EC2ClientError:
    return EC2ClientError(code, message)


def bad_item(kind: str, value: str) -> EC2ClientError:
    return refuse("InvalidAMIAttributeItemValue", f'Invalid attribute item value "{value}" for {kind} item type.')


def blocked(self: Any, kind: str) -> str:
    return STATE.public_block(self.current_account, self.region, kind)


# --- AMIs ---------------------------------------------------------------------------------------------------------------


def marketplace_grant(resource_id: str) -> list[Grant]:
    # What a Marketplace listing adds reads back as a user of this name (seen in Netflix/security_monkey's auditor of EBS snapshots; AWS
    # does not document it). That the owner cannot take it away is this project's careful reading, not AWS's word.
    return [MARKETPLACE] if resource_id in STATE.config["marketplace"] else []


def image_grants(image: Any) -> list[Grant]:
    return image.launch_permissions + marketplace_grant(image.id)


def check_item(grant: Grant) -> None:
    # EC2 API reference, "Error codes", InvalidAMIAttributeItemValue: "If you are specifying a userId, check that it is in the form of
    # an AWS account ID, without hyphens." One bad item refuses the whole call.
    if "UserId" in grant and not ACCOUNT.fullmatch(grant["UserId"]):
        raise bad_item("userId", grant["UserId"])
    if "Group" in grant and grant["Group"] != "all":
        raise bad_item("userGroup", grant["Group"])
    if "OrganizationArn" in grant and not ORGANIZATION.fullmatch(grant["OrganizationArn"]):
        raise bad_item("organizationArn", grant["OrganizationArn"])
    if "OrganizationalUnitArn" in grant and not UNIT.fullmatch(grant["OrganizationalUnitArn"]):
        raise bad_item("organizationalUnitArn", grant["OrganizationalUnitArn"])


def requested_image_changes(self: Any) -> tuple[list[Grant], list[Grant]]:
    structured = self._get_param("LaunchPermission", {}) or {}
    changes = {"add": list(structured.get("Add") or []), "remove": list(structured.get("Remove") or [])}
    operation = self._get_param("OperationType")
    flat = [
        {member: value}
        for parameter, member in (
            ("UserIds", "UserId"),
            ("UserGroups", "Group"),
            ("OrganizationArns", "OrganizationArn"),
            ("OrganizationalUnitArns", "OrganizationalUnitArn"),
        )
        for value in self._get_param(parameter, [])
    ]
    if flat:
        if operation not in changes:
            raise refuse("MissingParameter", "The request must contain the parameter operationType")
        changes[operation] += flat
    # The Query API lets one list member carry several fields (EC2 API reference, ModifySnapshotAttribute, example): one grant each.
    return tuple([{k: v} for item in changes[side] for k, v in item.items()] for side in ("add", "remove"))  # type: ignore[return-value]


def check_image_sharing(self: Any, image: Any, add: list[Grant], after: list[Grant]) -> None:
    snapshots = [self.ec2_backend.snapshots[i] for i in image.snapshot_ids if i in self.ec2_backend.snapshots]
    # EC2 user guide, "Share an AMI with specific AWS accounts": AMIs whose snapshots are under the AWS managed key cannot be shared.
    # Code and words: hashicorp/packer#7410, DataDog/stratus-red-team#109.
    if add and any(is_managed_key(snapshot.kms_key_id) for snapshot in snapshots):
        raise refuse("InvalidParameter", "Snapshots encrypted with the AWS Managed CMK can’t be shared. Specify another snapshot.")
    if {"Group": "all"} in add:
        # EC2 API reference, EnableImageBlockPublicAccess: blocks any attempt to publicly share; what is public stays public.
        # Code and words: hortonworks/cloudbreak-images#926.
        if blocked(self, "image") != "unblocked":
            raise refuse(
                "OperationNotPermitted",
                "You can’t publicly share this image because block public access for AMIs is enabled for this account. "
                "To publicly share the image, you must call the DisableImageBlockPublicAccess API.",
            )
        # EC2 user guide, "Make your AMI publicly available": AMIs with encrypted volumes cannot be. Words: opendevstack/ods-core#1062.
        if any(snapshot.encrypted for snapshot in snapshots):
            raise refuse("UnsupportedOperation", "Encrypted snapshots can’t be shared publicly. Specify another snapshot.")
        # EC2 API reference, ModifyImageAttribute: "Images with an AWS Marketplace product code cannot be made public."
        if STATE.config["productCodes"].get(image.id) or image.product_codes:
            raise refuse("OperationNotPermitted", "Images with an AWS Marketplace product code cannot be made public.")
        # EC2 API reference, AttachImageWatermark: watermarks are for non-public AMIs, "Watermarks cannot be added to public AMIs".
        if STATE.config["watermarks"].get(image.id):
            raise refuse("OperationNotPermitted", "Images with a watermark cannot be made public.")
        # EC2 user guide, "AMI quotas": public AMIs per Region. Code and words: NixOS/amis#37, iterative/studio-selfhosted#90.
        quota = STATE.config["publicImageQuota"]
        public = sum(1 for other in list(self.ec2_backend.amis.values()) if other.is_public and other.id != image.id)
        if public >= quota:
            raise refuse(
                "ResourceLimitExceeded",
                f"You have reached your quota of {quota} for the number of public images allowed in this Region. Deregister unused "
                "public images or make them private, or request an increase in your public AMIs quota.",
            )
    # EC2 user guide, "AMI quotas": entities (accounts, organizations and OUs) an AMI can be shared with, 1,000 a Region, adjustable.
    # The words follow those of the public quota: nobody has published the real ones.
    quota = STATE.config["entityQuota"]
    if add and sum(1 for grant in after if "Group" not in grant) > quota:
        raise refuse(
            "ResourceLimitExceeded",
            f"You have reached your quota of {quota} for the number of entities that an image can be shared with in this Region. "
            "Remove unused entities, or request an increase in your AMI sharing quota.",
        )


def check_image_state(image: Any) -> None:
    # EC2 API reference, "Error codes", InvalidAMIID.Unavailable: "… or is not in a state from which you can … modify attributes";
    # DisableImage: "A disabled AMI can't be shared."
    state = STATE.image_state(image.id, image.state)
    if state != "available":
        raise refuse("InvalidAMIID.Unavailable", f"The image id '[{image.id}]' is {state}: its attributes cannot be modified")


@response
def modify_image_attribute(self: Any) -> ActionResult:
    image_id = self._get_param("ImageId")
    self.error_on_dryrun()
    image = own_image(self.ec2_backend, image_id)
    attribute = self._get_param("Attribute")
    value = self._get_param("Value")
    described = (self._get_param("Description") or {}).get("Value") or (value if attribute == "description" else None)
    imds = (self._get_param("ImdsSupport") or {}).get("Value") or (value if attribute == "imdsSupport" else None)
    if described is not None or imds is not None:
        if described is not None:
            image.description = described
        if imds is not None:
            image.imds_support = imds
        return EmptyResult()
    add, remove = requested_image_changes(self)
    if not add and not remove:
        raise refuse("MissingParameter", "The request must contain the parameter LaunchPermission")
    for grant in add + remove:
        check_item(grant)
    if sum(1 for grant in add + remove if "UserId" in grant) > MOST_ACCOUNTS_A_CALL:
        raise refuse("InvalidParameterValue", f"Up to {MOST_ACCOUNTS_A_CALL} account IDs can be specified in a single request.")
    check_image_state(image)
    before = list(image.launch_permissions)
    after = before + [grant for n, grant in enumerate(add) if grant not in before and grant not in add[:n]]
    after = [grant for grant in after if grant not in remove]
    check_image_sharing(self, image, add, after)
    STATE.changed(image_id, image_grants(image))
    image.launch_permissions = after
    return EmptyResult()


@response
def reset_image_attribute(self: Any) -> ActionResult:
    """EC2 API reference, ResetImageAttribute; user guide, "Share an AMI with specific AWS accounts": removes every public and explicit
    launch permission; the owner always has them."""
    self.error_on_dryrun()
    image = own_image(self.ec2_backend, self._get_param("ImageId"))
    if self._get_param("Attribute") != "launchPermission":
        raise refuse("InvalidParameterValue", "Value for parameter attribute is invalid. Only launchPermission can be reset.")
    check_image_state(image)
    STATE.changed(image.id, image_grants(image))
    image.launch_permissions = []
    return EmptyResult()


@response
def describe_image_attribute(self: Any) -> ActionResult:
    image_id = self._get_param("ImageId")
    self.error_on_dryrun()
    image = own_image(self.ec2_backend, image_id)
    attribute = self._get_param("Attribute")
    if attribute == "launchPermission":
        grants = list(STATE.visible(image_id, image_grants(image)))
        # EC2 API reference, DescribeImageAttribute: "The order of the elements in the response … might vary."
        random.shuffle(grants)
        return ActionResult({"ImageId": image_id, "LaunchPermissions": grants})
    if attribute == "productCodes":
        codes = sorted(set(image.product_codes) | set(STATE.config["productCodes"].get(image_id, [])))
        return ActionResult({"ImageId": image_id, "ProductCodes": [{"ProductCodeId": c, "ProductCodeType": "marketplace"} for c in codes]})
    if attribute == "description":
        return ActionResult({"ImageId": image_id, "Description": {"Value": image.description}})
    if attribute == "imdsSupport":
        return ActionResult({"ImageId": image_id, "ImdsSupport": {"Value": getattr(image, "imds_support", None)}})
    return describe_image_attribute.wrapped(self)  # type: ignore[attr-defined]


@response
def cancel_image_launch_permission(self: Any) -> ActionResult:
    """EC2 API reference, CancelImageLaunchPermission; user guide, "Cancel having an AMI shared with your AWS account": only a share with
    the account itself can be cancelled, not one by organization, OU or public."""
    image_id = self._get_param("ImageId")
    self.error_on_dryrun()
    if not AMI_ID.fullmatch(image_id or ""):
        raise malformed_image(image_id)
    grant = {"UserId": self.current_account}
    for backend in backends_of(self.region):
        image = backend.amis.get(image_id)
        if image is None:
            continue
        if grant in image.launch_permissions:
            STATE.changed(image_id, image_grants(image))
            image.launch_permissions = [g for g in image.launch_permissions if g != grant]
            return ActionResult({"Return": True})
        if image.is_public or image.owner_id == self.current_account or shared_with(image.launch_permissions, self.current_account):
            raise refuse("InvalidRequest", f"The image {image_id} is not shared with this account by its account ID.")
    raise refuse("InvalidAMIID.NotFound", f"The image id '[{image_id}]' does not exist")


@response
def disable_image(self: Any) -> ActionResult:
    """EC2 API reference, DisableImage: "Sets the AMI state to disabled and removes all launch permissions from the AMI." Owner only."""
    self.error_on_dryrun()
    image = own_image(self.ec2_backend, self._get_param("ImageId"))
    STATE.changed(image.id, image_grants(image))
    image.launch_permissions = []
    image.state = "disabled"
    return ActionResult({"Return": True})


@response
def enable_image(self: Any) -> ActionResult:
    """EC2 API reference, EnableImage: accounts that lost access "do not regain access automatically". Owner only."""
    self.error_on_dryrun()
    image = own_image(self.ec2_backend, self._get_param("ImageId"))
    image.state = "available"
    return ActionResult({"Return": True})


# --- Snapshots ----------------------------------------------------------------------------------------------------------


def snapshot_grants(snapshot: Any) -> list[Grant]:
    groups = [{"Group": g} for g in snapshot.create_volume_permission_groups]
    users = [{"UserId": u} for u in snapshot.create_volume_permission_userids]
    return groups + users + marketplace_grant(snapshot.id)


def requested_snapshot_changes(self: Any) -> tuple[list[Grant], list[Grant]]:
    structured = self._get_param("CreateVolumePermission", {}) or {}
    changes = {"add": list(structured.get("Add") or []), "remove": list(structured.get("Remove") or [])}
    operation = self._get_param("OperationType")
    flat = [{"UserId": u} for u in self._get_param("UserIds", [])] + [{"Group": g} for g in self._get_param("GroupNames", [])]
    if flat:
        if operation not in changes:
            raise refuse("MissingParameter", "The request must contain the parameter operationType")
        changes[operation] += flat
    return tuple([{k: v} for item in changes[side] for k, v in item.items()] for side in ("add", "remove"))  # type: ignore[return-value]


def refuse_organizations(self: Any) -> None:
    # EC2 API reference, CreateVolumePermission: its members are UserId and Group; no organizations or OUs. Query parameters that an
    # action does not have are answered with UnknownParameter ("Error codes").
    for name in self.querystring:
        if re.search(r"Organization", name):
            raise refuse("UnknownParameter", f"The parameter {name} is not recognized")


@response
def modify_snapshot_attribute(self: Any) -> ActionResult:
    snapshot_id = self._get_param("SnapshotId")
    self.error_on_dryrun()
    snapshot = own_snapshot(self.ec2_backend, snapshot_id)
    if self._get_param("Attribute") not in (None, "createVolumePermission"):
        # EC2 API reference, ModifySnapshotAttribute, Attribute: "Only volume creation permissions can be modified."
        raise refuse("InvalidParameterValue", "Value for parameter attribute is invalid. Only createVolumePermission can be modified.")
    refuse_organizations(self)
    add, remove = requested_snapshot_changes(self)
    if not add and not remove:
        raise refuse("MissingParameter", "The request must contain the parameter CreateVolumePermission")
    # EC2 API reference, ModifySnapshotAttribute: add or remove, "but you cannot do both in a single operation".
    if add and remove:
        raise refuse("InvalidParameterCombination", "You cannot add and remove create volume permissions in a single operation.")
    changes = add or remove
    if len(changes) > MOST_SNAPSHOT_CHANGES:
        raise refuse("InvalidParameterValue", f"You can make up to {MOST_SNAPSHOT_CHANGES} modifications to a snapshot in a single operation.")
    for grant in changes:
        check_item(grant)
    if add:
        # EC2 API reference, ModifySnapshotAttribute: "Snapshots encrypted with your default KMS key cannot be shared with other accounts."
        # Code and words: hashicorp/packer#7499.
        if is_managed_key(snapshot.kms_key_id):
            raise refuse("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared")
        if {"Group": "all"} in add:
            # EC2 API reference, ModifySnapshotAttribute: "Encrypted snapshots and snapshots with AWS Marketplace product codes cannot be
            # made public." Words of the first: AWS security workshops.
            if snapshot.encrypted:
                raise refuse("OperationNotPermitted", "Encrypted snapshots cannot be shared publicly")
            if STATE.config["productCodes"].get(snapshot_id):
                raise refuse("OperationNotPermitted", "Snapshots with AWS Marketplace product codes cannot be made public.")
            # EC2 API reference, EnableSnapshotBlockPublicAccess: both modes refuse new public sharing. The words follow those of AMIs.
            if blocked(self, "snapshot") != "unblocked":
                raise refuse(
                    "OperationNotPermitted",
                    "You can’t publicly share this snapshot because block public access for snapshots is enabled for this account. "
                    "To publicly share the snapshot, you must call the DisableSnapshotBlockPublicAccess API.",
                )
    STATE.changed(snapshot_id, snapshot_grants(snapshot))
    # The owner needs no grant: adding it is accepted and never reads back (hashicorp/terraform-provider-aws#12102 waits for it in vain).
    users = {grant["UserId"] for grant in changes if "UserId" in grant} - {snapshot.owner_id}
    groups = {grant["Group"] for grant in changes if "Group" in grant}
    change = "update" if add else "difference_update"
    getattr(snapshot.create_volume_permission_userids, change)(users)
    getattr(snapshot.create_volume_permission_groups, change)(groups)
    return EmptyResult()


@response
def reset_snapshot_attribute(self: Any) -> ActionResult:
    """EC2 API reference, ResetSnapshotAttribute: "Resets permission settings for the specified snapshot." """
    self.error_on_dryrun()
    snapshot = own_snapshot(self.ec2_backend, self._get_param("SnapshotId"))
    if self._get_param("Attribute") != "createVolumePermission":
        raise refuse("InvalidParameterValue", "Value for parameter attribute is invalid. Only createVolumePermission can be reset.")
    STATE.changed(snapshot.id, snapshot_grants(snapshot))
    snapshot.create_volume_permission_userids.clear()
    snapshot.create_volume_permission_groups.clear()
    return EmptyResult()


@response
def describe_snapshot_attribute(self: Any) -> ActionResult:
    snapshot_id = self._get_param("SnapshotId")
    self.error_on_dryrun()
    snapshot = own_snapshot(self.ec2_backend, snapshot_id)
    if self._get_param("Attribute") == "productCodes":
        codes = STATE.config["productCodes"].get(snapshot_id, [])
        return ActionResult({"SnapshotId": snapshot_id, "ProductCodes": [{"ProductCodeId": c, "ProductCodeType": "marketplace"} for c in codes]})
    grants = list(STATE.visible(snapshot_id, snapshot_grants(snapshot)))
    random.shuffle(grants)
    return ActionResult({"SnapshotId": snapshot_id, "CreateVolumePermissions": grants})


