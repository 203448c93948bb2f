"""Reads launch permissions of images and create-volume permissions of snapshots, with boto3, a client that shares no code with the package.

stdin: {"region": ["ami-…", "snap-…", …], …}; stdout: {"ami-…": ["account/…", …], …}. null: the image or the snapshot does not exist.
"""

import json
import sys

import boto3
from botocore.exceptions import ClientError


def name(grant: dict[str, str]) -> str:
    if "UserId" in grant:
        return f"account/{grant['UserId']}" if grant["UserId"].isdigit() else f"user/{grant['UserId']}"
    return grant.get("OrganizationArn") or grant.get("OrganizationalUnitArn") or "public"


def read(ec2, resource: str) -> list[str] | None:
    try:
        if resource.startswith("ami-"):
            grants = ec2.describe_image_attribute(ImageId=resource, Attribute="launchPermission")["LaunchPermissions"]
        else:
            answer = ec2.describe_snapshot_attribute(SnapshotId=resource, Attribute="createVolumePermission")
            grants = answer["CreateVolumePermissions"]
    except ClientError:
        return None
    return sorted(name(grant) for grant in grants)


found = {}
for region, resources in json.load(sys.stdin).items():
    ec2 = boto3.client("ec2", region_name=region)
    found.update({resource: read(ec2, resource) for resource in resources})
json.dump(found, sys.stdout)
