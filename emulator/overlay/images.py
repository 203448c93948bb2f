"""How AMIs and snapshots come to be and are described: real block device mappings, encryption, copies, and what another account sees."""

from __future__ import annotations

import base64
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores, utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import ec2_backends
from moto.ec2.models.amis import Ami
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.models.instances import Instance
from moto.ec2.utils import generic_filter, random_ami_id, random_snapshot_id

from . import lookup
from .lookup import AMI_ID, SNAPSHOT_ID, backends_of, find_snapshot, key_arn, malformed_image, may_use_snapshot, own_image, own_snapshot
from .patch import backend, on, response
from .state import STATE

Mapping = dict[str, Any]


class Seen:
    """One resource as the caller sees it: the fields that differ for this caller or this moment, over moto's own object."""

    def __init__(self, subject: Any, **fields: Any) -> None:
        self.__dict__.update(fields, _subject=subject)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_subject"], name)


def page(self: Any, items: list[Any], token: str | None = None) -> tuple[list[Any], str | None]:
    """EC2 API reference, "Pagination": MaxResults and NextToken; without MaxResults everything comes at once."""
    size, given = self._get_param("MaxResults"), self._get_param("NextToken")
    try:
        start = int(base64.b64decode(given)) if given else 0
    except ValueError:
        raise EC2ClientError("InvalidPaginationToken", "The specified pagination token is invalid or expired.") from None
    end = start + int(size) if size else len(items)
    if end < len(items):
        token = base64.b64encode(str(end).encode()).decode()
    return items[start:end], token


def tags_for(self: Any, resource_type: str) -> dict[str, str]:
    specs = self._get_param("TagSpecifications", [])
    return {t["Key"]: t.get("Value", "") for s in specs if s.get("ResourceType") == resource_type for t in s.get("Tags", [])}


# --- Block device mappings ----------------------------------------------------------------------------------------------

invented_mappings = Ami.block_device_mappings.fget  # type: ignore[attr-defined]


@property  # type: ignore[misc]
def block_device_mappings(self: Any) -> list[Mapping]:
    """EC2 API reference, DescribeImages: the mappings the AMI was made with; moto knows one invented snapshot only."""
    kept = getattr(self, "kept_mappings", None)
    if kept is None:
        kept = invented_mappings(self)
    shown = []
    for mapping in kept:
        snapshot_id = mapping.get("Ebs", {}).get("SnapshotId")
        if snapshot_id:
            # The encryption of a mapping is its snapshot's (EC2 API reference, RegisterImage: it cannot be set in the mapping).
            mapping = {**mapping, "Ebs": {**mapping["Ebs"], "Encrypted": self.encryption_of(snapshot_id)}}
        shown.append(mapping)
    return shown


def encryption_of(self: Any, snapshot_id: str) -> bool:
    snapshot = self.ec2_backend.snapshots.get(snapshot_id)
    if snapshot is not None:
        self.known_encryption = {**getattr(self, "known_encryption", {}), snapshot_id: snapshot.encrypted}
    return getattr(self, "known_encryption", {}).get(snapshot_id, False)


@property  # type: ignore[misc]
def snapshot_ids(self: Any) -> list[str]:
    kept = getattr(self, "kept_mappings", None)
    mappings = invented_mappings(self) if kept is None else kept
    return [m["Ebs"]["SnapshotId"] for m in mappings if m.get("Ebs", {}).get("SnapshotId")]


Ami.block_device_mappings = block_device_mappings  # type: ignore[method-assign,assignment]
Ami.snapshot_ids = snapshot_ids  # type: ignore[attr-defined]
Ami.encryption_of = encryption_of  # type: ignore[attr-defined]


@on(Ami)
def get_filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
    if filter_name == "block-device-mapping.snapshot-id":
        return self.snapshot_ids
    if filter_name == "image-type":
        return self.image_type
    return get_filter_value.wrapped(self, filter_name, method_name)  # type: ignore[attr-defined]


