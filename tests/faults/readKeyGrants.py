"""Reads the accounts with grants of KMS keys, with boto3, a client that shares no code with the package.

stdin: ["arn:…", …], the keys; stdout: {"arn:…": ["account/…", …], …}, with an account once for each of its grants.
"""

import json
import sys

import boto3

kms = boto3.client("kms")
found = {}
for key in json.load(sys.stdin):
    grants = [grant for page in kms.get_paginator("list_grants").paginate(KeyId=key) for grant in page["Grants"]]
    found[key] = sorted("account/" + grant["GranteePrincipal"].split(":")[4] for grant in grants)
json.dump(found, sys.stdout)
