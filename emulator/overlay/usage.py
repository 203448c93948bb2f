"""Image usage reports: which accounts use an AMI. The usage itself is set through the control endpoint ("usage")."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.utils import random_id

from .lookup import own_image
from .patch import response
from .state import STATE

# EC2 API reference, DescribeImageUsageReports: a report expires "30 days after the report was created".
KEPT = timedelta(days=30)
# EC2 API reference, CreateImageUsageReport: the resource types that a report can hold.
TYPES = ("ec2:Instance", "ec2:LaunchTemplate", "imagebuilder:ImageRecipe", "imagebuilder:ContainerRecipe")


def _reports(self: Any) -> list[dict[str, Any]]:
    ids, images = self._get_param("ReportIds", []), self._get_param("ImageIds", [])
    own = {i: r for i, r in list(STATE.usage_reports.items()) if r["owner"] == (self.current_account, self.region)}
    for report_id in ids:
        if report_id not in own:
            raise EC2ClientError("InvalidImageUsageReportId.NotFound", f"The image usage report '{report_id}' does not exist")
    return [r for i, r in own.items() if (not ids or i in ids) and (not images or r["ImageId"] in images)]


@response
def create_image_usage_report(self: Any) -> ActionResult:
    """EC2 API reference, CreateImageUsageReport. Owner only (user guide, "View your AMI usage")."""
    self.error_on_dryrun()
    image = own_image(self.ec2_backend, self._get_param("ImageId"))
    types = [t["ResourceType"] for t in self._get_param("ResourceTypes", [])]
    # EC2 API reference, CreateImageUsageReport, ClientToken: the same token makes no second report.
    token = self._get_param("ClientToken")
    made = next((i for i, r in list(STATE.usage_reports.items()) if token and r["token"] == token), None)
    if made:
        return ActionResult({"ReportId": made})
    if not types or any(t not in TYPES for t in types):
        raise EC2ClientError("InvalidParameterValue", f"ResourceTypes must be one or more of {', '.join(TYPES)}")
    report_id = random_id("amiur")
    now = utcnow()
    STATE.usage_reports[report_id] = {
        "owner": (self.current_account, self.region),
        "token": token,
        "pending": STATE.config["usageReportPendingReads"],
        "StateReason": STATE.config["usageReportError"] or None,
        "ReportId": report_id,
        "ImageId": image.id,
        "ResourceTypes": self._get_param("ResourceTypes", []),
        "AccountIds": self._get_param("AccountIds", []),
        "CreationTime": now,
        "ExpirationTime": now + KEPT,
    }
    return ActionResult({"ReportId": report_id})


@response
def describe_image_usage_reports(self: Any) -> ActionResult:
    """EC2 API reference, ImageUsageReport: State is pending, then available, or error with a StateReason."""
    self.error_on_dryrun()
    found = []
    for report in _reports(self):
        done = "error" if report["StateReason"] else "available"
        pending = report["pending"] > 0
        found.append({**report, "State": "pending" if pending else done, "StateReason": None if pending else report["StateReason"]})
        report["pending"] = max(0, report["pending"] - 1)
    return ActionResult({"ImageUsageReports": found})


@response
def describe_image_usage_report_entries(self: Any) -> ActionResult:
    self.error_on_dryrun()
    entries = []
    for report in _reports(self):
        if report["pending"] > 0 or report["StateReason"]:
            continue
        types = [t["ResourceType"] for t in report["ResourceTypes"]]
        for use in STATE.config["usage"].get(report["ImageId"], []):
            kind = use.get("resourceType", "ec2:Instance")
            if kind in types and (not report["AccountIds"] or use["accountId"] in report["AccountIds"]):
                entries.append(
                    {
                        "ResourceType": kind,
                        "ReportId": report["ReportId"],
                        "UsageCount": use.get("count", 1),
                        "AccountId": use["accountId"],
                        "ImageId": report["ImageId"],
                        "ReportCreationTime": report["CreationTime"],
                    }
                )
    return ActionResult({"ImageUsageReportEntries": entries})


@response
def delete_image_usage_report(self: Any) -> ActionResult:
    self.error_on_dryrun()
    report_id = self._get_param("ReportId")
    report = STATE.usage_reports.get(report_id)
    if report is None or report["owner"] != (self.current_account, self.region):
        raise EC2ClientError("InvalidImageUsageReportId.NotFound", f"The image usage report '{report_id}' does not exist")
    del STATE.usage_reports[report_id]
    return ActionResult({"Return": True})
