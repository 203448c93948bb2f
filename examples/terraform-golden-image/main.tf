# A golden image in every region: copied by the aws provider, shared alike by this one.

terraform {
  required_version = ">= 1.1"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0" # from there on, resources have a region
    }
    ami = {
      source = "ami-launch-permissions/ami"
    }
  }
}

variable "source_image_id" {
  type        = string
  description = "The image to share."
}

variable "source_region" {
  type        = string
  description = "Where it is."
}

variable "regions" {
  type        = set(string)
  description = "Where it is to be; the source's region, where it is listed, shares the source itself."
}

variable "account_ids" {
  type        = set(string)
  description = "The accounts that may launch it, and copy it further."
}

provider "aws" {
  region = var.source_region
}

provider "ami" {
  region = var.source_region
}

resource "aws_ami_copy" "regional" {
  for_each = setsubtract(var.regions, [var.source_region])

  region            = each.value
  name              = "golden-${var.source_image_id}"
  source_ami_id     = var.source_image_id
  source_ami_region = var.source_region

  lifecycle {
    create_before_destroy = true
  }
}

resource "ami_launch_permission_set" "regional" {
  for_each = var.regions

  region                    = each.value
  image_id                  = each.value == var.source_region ? var.source_image_id : aws_ami_copy.regional[each.value].id
  account_ids               = var.account_ids
  create_volume_permissions = {}
  max_revocations           = 5 # no change of the list may take access from more

  # A new copy is shared before the old one is unshared and deregistered.
  lifecycle {
    create_before_destroy = true
  }
}

output "image_ids" {
  description = "The image in each region."
  value       = { for region, set in ami_launch_permission_set.regional : region => set.image_id }
}

output "grants" {
  description = "Who has access, in each region."
  value       = { for region, set in ami_launch_permission_set.regional : region => set.grants }
}
