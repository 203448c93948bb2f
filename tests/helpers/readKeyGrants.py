"""Reads the KMS grants with the names that sets use, with boto3, a client that shares no code with the package.

stdin: ["region", …]; stdout: {"ami-…": ["account/…", …], …}, with an account once for each of its grants.
"""

import json
import sys

import boto3

NAME = "ami-launch-permissions/"

found: dict[str, list[str]] = {}
for region in json.load(sys.stdin):
    kms = boto3.client("kms", region_name=region)
    keys = [key["KeyId"] for page in kms.get_paginator("list_keys").paginate() for key in page["Keys"]]
    for key in keys:
        for page in kms.get_paginator("list_grants").paginate(KeyId=key):
            for grant in page["Grants"]:
                if grant.get("Name", "").startswith(NAME):
                    account = "account/" + grant["GranteePrincipal"].split(":")[4]
                    found.setdefault(grant["Name"].removeprefix(NAME), []).append(account)
json.dump(found, sys.stdout)
