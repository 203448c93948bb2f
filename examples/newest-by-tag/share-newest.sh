#!/bin/sh
# The pipeline's step after a build: finds the newest own AMI with the tag role=$1 and shares it. Needs the AWS CLI and a selected stack.
set -eu
role=${1:?usage: share-newest.sh <value of the tag role>}

newest=$(aws ec2 describe-images --owners self --filters "Name=tag:role,Values=$role" Name=state,Values=available \
  --query 'sort_by(Images, &CreationDate)[-1].ImageId' --output text)
if [ "$newest" = None ]; then
  echo "there is no AMI with the tag role=$role; nothing was changed" >&2
  exit 1
fi
pulumi config set imageId "$newest"
pulumi preview --diff --non-interactive
pulumi up --yes --skip-preview --non-interactive
