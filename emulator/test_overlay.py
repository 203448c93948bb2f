"""One check for each rule of the overlay, over the wire, with boto3 and the AWS CLI: `python -m unittest discover emulator`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = Path(__file__).parent
OWNER, OTHER, THIRD = "123456789012", "222222222222", "333333333333"
ORGANIZATION = "arn:aws:organizations::123456789012:organization/o-abcdefghij"
UNIT = "arn:aws:organizations::123456789012:ou/o-abcdefghij/ou-ab12-abcdefgh"
ABSENT_IMAGE, ABSENT_SNAPSHOT = "ami-0123456789abcdef0", "snap-0123456789abcdef0"
REGION = "us-east-1"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


def launch(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, str(HERE / "serve.py"), *arguments], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    found = re.fullmatch(r"emulator ready (http://127\.0\.0\.1:\d+)\n", line)
    assert found, f"not ready: {line!r}"
    return process, found.group(1)


def setUpModule() -> None:
    global process, url, ec2, west, other, kms, other_keys
    process, url = launch("--with-parent")
    sts = client("sts")
    given = sts.assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/x", RoleSessionName="test")["Credentials"]
    other_keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    ec2, west, kms = client("ec2"), client("ec2", region="eu-west-1"), client("kms")
    other = client("ec2", keys=other_keys)


def tearDownModule() -> None:
    process.send_signal(signal.SIGTERM)
    process.wait(3)
    assert process.stdout is not None
    process.stdout.close()


def client(service: str, region: str = REGION, keys: dict[str, str] = KEYS) -> Any:
    config = Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=15)
    return boto3.client(service, region_name=region, endpoint_url=url, config=config, **keys)


def control(method: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(url + path, method=method, data=None if body is None else json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


class Case(unittest.TestCase):
    def setUp(self) -> None:
        control("POST", "/overlay/reset")

    def configure(self, **config: Any) -> None:
        control("POST", "/overlay/config", config)

    def image(self, **spec: Any) -> tuple[str, list[str]]:
        made = control("POST", "/overlay/images", spec)
        return made["imageId"], made["snapshotIds"]

    def refused(self, code: str, call: Any, /, status: int | None = None, **arguments: Any) -> str:
        with self.assertRaises(ClientError) as caught:
            call(**arguments)
        answer = caught.exception.response
        self.assertEqual(answer["Error"]["Code"], code, answer["Error"].get("Message"))
        if status is not None:
            self.assertEqual(answer["ResponseMetadata"]["HTTPStatusCode"], status)
        return answer["Error"]["Message"]

    def share(self, image_id: str, by: Any = None, **changes: Any) -> None:
        (by or ec2).modify_image_attribute(ImageId=image_id, LaunchPermission=changes)

    def grants(self, image_id: str, by: Any = None) -> list[str]:
        found = (by or ec2).describe_image_attribute(ImageId=image_id, Attribute="launchPermission")["LaunchPermissions"]
        return sorted(value for grant in found for value in grant.values())

    def volumes(self, snapshot_id: str) -> list[str]:
        found = ec2.describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
        return sorted(value for grant in found["CreateVolumePermissions"] for value in grant.values())

    def share_snapshot(self, snapshot_id: str, **changes: Any) -> None:
        ec2.modify_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission", CreateVolumePermission=changes)


def users(*ids: str) -> list[dict[str, str]]:
    return [{"UserId": i} for i in ids]


def numbered(count: int) -> list[str]:
    return [f"{n:012d}" for n in range(1, count + 1)]


ALL = [{"Group": "all"}]


class ImageSharing(Case):
    def test_every_kind_of_grantee_added_and_removed_in_one_call(self) -> None:
        image, _ = self.image()
        self.share(image, Add=[*users(OTHER, THIRD), *ALL, {"OrganizationArn": ORGANIZATION}, {"OrganizationalUnitArn": UNIT}])
        self.assertEqual(self.grants(image), sorted([OTHER, THIRD, "all", ORGANIZATION, UNIT]))
        self.share(image, Add=users("444444444444"), Remove=[*users(OTHER), *ALL])
        self.assertEqual(self.grants(image), sorted(["444444444444", THIRD, ORGANIZATION, UNIT]))
        self.share(image, Add=users(THIRD, THIRD))
        self.assertEqual(len(self.grants(image)), 4)

    def test_flat_form_keeps_every_organization(self) -> None:
        image, _ = self.image()
        second = ORGANIZATION.replace("o-abcdefghij", "o-klmnopqrst")
        ec2.modify_image_attribute(ImageId=image, Attribute="launchPermission", OperationType="add", UserIds=[OTHER], OrganizationArns=[ORGANIZATION, second])
        self.assertEqual(self.grants(image), sorted([OTHER, ORGANIZATION, second]))

    def test_reset_takes_every_grant(self) -> None:
        image, _ = self.image(launchPermissions=[*users(OTHER), *ALL])
        ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")
        self.assertEqual(self.grants(image), [])

    def test_bad_items_refuse_the_whole_call(self) -> None:
        image, _ = self.image()
        for bad in (
            {"UserId": "1234"},
            {"UserId": "1234-5678-9012"},
            {"Group": "everybody"},
            {"OrganizationArn": "o-abcdefghij"},
            {"OrganizationalUnitArn": ORGANIZATION},
        ):
            self.refused("InvalidAMIAttributeItemValue", self.share, image_id=image, Add=[*users(OTHER), bad])
        self.assertEqual(self.grants(image), [])

    def test_empty_change(self) -> None:
        image, _ = self.image()
        self.refused("MissingParameter", self.share, image_id=image)
        self.refused("MissingParameter", ec2.modify_image_attribute, ImageId=image, Attribute="launchPermission", OperationType="add")

    def test_more_than_10000_accounts_in_a_call(self) -> None:
        image, _ = self.image()
        self.configure(entityQuota=20_000)
        self.refused("InvalidParameterValue", self.share, image_id=image, Add=users(*numbered(10_001)))
        self.share(image, Add=users(*numbered(10_000)))

    def test_ids(self) -> None:
        describe = lambda image: ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")  # noqa: E731
        reset = lambda image: ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")  # noqa: E731
        share = lambda image: self.share(image, Add=users(OTHER))  # noqa: E731
        image, _ = self.image()
        elsewhere, _ = self.image(region="eu-west-1")
        foreign, _ = self.image(accountId=OTHER, launchPermissions=ALL)
        gone, _ = self.image()
        ec2.deregister_image(ImageId=gone)
        for call in (describe, share, reset):
            self.refused("InvalidAMIID.Malformed", call, image="image-1")
            self.refused("InvalidAMIID.Malformed", call, image="ami-xyz")
            self.refused("InvalidAMIID.NotFound", call, image=ABSENT_IMAGE)
            self.refused("InvalidAMIID.NotFound", call, image=elsewhere)
            self.assertEqual(self.refused("AuthFailure", call, status=400, image=foreign), f"Not authorized for image:{foreign}")
            self.refused("InvalidAMIID.Unavailable", call, image=gone)
        self.configure(deregistered="gone")
        for call in (describe, share, reset):
            self.refused("InvalidAMIID.NotFound", call, image=gone)
        self.refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[gone])
        self.configure(deregistered="listed")
        self.assertEqual(ec2.describe_images(ImageIds=[gone])["Images"][0]["State"], "deregistered")
        self.configure(deregistered="recent")
        self.assertEqual(ec2.describe_images(ImageIds=[gone])["Images"], [])
        self.refused("InvalidAMIID.NotFound", ec2.describe_images, ImageIds=[image, ABSENT_IMAGE])

    def test_dry_run_finds_no_bad_account(self) -> None:
        image, _ = self.image()
        arguments = {"ImageId": image, "LaunchPermission": {"Add": users("1")}, "DryRun": True}
        self.refused("DryRunOperation", ec2.modify_image_attribute, status=412, **arguments)

    def test_description_is_changed_too(self) -> None:
        image, _ = self.image()
        ec2.modify_image_attribute(ImageId=image, Description={"Value": "words"})
        self.assertEqual(ec2.describe_image_attribute(ImageId=image, Attribute="description")["Description"]["Value"], "words")
        self.assertEqual(ec2.describe_images(ImageIds=[image])["Images"][0]["Description"], "words")

    def test_answers_come_in_any_order(self) -> None:
        image, (snapshot,) = self.image(launchPermissions=users(*numbered(20)), createVolumePermissions=users(*numbered(20)))
        ask = (
            lambda: ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")["LaunchPermissions"],
            lambda: ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")["CreateVolumePermissions"],
        )
        for call in ask:
            self.assertGreater(len({str(call()) for _ in range(3)}), 1)

    def test_entity_quota_counts_accounts_and_organizations_but_not_public(self) -> None:
        image, _ = self.image(launchPermissions=users(*numbered(999)))
        self.share(image, Add=[{"OrganizationArn": ORGANIZATION}, *ALL])
        words = self.refused("ResourceLimitExceeded", self.share, image_id=image, Add=users(OTHER))
        self.assertIn("quota of 1000", words)
        self.assertEqual(len(self.grants(image)), 1001)
        self.share(image, Add=users(OTHER), Remove=users("000000000001"))
        self.configure(entityQuota=1001)
        self.share(image, Add=users(THIRD))

    def test_public_images_per_region(self) -> None:
        control("POST", "/moto-api/reset")
        control("POST", "/overlay/images", [{"launchPermissions": ALL}] * 5)
        image, _ = self.image()
        self.assertIn("quota of 5 ", self.refused("ResourceLimitExceeded", self.share, image_id=image, Add=ALL))
        there, _ = self.image(region="eu-west-1")
        self.share(there, by=west, Add=ALL)
        self.configure(publicImageQuota=6)
        self.share(image, Add=ALL)
        self.share(image, Add=ALL)

    def test_declarative_policy_sets_what_the_account_cannot_change(self) -> None:
        self.configure(declarativePolicy={"image": "block-new-sharing", "snapshot": "block-all-sharing"})
        image, (snapshot,) = self.image(snapshots=1)
        found = ec2.get_image_block_public_access_state()
        self.assertEqual((found["ImageBlockPublicAccessState"], found["ManagedBy"]), ("block-new-sharing", "declarative-policy"))
        found = ec2.get_snapshot_block_public_access_state()
        self.assertEqual((found["State"], found["ManagedBy"]), ("block-all-sharing", "declarative-policy"))
        self.refused("OperationNotPermitted", ec2.disable_image_block_public_access)
        self.refused("OperationNotPermitted", ec2.disable_snapshot_block_public_access)
        self.refused("OperationNotPermitted", ec2.modify_image_attribute, ImageId=image, LaunchPermission={"Add": [{"Group": "all"}]})
        self.refused("OperationNotPermitted", ec2.modify_snapshot_attribute, SnapshotId=snapshot, OperationType="add", GroupNames=["all"])

    def test_block_public_access(self) -> None:
        image, _ = self.image()
        public, _ = self.image(launchPermissions=ALL)
        self.assertEqual(ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"], "unblocked")
        mode = "block-new-sharing"
        self.assertEqual(ec2.enable_image_block_public_access(ImageBlockPublicAccessState=mode)["ImageBlockPublicAccessState"], mode)
        self.assertEqual(ec2.get_image_block_public_access_state()["ImageBlockPublicAccessState"], mode)
        self.assertEqual(west.get_image_block_public_access_state()["ImageBlockPublicAccessState"], "unblocked")
        self.assertEqual(other.get_image_block_public_access_state()["ImageBlockPublicAccessState"], "unblocked")
        self.assertIn("block public access", self.refused("OperationNotPermitted", self.share, image_id=image, Add=ALL))
        self.share(image, Add=users(OTHER))
        self.assertEqual(self.grants(public), ["all"])
        self.share(public, Remove=ALL)
        self.assertEqual(ec2.disable_image_block_public_access()["ImageBlockPublicAccessState"], "unblocked")
        self.share(image, Add=ALL)

    def test_encryption(self) -> None:
        managed, _ = self.image(encrypted=True, snapshots=2)
        words = self.refused("InvalidParameter", self.share, image_id=managed, Add=users(OTHER))
        self.assertIn("AWS Managed CMK", words)
        own = kms.create_key()["KeyMetadata"]["Arn"]
        image, _ = self.image(kmsKeyId=own)
        self.share(image, Add=users(OTHER))
        self.refused("UnsupportedOperation", self.share, image_id=image, Add=ALL)

    def test_product_codes_and_watermarks_cannot_be_public(self) -> None:
        image, _ = self.image()
        self.configure(productCodes={image: ["abc"]})
        self.refused("OperationNotPermitted", self.share, image_id=image, Add=ALL)
        codes = ec2.describe_image_attribute(ImageId=image, Attribute="productCodes")["ProductCodes"]
        self.assertEqual(codes, [{"ProductCodeId": "abc", "ProductCodeType": "marketplace"}])
        self.assertEqual(ec2.describe_images(ImageIds=[image])["Images"][0]["ProductCodes"], codes)
        self.configure(productCodes={}, watermarks={image: ["mark"]})
        self.refused("OperationNotPermitted", self.share, image_id=image, Add=ALL)
        self.assertEqual(ec2.describe_images(ImageIds=[image])["Images"][0]["ImageWatermarks"][0]["WatermarkKey"], "mark")
        self.share(image, Add=users(OTHER))

    def test_marketplace_grant_reads_back_and_stays(self) -> None:
        image, (snapshot,) = self.image(launchPermissions=users(OTHER))
        self.configure(marketplace=[image, snapshot])
        self.assertEqual(self.volumes(snapshot), ["aws-marketplace"])
        self.assertEqual(self.grants(image), [OTHER, "aws-marketplace"])
        self.refused("InvalidAMIAttributeItemValue", self.share, image_id=image, Remove=users("aws-marketplace"))
        ec2.reset_image_attribute(ImageId=image, Attribute="launchPermission")
        self.assertEqual(self.grants(image), ["aws-marketplace"])

    def test_disable_takes_the_grants_and_enable_does_not_bring_them_back(self) -> None:
        image, _ = self.image(launchPermissions=users(OTHER))
        self.refused("AuthFailure", other.disable_image, ImageId=image)
        ec2.disable_image(ImageId=image)
        self.assertEqual(self.grants(image), [])
        self.refused("InvalidAMIID.Unavailable", self.share, image_id=image, Add=users(OTHER))
        self.assertEqual(ec2.describe_images(Owners=["self"], ImageIds=[image])["Images"], [])
        self.assertEqual(ec2.describe_images(ImageIds=[image], IncludeDisabled=True)["Images"][0]["State"], "disabled")
        ec2.enable_image(ImageId=image)
        self.assertEqual(self.grants(image), [])
        self.share(image, Add=users(OTHER))

    def test_a_consumer_cancels_its_own_share_only(self) -> None:
        image, _ = self.image(launchPermissions=users(OTHER, THIRD))
        self.assertTrue(other.cancel_image_launch_permission(ImageId=image)["Return"])
        self.assertEqual(self.grants(image), [THIRD])
        self.refused("InvalidAMIID.NotFound", other.cancel_image_launch_permission, ImageId=image)
        public, _ = self.image(launchPermissions=ALL)
        self.refused("InvalidRequest", other.cancel_image_launch_permission, ImageId=public)


class SnapshotSharing(Case):
    def test_both_forms(self) -> None:
        _, (snapshot,) = self.image()
        self.share_snapshot(snapshot, Add=[*users(OTHER, THIRD), *ALL])
        self.assertEqual(self.volumes(snapshot), [OTHER, THIRD, "all"])
        self.share_snapshot(snapshot, Remove=[{"UserId": OTHER, "Group": "all"}])
        self.assertEqual(self.volumes(snapshot), [THIRD])
        flat = {"SnapshotId": snapshot, "Attribute": "createVolumePermission"}
        ec2.modify_snapshot_attribute(**flat, OperationType="add", UserIds=[OTHER], GroupNames=["all"])
        ec2.modify_snapshot_attribute(**flat, OperationType="remove", UserIds=[THIRD])
        self.assertEqual(self.volumes(snapshot), [OTHER, "all"])
        ec2.reset_snapshot_attribute(**flat)
        self.assertEqual(self.volumes(snapshot), [])

    def test_refusals(self) -> None:
        _, (snapshot,) = self.image()
        self.refused("InvalidParameterCombination", self.share_snapshot, snapshot_id=snapshot, Add=users(OTHER), Remove=users(THIRD))
        self.refused("InvalidParameterValue", self.share_snapshot, snapshot_id=snapshot, Add=users(*numbered(501)))
        self.refused("InvalidAMIAttributeItemValue", self.share_snapshot, snapshot_id=snapshot, Add=users("1234"))
        self.refused("InvalidAMIAttributeItemValue", self.share_snapshot, snapshot_id=snapshot, Add=[{"Group": "some"}])
        self.refused("MissingParameter", self.share_snapshot, snapshot_id=snapshot)
        self.refused("DryRunOperation", ec2.modify_snapshot_attribute, SnapshotId=snapshot, OperationType="add", UserIds=[OTHER], DryRun=True)
        self.assertEqual(self.volumes(snapshot), [])
        self.share_snapshot(snapshot, Add=users(*numbered(500)))

    def test_organizations_are_refused(self) -> None:
        _, (snapshot,) = self.image()
        form = f"Action=ModifySnapshotAttribute&Version=2016-11-15&SnapshotId={snapshot}&CreateVolumePermission.Add.1.OrganizationArn={ORGANIZATION}"
        self.assertIn("UnknownParameter", raw(form))

    def test_ids(self) -> None:
        _, (foreign,) = self.image(accountId=OTHER)
        for call in (
            lambda snapshot: self.volumes(snapshot),
            lambda snapshot: self.share_snapshot(snapshot, Add=users(OTHER)),
            lambda snapshot: ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission"),
        ):
            self.refused("InvalidSnapshotID.Malformed", call, snapshot="snap-xyz")
            self.refused("InvalidSnapshot.NotFound", call, snapshot=ABSENT_SNAPSHOT)
            self.refused("AuthFailure", call, status=400, snapshot=foreign)

    def test_the_owner_never_reads_back(self) -> None:
        _, (snapshot,) = self.image()
        self.share_snapshot(snapshot, Add=users(OWNER, OTHER))
        self.assertEqual(self.volumes(snapshot), [OTHER])

    def test_encryption_and_product_codes(self) -> None:
        _, (managed,) = self.image(encrypted=True)
        self.assertIn("EBS default key", self.refused("OperationNotPermitted", self.share_snapshot, snapshot_id=managed, Add=users(OTHER)))
        _, (own,) = self.image(kmsKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
        self.share_snapshot(own, Add=users(OTHER))
        self.assertIn("publicly", self.refused("OperationNotPermitted", self.share_snapshot, snapshot_id=own, Add=ALL))
        _, (sold,) = self.image()
        self.configure(productCodes={sold: ["abc"]})
        self.refused("OperationNotPermitted", self.share_snapshot, snapshot_id=sold, Add=ALL)
        codes = ec2.describe_snapshot_attribute(SnapshotId=sold, Attribute="productCodes")["ProductCodes"]
        self.assertEqual(codes[0]["ProductCodeId"], "abc")

    def test_block_public_access(self) -> None:
        _, (snapshot,) = self.image(createVolumePermissions=ALL)
        _, (private,) = self.image()
        self.assertEqual(ec2.get_snapshot_block_public_access_state()["State"], "unblocked")
        for mode in ("block-new-sharing", "block-all-sharing"):
            self.assertEqual(ec2.enable_snapshot_block_public_access(State=mode)["State"], mode)
            self.assertEqual(ec2.get_snapshot_block_public_access_state()["State"], mode)
            self.refused("OperationNotPermitted", self.share_snapshot, snapshot_id=private, Add=ALL)
            self.assertEqual(self.volumes(snapshot), ["all"])
            visible = mode == "block-new-sharing"
            if visible:
                other.describe_snapshots(SnapshotIds=[snapshot])
            else:
                self.refused("InvalidSnapshot.NotFound", other.describe_snapshots, SnapshotIds=[snapshot])
        self.refused("InvalidParameterValue", ec2.enable_snapshot_block_public_access, State="unblocked-not")
        self.assertEqual(ec2.disable_snapshot_block_public_access()["State"], "unblocked")
        self.share_snapshot(private, Add=ALL)


class MakingImages(Case):
    def mappings(self, image_id: str, by: Any = None) -> list[dict[str, Any]]:
        return (by or ec2).describe_images(ImageIds=[image_id])["Images"][0]["BlockDeviceMappings"]

    def snapshots(self, image_id: str, by: Any = None) -> list[str]:
        return [m["Ebs"]["SnapshotId"] for m in self.mappings(image_id, by) if "SnapshotId" in m.get("Ebs", {})]

    def test_register_keeps_what_is_given(self) -> None:
        made = []
        for size in (8, 20):
            volume = ec2.create_volume(Size=size, AvailabilityZone="us-east-1a")["VolumeId"]
            made.append(ec2.create_snapshot(VolumeId=volume)["SnapshotId"])
        image = ec2.register_image(
            Name="two",
            RootDeviceName="/dev/xvda",
            TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "k", "Value": "v"}]}],
            BlockDeviceMappings=[
                {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": made[0], "DeleteOnTermination": False, "VolumeType": "gp2"}},
                {"DeviceName": "/dev/xvdb", "Ebs": {"SnapshotId": made[1]}},
                {"DeviceName": "/dev/xvdc", "Ebs": {"VolumeSize": 5}},
                {"DeviceName": "/dev/xvdd", "VirtualName": "ephemeral0"},
            ],
        )["ImageId"]
        seen = ec2.describe_images(ImageIds=[image])["Images"][0]
        self.assertEqual((seen["RootDeviceName"], seen["RootDeviceType"], seen["Tags"]), ("/dev/xvda", "ebs", [{"Key": "k", "Value": "v"}]))
        first, second, blank, ephemeral = seen["BlockDeviceMappings"]
        self.assertEqual(first["Ebs"]["SnapshotId"], made[0])
        self.assertEqual((first["Ebs"]["VolumeSize"], first["Ebs"]["DeleteOnTermination"], first["Ebs"]["VolumeType"]), (8, False, "gp2"))
        self.assertEqual((second["Ebs"]["SnapshotId"], second["Ebs"]["VolumeSize"]), (made[1], 20))
        self.assertNotIn("SnapshotId", blank["Ebs"])
        self.assertEqual(ephemeral, {"DeviceName": "/dev/xvdd", "VirtualName": "ephemeral0"})
        found = ec2.describe_images(Filters=[{"Name": "block-device-mapping.snapshot-id", "Values": [made[1]]}])["Images"]
        self.assertEqual([i["ImageId"] for i in found], [image])
        self.refused("InvalidSnapshot.InUse", ec2.delete_snapshot, SnapshotId=made[0])
        ec2.delete_snapshot(SnapshotId=made[1])
        self.refused("InvalidSnapshot.NotFound", self.volumes, snapshot_id=made[1])
        self.assertEqual(self.snapshots(image), made)
        missing = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": ABSENT_SNAPSHOT}}]
        self.refused("InvalidSnapshot.NotFound", ec2.register_image, Name="none", BlockDeviceMappings=missing)

    def test_one_snapshot_for_each_volume_of_an_instance(self) -> None:
        image, _ = self.image(snapshots=2)
        key = kms.create_key()["KeyMetadata"]["Arn"]
        instance = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        volume = ec2.create_volume(Size=30, AvailabilityZone="us-east-1a", Encrypted=True, KmsKeyId=key)["VolumeId"]
        ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdz")
        made = ec2.create_image(InstanceId=instance, Name="three")["ImageId"]
        seen = self.mappings(made)
        self.assertEqual([(m["DeviceName"], m["Ebs"]["VolumeSize"], m["Ebs"]["Encrypted"]) for m in seen][-1], ("/dev/sdz", 30, True))
        self.assertEqual(len(set(self.snapshots(made))), 3)
        described = {s["SnapshotId"]: s for s in ec2.describe_snapshots(SnapshotIds=self.snapshots(made))["Snapshots"]}
        self.assertEqual(described[seen[-1]["Ebs"]["SnapshotId"]]["KmsKeyId"], key)

    def test_two_snapshots_in_two_calls(self) -> None:
        base, _ = self.image()
        mappings = [{"DeviceName": d, "Ebs": {"VolumeSize": 8}} for d in ("/dev/sda1", "/dev/sdb")]
        instance = ec2.run_instances(ImageId=base, MinCount=1, MaxCount=1, BlockDeviceMappings=mappings)["Instances"][0]["InstanceId"]
        self.assertEqual(len(self.snapshots(ec2.create_image(InstanceId=instance, Name="two")["ImageId"])), 2)

    def test_copies(self) -> None:
        image, _ = self.image(snapshots=2, ephemeral=1, launchPermissions=users(OTHER), tags={"k": "v"})
        plain = west.copy_image(Name="copy", SourceImageId=image, SourceRegion=REGION)["ImageId"]
        seen = west.describe_images(ImageIds=[plain])["Images"][0]
        self.assertEqual((seen["SourceImageId"], seen["SourceImageRegion"], seen["Tags"]), (image, REGION, []))
        self.assertEqual(len(seen["BlockDeviceMappings"]), 3)
        self.assertEqual(self.grants(plain, by=west), [])
        key = client("kms", region="eu-west-1").create_key()["KeyMetadata"]["Arn"]
        sealed = west.copy_image(Name="sealed", SourceImageId=image, SourceRegion=REGION, Encrypted=True, KmsKeyId=key, CopyImageTags=True)["ImageId"]
        for snapshot in west.describe_snapshots(SnapshotIds=self.snapshots(sealed, west))["Snapshots"]:
            self.assertEqual((snapshot["Encrypted"], snapshot["KmsKeyId"]), (True, key))
        self.assertTrue(self.mappings(sealed, west)[0]["Ebs"]["Encrypted"])
        self.assertEqual(west.describe_images(ImageIds=[sealed])["Images"][0]["Tags"], [{"Key": "k", "Value": "v"}])
        self.share(sealed, by=west, Add=users(OTHER))
        # Without a key the copy of an encrypted AMI is under the AWS managed key, and so cannot be shared.
        default = west.copy_image(Name="default", SourceImageId=sealed, SourceRegion="eu-west-1")["ImageId"]
        self.refused("InvalidParameter", self.share, image_id=default, by=west, Add=users(OTHER))
        self.refused("InvalidParameterDependency", west.copy_image, Name="wrong", SourceImageId=image, SourceRegion=REGION, KmsKeyId=key)

    def test_encryption_by_default(self) -> None:
        ec2.enable_ebs_encryption_by_default()
        try:
            volume = ec2.create_volume(Size=8, AvailabilityZone="us-east-1a")
            snapshot = ec2.create_snapshot(VolumeId=volume["VolumeId"])["SnapshotId"]
            seen = ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]
            self.assertTrue(volume["Encrypted"] and seen["Encrypted"])
            self.assertEqual(kms.describe_key(KeyId=seen["KmsKeyId"])["KeyMetadata"]["KeyManager"], "AWS")
            self.refused("OperationNotPermitted", self.share_snapshot, snapshot_id=snapshot, Add=users(OTHER))
        finally:
            ec2.disable_ebs_encryption_by_default()
        key = kms.create_key()["KeyMetadata"]["Arn"]
        copy = ec2.copy_snapshot(SourceSnapshotId=snapshot, SourceRegion=REGION, KmsKeyId=key, Encrypted=True)["SnapshotId"]
        self.share_snapshot(copy, Add=users(OTHER))

    def test_pages(self) -> None:
        control("POST", "/moto-api/reset")
        control("POST", "/overlay/images", [{"snapshots": 2}] * 5)
        pages = list(ec2.get_paginator("describe_images").paginate(Owners=["self"], PaginationConfig={"PageSize": 2}))
        self.assertEqual([len(p["Images"]) for p in pages], [2, 2, 1])
        pages = list(ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], PaginationConfig={"PageSize": 6}))
        self.assertEqual([len(p["Snapshots"]) for p in pages], [6, 4])


class SecondAccount(Case):
    def ids(self, **arguments: Any) -> set[str]:
        return {image["ImageId"] for image in other.describe_images(**arguments)["Images"]}

    def test_sees_launches_and_copies_what_is_shared_with_it(self) -> None:
        image, snapshots = self.image(snapshots=2, launchPermissions=users(OTHER), tags={"secret": "x"})
        private, _ = self.image()
        public, _ = self.image(launchPermissions=ALL)
        self.assertEqual(self.ids(ExecutableUsers=["self"]) & {image, private, public}, {image})
        self.assertEqual(self.ids(ExecutableUsers=["all"]) & {image, private, public}, {public})
        self.assertEqual(self.ids() & {image, private, public}, {image, public})
        self.assertEqual(other.describe_images(ImageIds=[image])["Images"][0]["Tags"], [])
        self.refused("InvalidAMIID.NotFound", other.describe_images, ImageIds=[private])
        self.refused("AuthFailure", other.run_instances, ImageId=private, MinCount=1, MaxCount=1)
        instance = other.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"][0]
        self.assertEqual(len(instance["BlockDeviceMappings"]), 2)
        copy = {"Name": "mine", "SourceImageId": image, "SourceRegion": REGION}
        self.assertIn("storage of this ami", self.refused("InvalidRequest", other.copy_image, **copy))
        self.refused("InvalidSnapshot.NotFound", other.create_volume, SnapshotId=snapshots[0], AvailabilityZone="us-east-1a")
        for snapshot in snapshots:
            self.share_snapshot(snapshot, Add=users(OTHER))
        self.assertEqual(other.describe_images(ImageIds=[other.copy_image(**copy)["ImageId"]])["Images"][0]["OwnerId"], OTHER)
        other.create_volume(SnapshotId=snapshots[0], AvailabilityZone="us-east-1a")
        restorable = {s["SnapshotId"] for s in other.describe_snapshots(RestorableByUserIds=["self"])["Snapshots"]}
        self.assertEqual(restorable & set(snapshots), set(snapshots))

    def test_header_form(self) -> None:
        mine, _ = self.image(accountId=THIRD)
        form = f"Action=DescribeImages&Version=2016-11-15&ImageId.1={mine}"
        self.assertIn(mine, raw(form, {"x-moto-account-id": THIRD}))
        self.assertIn("InvalidAMIID.NotFound", raw(form))

    def test_share_by_organization_and_unit(self) -> None:
        control("POST", "/moto-api/reset")
        organizations = client("organizations")
        organization = organizations.create_organization(FeatureSet="ALL")["Organization"]
        member = organizations.create_account(AccountName="m", Email="m@example.com")["CreateAccountStatus"]["AccountId"]
        root = organizations.list_roots()["Roots"][0]["Id"]
        unit = organizations.create_organizational_unit(ParentId=root, Name="outer")["OrganizationalUnit"]
        nested = organizations.create_organizational_unit(ParentId=unit["Id"], Name="inner")["OrganizationalUnit"]
        organizations.move_account(AccountId=member, SourceParentId=root, DestinationParentId=nested["Id"])
        for grant, seen in (
            ({"OrganizationArn": organization["Arn"]}, True),
            ({"OrganizationalUnitArn": unit["Arn"]}, True),
            ({"OrganizationalUnitArn": UNIT}, False),
        ):
            image, _ = self.image()
            self.share(image, Add=[grant])
            found = raw("Action=DescribeImages&Version=2016-11-15&ExecutableBy.1=self", {"x-moto-account-id": member})
            self.assertEqual(image in found, seen, grant)
        setUpCredentials()


def setUpCredentials() -> None:
    """moto forgets assumed roles when it is reset."""
    global other
    given = client("sts").assume_role(RoleArn=f"arn:aws:iam::{OTHER}:role/x", RoleSessionName="test")["Credentials"]
    keys = ("AccessKeyId", "SecretAccessKey", "SessionToken")
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    other = client("ec2", keys={name: given[key] for name, key in zip(names, keys)})


def raw(form: str, headers: dict[str, str] | None = None, access_key: str = "test") -> str:
    """A request as no client would send it, or with headers that clients do not set."""
    signed = f"AWS4-HMAC-SHA256 Credential={access_key}/20260101/{REGION}/ec2/aws4_request, SignedHeaders=host, Signature=0"
    request = urllib.request.Request(url + "/", data=form.encode(), headers={"Authorization": signed, **(headers or {})})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()
    except urllib.error.HTTPError as problem:
        with problem:
            return problem.read().decode()


class Usage(Case):
    def test_report(self) -> None:
        image, _ = self.image()
        uses = [{"accountId": OTHER, "count": 3}, {"accountId": THIRD, "resourceType": "ec2:LaunchTemplate"}]
        self.configure(usage={image: uses}, usageReportPendingReads=1)
        report = ec2.create_image_usage_report(ImageId=image, ResourceTypes=[{"ResourceType": "ec2:Instance"}])["ReportId"]
        states = [ec2.describe_image_usage_reports(ReportIds=[report])["ImageUsageReports"][0]["State"] for _ in range(2)]
        self.assertEqual(states, ["pending", "available"])
        entries = ec2.describe_image_usage_report_entries(ReportIds=[report])["ImageUsageReportEntries"]
        self.assertEqual([(e["AccountId"], e["ResourceType"], e["UsageCount"]) for e in entries], [(OTHER, "ec2:Instance", 3)])
        self.assertTrue(ec2.delete_image_usage_report(ReportId=report)["Return"])
        self.refused("InvalidImageUsageReportId.NotFound", ec2.describe_image_usage_reports, ReportIds=[report])
        only = ec2.create_image_usage_report(
            ImageId=image, ResourceTypes=[{"ResourceType": "ec2:Instance"}, {"ResourceType": "ec2:LaunchTemplate"}], AccountIds=[THIRD]
        )["ReportId"]
        ec2.describe_image_usage_reports(ReportIds=[only])
        entries = ec2.describe_image_usage_report_entries(ReportIds=[only])["ImageUsageReportEntries"]
        self.assertEqual([e["AccountId"] for e in entries], [THIRD])
        foreign, _ = self.image(accountId=OTHER)
        self.refused("AuthFailure", ec2.create_image_usage_report, ImageId=foreign, ResourceTypes=[{"ResourceType": "ec2:Instance"}])

    def test_report_in_error_and_made_once(self) -> None:
        image, _ = self.image()
        self.configure(usageReportError="no room", usage={image: [{"accountId": OTHER}]})
        asked: Any = {"ImageId": image, "ResourceTypes": [{"ResourceType": "ec2:Instance"}], "ClientToken": "once"}
        report = ec2.create_image_usage_report(**asked)["ReportId"]
        self.assertEqual(ec2.create_image_usage_report(**asked)["ReportId"], report)
        (found,) = ec2.describe_image_usage_reports(ImageIds=[image])["ImageUsageReports"]
        self.assertEqual((found["State"], found["StateReason"]), ("error", "no room"))
        self.assertEqual(ec2.describe_image_usage_report_entries(ReportIds=[report])["ImageUsageReportEntries"], [])


class Grants(Case):
    def grant(self, key: str, **more: Any) -> str:
        asked = {"KeyId": key, "GranteePrincipal": f"arn:aws:iam::{OTHER}:root", "Operations": ["Decrypt", "DescribeKey"], **more}
        return str(kms.create_grant(**asked)["GrantId"])

    def test_made_once_for_a_name(self) -> None:
        key = kms.create_key()["KeyMetadata"]["Arn"]
        first = self.grant(key, Name="one")
        self.assertEqual(self.grant(key, Name="one", Operations=["DescribeKey", "Decrypt"]), first)
        others = [self.grant(key, Name="two"), self.grant(key, Name="one", Operations=["Decrypt"]), self.grant(key), self.grant(key)]
        self.assertEqual(len({first, *others}), 5)

    def test_retired_by_whom_it_names_and_revoked_by_the_owner(self) -> None:
        key = kms.create_key()["KeyMetadata"]["Arn"]
        made = self.grant(key, Name="one")
        self.refused("AccessDeniedException", kms.retire_grant, KeyId=key, GrantId=made)
        self.assertEqual([g["GrantId"] for g in kms.list_grants(KeyId=key)["Grants"]], [made])
        kms.revoke_grant(KeyId=key, GrantId=made)
        self.refused("NotFoundException", kms.revoke_grant, KeyId=key, GrantId=made)
        own = self.grant(key, RetiringPrincipal=f"arn:aws:iam::{OWNER}:root")
        grantee = self.grant(key, GranteePrincipal=f"arn:aws:iam::{OWNER}:root", Operations=["RetireGrant"])
        for grant in own, grantee:
            kms.retire_grant(KeyId=key, GrantId=grant)
        self.assertEqual(kms.list_grants(KeyId=key)["Grants"], [])


class OnDemand(Case):
    def test_changes_answer_true(self) -> None:
        image, (snapshot,) = self.image(snapshots=1)
        for form in (
            f"ModifyImageAttribute&ImageId={image}&LaunchPermission.Add.1.UserId={OTHER}",
            f"ModifySnapshotAttribute&SnapshotId={snapshot}&OperationType=add&UserId.1={OTHER}",
            f"ResetImageAttribute&ImageId={image}&Attribute=launchPermission",
            f"ResetSnapshotAttribute&SnapshotId={snapshot}&Attribute=createVolumePermission",
        ):
            self.assertIn("<return>true</return>", raw(f"Action={form}&Version=2016-11-15"))

    def test_stale_reads(self) -> None:
        image, (snapshot,) = self.image()
        self.configure(staleReads=2)
        self.share(image, Add=users(OTHER))
        self.share_snapshot(snapshot, Add=users(OTHER))
        self.assertEqual([self.grants(image) for _ in range(3)], [[], [], [OTHER]])
        self.assertEqual([self.volumes(snapshot) for _ in range(3)], [[], [], [OTHER]])

    def test_pending_and_other_states(self) -> None:
        image, _ = self.image()
        self.configure(imagePendingReads=2)
        self.refused("InvalidAMIID.Unavailable", self.share, image_id=image, Add=users(OTHER))
        states = [ec2.describe_images(ImageIds=[image])["Images"][0]["State"] for _ in range(3)]
        self.assertEqual(states, ["pending", "pending", "available"])
        self.share(image, Add=users(OTHER))
        self.configure(imagePendingReads={image: 1}, imageStates={image: "failed"})
        self.assertEqual(ec2.describe_images(ImageIds=[image])["Images"][0]["State"], "failed")

    def test_expired_denied_throttled(self) -> None:
        image, _ = self.image()
        self.assertIn("RequestExpired", raw(f"Action=DescribeImages&ImageId.1={image}", access_key="ASIAEXPIRED000000001"))
        stale = {"aws_access_key_id": "ASIAEXPIRED000000001", "aws_secret_access_key": "x", "aws_session_token": "y"}
        self.refused("ExpiredToken", client("sts", keys=stale).get_caller_identity, status=403)
        self.configure(deny=["ec2:ModifyImageAttribute", "kms:CreateGrant"], throttle={"DescribeImages": 2})
        self.assertIn("ec2:ModifyImageAttribute", self.refused("UnauthorizedOperation", self.share, status=403, image_id=image, Add=users(OTHER)))
        self.refused("AccessDeniedException", kms.create_grant, KeyId="k", GranteePrincipal="p", Operations=["Decrypt"])
        for _ in range(2):
            self.refused("RequestLimitExceeded", ec2.describe_images, status=503, ImageIds=[image])
        ec2.describe_images(ImageIds=[image])

    def test_token_buckets(self) -> None:
        image, _ = self.image()
        self.configure(bucketRate=0.001)
        form = f"Action=ModifyImageAttribute&ImageId={image}&LaunchPermission.Add.1.UserId={OTHER}&Version=2016-11-15"
        answers = [raw(form) for _ in range(101)]
        self.assertEqual([n for n, answer in enumerate(answers) if "RequestLimitExceeded" in answer], [100])
        # Another action, and another region, has a bucket of its own.
        self.assertNotIn("RequestLimitExceeded", raw(f"Action=DescribeImages&ImageId.1={image}&Version=2016-11-15"))
        self.configure(bucketRate=0)
        self.assertNotIn("RequestLimitExceeded", raw(form))

    def test_latency(self) -> None:
        image, _ = self.image()
        self.configure(latency=0.3)
        began = time.monotonic()
        self.grants(image)
        self.assertGreaterEqual(time.monotonic() - began, 0.3)

    def test_failures(self) -> None:
        image, (first, second) = self.image(snapshots=2)
        self.configure(
            failures=[
                {"action": "ModifySnapshotAttribute", "resource": second, "code": "InternalError", "status": 500, "times": 1},
                {"action": "ModifyImageAttribute", "code": "Unavailable", "status": 503, "after": True},
            ]
        )
        self.share_snapshot(first, Add=users(OTHER))
        self.refused("InternalError", self.share_snapshot, status=500, snapshot_id=second, Add=users(OTHER))
        self.assertEqual(self.volumes(second), [])
        self.share_snapshot(second, Add=users(OTHER))
        self.refused("Unavailable", self.share, status=503, image_id=image, Add=users(OTHER))
        self.assertEqual(self.grants(image), [OTHER])

    def test_calls_are_counted(self) -> None:
        image, _ = self.image()
        control("DELETE", "/overlay/calls")
        self.share(image, Add=users(OTHER))
        self.refused("InvalidAMIAttributeItemValue", self.share, image_id=image, Add=users("1"))
        calls = control("GET", "/overlay/calls")
        seen = [(c["action"], c["resource"], c["status"], c["code"], c["account"], c["region"]) for c in calls]
        expected = [("ModifyImageAttribute", image, status, code, OWNER, REGION) for status, code in ((200, ""), (400, "InvalidAMIAttributeItemValue"))]
        self.assertEqual(seen, expected)
        self.assertEqual(calls[0]["params"]["LaunchPermission.Add.1.UserId"], OTHER)
        control("DELETE", "/overlay/calls")
        self.assertEqual(control("GET", "/overlay/calls"), [])

    def test_request_ids_differ(self) -> None:
        bodies = [raw("Action=DescribeImages&Version=2016-11-15"), raw(f"Action=DescribeImages&Version=2016-11-15&ImageId.1={ABSENT_IMAGE}")]
        ids = [re.search(r"<request(?:Id|ID)>([^<]+)", body, re.IGNORECASE) for body in bodies]
        self.assertTrue(all(ids) and len({i.group(1) for i in ids if i}) == 2)
        answer = ec2.describe_images()["ResponseMetadata"]
        self.assertEqual(answer["RequestId"], answer["HTTPHeaders"]["x-amzn-requestid"])

    def test_resets(self) -> None:
        image, _ = self.image()
        self.configure(entityQuota=1)
        control("POST", "/overlay/reset")
        self.assertEqual(control("GET", "/overlay/config")["entityQuota"], 1000)
        self.configure(entityQuota=1)
        control("POST", "/moto-api/reset")
        self.assertEqual(control("GET", "/overlay/config")["entityQuota"], 1000)
        self.refused("InvalidAMIID.NotFound", self.grants, image_id=image)
        setUpCredentials()

    def test_bad_configuration_and_unknown_actions_say_so(self) -> None:
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.configure(entitiyQuota=1)
        with caught.exception as problem:
            self.assertIn("entitiyQuota", problem.read().decode())
        self.assertIn("InvalidAction", raw("Action=NoSuchAction"))
        self.assertIn("EmulatorDefect", raw("Action=DescribeVolumeStatus"))


class Process(Case):
    def test_the_aws_cli_reads_and_writes(self) -> None:
        image, (snapshot,) = self.image()
        environment = {**os.environ, "AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}
        environment["AWS_DEFAULT_REGION"] = REGION

        def aws(*arguments: str) -> str:
            command = [str(Path(sys.executable).parent / "aws"), "ec2", *arguments, "--output", "text"]
            return subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout

        aws("modify-image-attribute", "--image-id", image, "--launch-permission", f"Add=[{{UserId={OTHER}}}]")
        self.assertIn(OTHER, aws("describe-image-attribute", "--image-id", image, "--attribute", "launchPermission"))
        arguments = ("--snapshot-id", snapshot, "--attribute", "createVolumePermission")
        aws("modify-snapshot-attribute", *arguments, "--operation-type", "add", "--user-ids", OTHER)
        self.assertIn(OTHER, aws("describe-snapshot-attribute", *arguments))

    def test_ends_when_told_to_and_with_its_parent(self) -> None:
        script = f"import subprocess,sys; p=subprocess.Popen([sys.executable,{str(HERE / 'serve.py')!r},'--with-parent'],stdout=subprocess.PIPE,text=True); p.stdout.readline(); print(p.pid)"
        orphan = int(subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout)
        for _ in range(50):
            if not running(orphan):
                break
            time.sleep(0.1)
        self.assertFalse(running(orphan))


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A container whose first process reaps nothing keeps ended processes as zombies.
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and state.read_text().rsplit(")", 1)[1].split()[0] == "Z")


if __name__ == "__main__":
    unittest.main()