def make_image(ec2: Any, image_id: str, mappings: list[Mapping] | None, tags: dict[str, str], **fields: Any) -> Any:
    """Without mappings (None), moto's one invented snapshot stays."""
    image = Ami(ec2, image_id, **fields)
    if mappings is not None:
        ec2.snapshots.pop(image.ebs_snapshot.id, None)
        image.kept_mappings = mappings
        image.root_device_type = "ebs"
        devices = [m["DeviceName"] for m in mappings if "Ebs" in m]
        if devices and image.root_device_name not in devices:
            image.root_device_name = devices[0]
    image.add_tags(tags)
    ec2.amis[image_id] = image
    return image


def make_snapshot(ec2: Any, source: Any, description: str, image_id: str | None, key: str | None, tags: dict[str, str]) -> Any:
    snapshot = Snapshot(ec2, random_snapshot_id(), source, description, encrypted=key is not None, kms_key_id=key, from_ami=image_id)
    ec2.snapshots[snapshot.id] = snapshot
    snapshot.add_tags(tags)
    return snapshot


def ebs(snapshot: Any, given: dict[str, Any] | None = None, size: int | None = None) -> dict[str, Any]:
    # EC2 API reference, EbsBlockDevice: "If you specify a snapshot, the default is the snapshot size."
    return {"DeleteOnTermination": True, "VolumeSize": size or snapshot.volume_size, "VolumeType": "gp3", **(given or {}), "SnapshotId": snapshot.id}


@response
def register_image(self: Any) -> ActionResult:
    """EC2 API reference, RegisterImage: an EBS-backed AMI from the snapshots in the mappings, which it keeps as they are given."""
    self.error_on_dryrun()
    ec2 = self.ec2_backend
    given = self._get_param("BlockDeviceMappings", [])
    mappings: list[Mapping] = []
    for mapping in given:
        if "NoDevice" in mapping:
            continue
        block = mapping.get("Ebs")
        if block is None or not block.get("SnapshotId"):
            mappings.append(mapping)
            continue
        if "Encrypted" in block:
            raise EC2ClientError(
                "InvalidBlockDeviceMapping", "the encrypted flag cannot be specified since device has a snapshot specified."
            )
        snapshot = find_snapshot(ec2, block["SnapshotId"])
        if snapshot is None:
            own_snapshot(ec2, block["SnapshotId"])
        mappings.append({**mapping, "Ebs": ebs(snapshot, block)})
    root = self._get_param("RootDeviceName")
    image = make_image(
        ec2,
        random_ami_id(),
        mappings or None,
        tags_for(self, "image"),
        name=self._get_param("Name"),
        description=self._get_param("Description", ""),
        architecture=self._get_param("Architecture"),
        virtualization_type=self._get_param("VirtualizationType", "hvm"),
        **({"root_device_name": root} if root else {}),
    )
    return ActionResult({"ImageId": image.id})


@response
def create_image(self: Any) -> ActionResult:
    """EC2 API reference, CreateImage: the AMI maps the instance's root volume and "any other EBS volumes attached to the instance", one
    snapshot each."""
    self.error_on_dryrun()
    ec2 = self.ec2_backend
    instance = ec2.get_instance(self._get_param("InstanceId"))
    image_id = random_ami_id()
    mappings: list[Mapping] = []
    changed = {m["DeviceName"]: m for m in self._get_param("BlockDeviceMappings", [])}
    for device, block in instance.get_block_device_mapping:
        if "NoDevice" in changed.get(device, {}):
            continue
        volume = ec2.volumes[block.volume_id]
        snapshot = make_snapshot(
            ec2,
            volume,
            f"Created by CreateImage({instance.id}) for {image_id}",
            image_id,
            volume.kms_key_id if volume.encrypted else None,
            tags_for(self, "snapshot"),
        )
        mappings.append({"DeviceName": device, "Ebs": ebs(snapshot, {"DeleteOnTermination": bool(block.delete_on_termination)}, volume.size)})
    for device, mapping in changed.items():
        block = mapping.get("Ebs")
        if "VirtualName" in mapping or (block and device not in dict(instance.get_block_device_mapping)):
            source = find_snapshot(ec2, block["SnapshotId"]) if block and block.get("SnapshotId") else None
            mappings.append({**mapping, "Ebs": ebs(source, block)} if source else mapping)
    image = make_image(
        ec2,
        image_id,
        mappings,
        tags_for(self, "image"),
        instance=instance,
        name=self._get_param("Name"),
        description=self._get_param("Description", ""),
        root_device_name=instance.root_device_name,
    )
    return ActionResult({"ImageId": image.id})


