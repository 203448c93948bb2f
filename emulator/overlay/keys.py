"""KMS grants: made once for a name, and retired only by those whom the grant names."""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse
from moto.sts import sts_backends

from .patch import on


@on(KmsBackend)
def create_grant(self: Any, key_id: str, grantee_principal: str, operations: list[str], name: str, **rest: Any) -> tuple[str, str]:
    """KMS API reference, CreateGrant, Name: "When this value is present, you can retry a CreateGrant request with identical parameters; if
    the grant already exists, the original GrantId is returned without creating a new grant." """
    for grant in list(self.describe_key(key_id).grants.values()):
        asked = (name, grantee_principal, sorted(operations), rest.get("constraints"), rest.get("retiring_principal"))
        made = (grant.name, grant.grantee_principal, sorted(grant.operations), grant.constraints, grant.retiring_principal)
        if name and asked == made:
            return grant.id, grant.token
    found: tuple[str, str] = create_grant.wrapped(self, key_id, grantee_principal, operations, name, **rest)  # type: ignore[attr-defined]
    return found


def _principals(self: Any) -> set[str]:
    """How a grant can name the caller: its ARN, its role, its account."""
    account, key = self.current_account, self.get_access_key()
    _, arn, _ = sts_backends[account]["aws"].get_caller_identity(key, self.region)
    role = sts_backends[account]["aws"].get_assumed_role_from_access_key(key)
    return {arn, account, f"arn:aws:iam::{account}:root", *([role.role_arn] if role else [])}


@on(KmsResponse)
def retire_grant(self: Any) -> str:
    """KMS developer guide, "Retiring and revoking grants": a grant can be retired by its retiring principal, and by its grantee if it
    includes the operation RetireGrant. "The kms:RetireGrant permission alone does not allow principals to retire a grant." That the
    account's root user can is left out: nobody here signs as root. KMS API reference, "Common errors": AccessDeniedException."""
    grant_id, token = self._get_param("GrantId"), self._get_param("GrantToken")
    callers = _principals(self)
    for key in list(self.kms_backend.keys.values()):
        for grant in list(key.grants.values()):
            if grant.id != grant_id and (not token or grant.token != token):
                continue
            grantee = grant.grantee_principal in callers and "RetireGrant" in grant.operations
            if grant.retiring_principal not in callers and not grantee:
                raise JsonRESTError("AccessDeniedException", "The caller is neither the retiring principal of the grant nor its grantee")
    answer = retire_grant.wrapped(self)  # type: ignore[attr-defined]
    return str(answer or json.dumps({}))