@response
def copy_image(self: Any) -> ActionResult:
    """EC2 API reference, CopyImage: every snapshot is copied; SourceImageId and SourceImageRegion tell where from; launch permissions
    stay behind; tags only with CopyImageTags."""
    self.error_on_dryrun()
    ec2 = self.ec2_backend
    source_id, region = self._get_param("SourceImageId"), self._get_param("SourceRegion")
    source_ec2 = ec2_backends[self.current_account][region]
    source = source_ec2.describe_images(ami_ids=[source_id])[0]
    if STATE.image_state(source_id, source.state) != "available":
        raise EC2ClientError("InvalidAMIID.Unavailable", f"The image id '[{source_id}]' is not available")
    image_id = random_ami_id()
    asked, key = self._get_bool_param("Encrypted", False), self._get_param("KmsKeyId")
    if key and not asked:
        raise EC2ClientError("InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
    mappings: list[Mapping] = []
    for mapping in source.block_device_mappings:
        snapshot_id = mapping.get("Ebs", {}).get("SnapshotId")
        if not snapshot_id:
            mappings.append(mapping)
            continue
        snapshot = find_snapshot(source_ec2, snapshot_id)
        if snapshot is None:
            # EC2 user guide, "Copy an AMI": copying a shared AMI needs read permission for its storage. Words: awslabs/amazon-eks-ami#52.
            raise EC2ClientError("InvalidRequest", "You do not have permission to access the storage of this ami")
        # EC2 API reference, CopyImage, Encrypted: an encrypted snapshot's copy is encrypted; KmsKeyId: without it the account's default
        # key for EBS, "even if" the source is under another. Encryption by default (EBS user guide) encrypts copies as well.
        encrypted = asked or snapshot.encrypted or ec2.ebs_encryption_by_default
        copied = make_snapshot(
            ec2,
            snapshot.volume,
            f"Copied for DestinationAmi {image_id} from SourceAmi {source_id} for SourceSnapshot {snapshot_id}.",
            image_id,
            key_arn(ec2, key) if encrypted else None,
            tags_for(self, "snapshot"),
        )
        block = {k: v for k, v in mapping["Ebs"].items() if k != "Encrypted"}
        mappings.append({**mapping, "Ebs": {**block, "SnapshotId": copied.id}})
    tags = {t["key"]: t["value"] for t in source.get_tags()} if self._get_bool_param("CopyImageTags", False) else {}
    image = make_image(
        ec2,
        image_id,
        mappings,
        {**tags, **tags_for(self, "image")},
        source_ami=source,
        name=self._get_param("Name"),
        description=self._get_param("Description"),
        root_device_name=source.root_device_name,
    )
    image.source_image_id, image.source_image_region = source_id, region
    return ActionResult({"ImageId": image.id})


@response
def deregister_image(self: Any) -> ActionResult:
    self.error_on_dryrun()
    image = own_image(self.ec2_backend, self._get_param("ImageId"))
    self.ec2_backend.deregister_image(image.id)
    self.ec2_backend.deregistered = {**getattr(self.ec2_backend, "deregistered", {}), image.id: image}
    return ActionResult({"Return": True})


# --- Describing ---------------------------------------------------------------------------------------------------------


def available_images(ec2: Any) -> list[Any]:
    """EC2 API reference, DescribeImages: public images, own ones, and those of others with launch permissions for the caller."""
    images = []
    for other in backends_of(ec2.region_name):
        for image in list(other.amis.values()):
            if other is ec2 or image.is_public or lookup.shared_with(image.launch_permissions, ec2.account_id):
                images.append(image)
    return images


@backend
def describe_images(
    self: Any,
    ami_ids: list[str] | None = None,
    filters: dict[str, Any] | None = None,
    exec_users: list[str] | None = None,
    owners: list[str] | None = None,
) -> list[Any]:
    images = available_images(self)
    if ami_ids:
        for image_id in ami_ids:
            if not AMI_ID.fullmatch(image_id):
                raise malformed_image(image_id)
        images = [image for image in images if image.id in ami_ids]
        gone = set(getattr(self, "deregistered", {})) if STATE.config["deregistered"] != "gone" else set()
        missing = [i for i in dict.fromkeys(ami_ids) if i not in {image.id for image in images} | gone]
        if missing:
            words = f"The image id '[{missing[0]}]' does not exist" if len(missing) == 1 else f"The image ids '[{', '.join(missing)}]' do not exist"
            raise EC2ClientError("InvalidAMIID.NotFound", words)
        if STATE.config["deregistered"] == "listed":
            images += [Seen(image, state="deregistered") for i, image in list(getattr(self, "deregistered", {}).items()) if i in ami_ids]
    if exec_users:
        # EC2 API reference, DescribeImages, ExecutableUsers: an account's explicit shares; for the caller also those by organization
        # and OU; all = public ones.
        def executable(image: Any) -> bool:
            for user in exec_users:
                if user == "all" and image.is_public:
                    return True
                if user in ("self", self.account_id) and lookup.shared_with(image.launch_permissions, self.account_id):
                    return True
                if {"UserId": user} in image.launch_permissions:
                    return True
            return False

        images = [image for image in images if executable(image)]
    if owners:
        wanted = {self.account_id if owner == "self" else owner for owner in owners}
        images = [image for image in images if image.owner_id in wanted or image.owner_alias in wanted]
    return generic_filter(filters, images) if filters else images


@response
def describe_images_response(self: Any) -> ActionResult:
    self.error_on_dryrun()
    images = self.ec2_backend.describe_images(
        ami_ids=self._get_param("ImageIds", []),
        filters=self._filters_from_querystring(),
        exec_users=self._get_param("ExecutableUsers", []),
        owners=self._get_param("Owners", []),
    )
    # EC2 API reference, DescribeImages, IncludeDisabled: "Default: No disabled AMIs are included in the response."
    if not self._get_bool_param("IncludeDisabled", False):
        images = [image for image in images if image.state != "disabled"]
    images, token = page(self, images)
    shown = []
    for image in images:
        codes = sorted(set(image.product_codes) | set(STATE.config["productCodes"].get(image.id, [])))
        marks = STATE.config["watermarks"].get(image.id, [])
        fields: dict[str, Any] = {
            "state": STATE.image_state(image.id, image.state),
            "product_codes": [{"ProductCodeId": c, "ProductCodeType": "marketplace"} for c in codes],
            "image_watermarks": [{"WatermarkKey": m, "SourceImageId": image.id, "SourceImageRegion": self.region} for m in marks],
        }
        # EC2 API reference, Image: DeprecationTime, DeregistrationProtection.
        fields |= {camelcase_to_underscores(name): value for name, value in STATE.config["imageDetails"].get(image.id, {}).items()}
        if image.owner_id != self.current_account:
            # EC2 user guide, "Share an AMI with specific AWS accounts": user-defined tags of a shared AMI are not seen by others.
            fields |= {"tag_set": [], "tags": [], "tag_list": []}
        STATE.described(image.id)
        shown.append(Seen(image, **fields))
    return ActionResult({"Images": shown, "NextToken": token})


describe_images_response.__name__ = "describe_images"
response(describe_images_response)


@backend
def describe_snapshots(self: Any, snapshot_ids: list[str] | None = None, filters: Any = None) -> list[Any]:
    found = [
        snapshot
        for other in backends_of(self.region_name)
        for snapshot in list(other.snapshots.values())
        if other is self or may_use_snapshot(other, snapshot, self.account_id)
    ]
    if snapshot_ids:
        for snapshot_id in snapshot_ids:
            if not SNAPSHOT_ID.fullmatch(snapshot_id):
                raise EC2ClientError("InvalidSnapshotID.Malformed", f'Invalid id: "{snapshot_id}"')
        found = [snapshot for snapshot in found if snapshot.id in snapshot_ids]
        missing = [i for i in snapshot_ids if i not in {snapshot.id for snapshot in found}]
        if missing:
            raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot '{missing[0]}' does not exist.")
    return generic_filter(filters, found) if filters else found


@response
def describe_snapshots_response(self: Any) -> ActionResult:
    self.error_on_dryrun()
    found = self.ec2_backend.describe_snapshots(self._get_param("SnapshotIds", []), self._filters_from_querystring())
    owners = {self.current_account if o == "self" else o for o in self._get_param("OwnerIds", [])}
    if owners:
        found = [snapshot for snapshot in found if snapshot.owner_id in owners]
    restorers = self._get_param("RestorableByUserIds", [])
    if restorers:
        users = {self.current_account if r == "self" else r for r in restorers}
        found = [
            s for s in found if users & s.create_volume_permission_userids or ("all" in restorers and "all" in s.create_volume_permission_groups)
        ]
    found, token = page(self, found)
    own = self.current_account
    shown = [s if s.owner_id == own else Seen(s, tag_set=[], tags=[], tag_list=[]) for s in found]
    return ActionResult({"Snapshots": shown, "NextToken": token})


describe_snapshots_response.__name__ = "describe_snapshots"
response(describe_snapshots_response)


# --- Volumes, snapshots and their keys ----------------------------------------------------------------------------------


@backend
def get_snapshot(self: Any, snapshot_id: str) -> Any:
    snapshot = find_snapshot(self, snapshot_id)
    if snapshot is None:
        raise EC2ClientError("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")
    return snapshot


@backend
def create_volume(self: Any, *args: Any, **kwargs: Any) -> Any:
    """EBS user guide, "Amazon EBS encryption": encryption by default; a volume of an encrypted snapshot is encrypted, under the
    snapshot's key if the account owns it. Keys read back as ARNs (EC2 API reference, DescribeVolumes)."""
    source = find_snapshot(self, kwargs["snapshot_id"]) if kwargs.get("snapshot_id") else None
    if self.ebs_encryption_by_default:
        kwargs["encrypted"] = True
    volume = create_volume.wrapped(self, *args, **kwargs)  # type: ignore[attr-defined]
    if volume.encrypted:
        inherited = source.kms_key_id if source is not None and source.owner_id == self.account_id else None
        volume.kms_key_id = key_arn(self, kwargs.get("kms_key_id") or inherited)
    return volume


@backend
def create_snapshot(self: Any, *args: Any, **kwargs: Any) -> Any:
    """EBS user guide, "Amazon EBS encryption": a snapshot of an encrypted volume is encrypted under the volume's key."""
    snapshot = create_snapshot.wrapped(self, *args, **kwargs)  # type: ignore[attr-defined]
    if snapshot.encrypted:
        snapshot.kms_key_id = snapshot.volume.kms_key_id
    return snapshot


@response
def copy_snapshot(self: Any) -> ActionResult:
    """EC2 API reference, CopySnapshot: Encrypted and KmsKeyId as for CopyImage."""
    self.error_on_dryrun()
    ec2 = self.ec2_backend
    source_id, key = self._get_param("SourceSnapshotId"), self._get_param("KmsKeyId")
    source = ec2_backends[self.current_account][self._get_param("SourceRegion")].get_snapshot(source_id)
    encrypted = source.encrypted or bool(key) or self._get_bool_param("Encrypted", False) or ec2.ebs_encryption_by_default
    tags = tags_for(self, "snapshot")
    snapshot = make_snapshot(ec2, source.volume, self._get_param("Description"), None, key_arn(ec2, key) if encrypted else None, tags)
    return ActionResult({"SnapshotId": snapshot.id, "Tags": snapshot.tag_set})


@response
def delete_snapshot(self: Any) -> ActionResult:
    """EC2 API reference, DeleteSnapshot: "You cannot delete a snapshot of the root device of an EBS volume used by a registered AMI." """
    self.error_on_dryrun()
    ec2 = self.ec2_backend
    snapshot = own_snapshot(ec2, self._get_param("SnapshotId"))
    for image in list(ec2.amis.values()):
        roots = [m["Ebs"].get("SnapshotId") for m in image.block_device_mappings if m["DeviceName"] == image.root_device_name and "Ebs" in m]
        if snapshot.id in roots:
            raise EC2ClientError("InvalidSnapshot.InUse", f"The snapshot {snapshot.id} is currently in use by {image.id}")
    del ec2.snapshots[snapshot.id]
    return EmptyResult()


@backend
def _create_default_encryption_key(self: Any) -> str:
    """KMS developer guide, "AWS KMS keys": the key of alias/aws/ebs is AWS managed, which DescribeKey tells as KeyManager AWS."""
    from moto.kms import kms_backends

    arn = _create_default_encryption_key.wrapped(self)  # type: ignore[attr-defined]
    kms_backends[self.account_id][self.region_name].describe_key(lookup.MANAGED_KEY_ALIAS).key_manager = "AWS"
    return arn


@backend
def run_instances(self: Any, image_id: str, *args: Any, **kwargs: Any) -> Any:
    """EC2 user guide, "Share an AMI with specific AWS accounts": launching needs a launch permission. Words: DataBiosphere/toil#3512.
    An AMI id that nobody has is let through, as by moto: tests launch instances without an AMI."""
    images = [image for other in backends_of(self.region_name) for image in list(other.amis.values()) if image.id == image_id]
    if images and images[0] not in available_images(self):
        raise EC2ClientError("AuthFailure", f"Not authorized for images: [{image_id}]")
    if images and STATE.image_state(image_id, images[0].state) != "available":
        raise EC2ClientError("InvalidAMIID.Unavailable", f"The image id '[{image_id}]' is not available")
    return run_instances.wrapped(self, image_id, *args, **kwargs)  # type: ignore[attr-defined]


@on(Instance)
def setup_defaults(self: Any) -> None:
    """EC2 user guide, "Block device mappings": an instance gets the volumes of its AMI. Launching needs no permission on the snapshots."""
    images = [image for image in available_images(self.ec2_backend) if image.id == self.image_id]
    mappings = [m for m in images[0].block_device_mappings if "Ebs" in m] if images else []
    if not mappings:
        setup_defaults.wrapped(self)  # type: ignore[attr-defined]
        return
    for mapping in mappings:
        block = mapping["Ebs"]
        volume = self.ec2_backend.create_volume(
            size=block.get("VolumeSize") or 8, zone_name=self._placement.zone, encrypted=bool(block.get("Encrypted"))
        )
        snapshot = find_snapshot(self.ec2_backend, block.get("SnapshotId", ""))
        volume.snapshot_id = block.get("SnapshotId")
        if snapshot is not None and snapshot.owner_id == self.ec2_backend.account_id and snapshot.kms_key_id:
            volume.kms_key_id = snapshot.kms_key_id
        self.ec2_backend.attach_volume(volume.id, self.id, mapping["DeviceName"], bool(block.get("DeleteOnTermination", True)))


# --- AMIs at once, for tests (POST /overlay/images) ---------------------------------------------------------------------


def make_ready(spec: dict[str, Any]) -> dict[str, Any]:
    """One AMI with its snapshots, shared as asked, past every check: what a test starts from."""
    region, account = spec.get("region", "us-east-1"), spec.get("accountId", "123456789012")
    ec2 = ec2_backends[account][region]
    key = key_arn(ec2, spec.get("kmsKeyId")) if spec.get("encrypted") or spec.get("kmsKeyId") else None
    image_id = random_ami_id()
    mappings: list[Mapping] = []
    made = []
    for n in range(spec.get("snapshots", 1)):
        volume = ec2.create_volume(size=8 + n, zone_name=None)
        snapshot = make_snapshot(ec2, volume, f"Made for {image_id}", image_id, key, {})
        ec2.delete_volume(volume.id)
        asked = spec.get("createVolumePermissions", [])
        grants = asked[n] if asked and isinstance(asked[0], list) else asked
        snapshot.create_volume_permission_userids = {g["UserId"] for g in grants if "UserId" in g}
        snapshot.create_volume_permission_groups = {g["Group"] for g in grants if "Group" in g}
        made.append(snapshot.id)
        mappings.append({"DeviceName": "/dev/sda1" if n == 0 else f"/dev/sd{chr(97 + n)}", "Ebs": ebs(snapshot)})
    for n in range(spec.get("ephemeral", 0)):
        mappings.append({"DeviceName": f"/dev/xvdb{chr(97 + n)}", "VirtualName": f"ephemeral{n}"})
    image = make_image(ec2, image_id, mappings, spec.get("tags", {}), name=spec.get("name", f"made {utcnow():%H%M%S%f}"), virtualization_type="hvm")
    image.launch_permissions = [dict(g) for g in spec.get("launchPermissions", [])]
    image.state = spec.get("state", "available")
    return {"imageId": image_id, "snapshotIds": made, "region": region, "accountId": account}
