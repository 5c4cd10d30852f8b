#!/bin/sh
# Deploys the whole system: two buckets, the three stacks, the page. Run it again after a change; what did not change stays.
# Usage: deploy.sh [rust|node]; which functions to deploy, rust without an argument. build.sh runs first.
# Environment: CLOUD, BUSWORK and AWS_ENDPOINT_URL as cloud.sh says; STAGE (dev), TABLE (executions), PAGE_BUCKET
# (recent-actions-page), ARCHITECTURE (x86_64) and AWS_REGION (eu-central-1); page.sh, which runs last, reads them, too.
set -eu
cd "$(dirname "$0")"
. ./cloud.sh

variant=${1:-rust}
stage=${STAGE:-dev}
table=${TABLE:-executions}
export AWS_REGION="${AWS_REGION:-eu-central-1}"

case $variant in
  rust) runtime=provided.al2023 handler=bootstrap ;;
  node) runtime=nodejs22.x handler=index.handler ;;
  *) echo "unknown variant: $variant" >&2; exit 2 ;;
esac

# deploy_service STACK FUNCTION TEMPLATE [NAME=VALUE...]: uploads the package under a key that changes with its content.
deploy_service() {
  stack=$1 function=$2 template=$3
  shift 3
  digest=$(cat "dist/$variant/$function"/* | sha256sum | cut -c 1-16)
  key=$function/$variant-$digest.zip
  put_object "dist/$variant/$function.zip" "$packages" "$key" application/zip
  deploy_stack "$stack" "$template" "Stage=$stage" "CodeBucket=$packages" "CodeKey=$key" \
    "Runtime=$runtime" "Handler=$handler" "Architecture=${ARCHITECTURE:-x86_64}" "$@"
}

./build.sh "$variant"

deploy_stack recent-actions-storage templates/storage.yaml "PageBucketName=${PAGE_BUCKET:-recent-actions-page}"
packages=$(stack_output recent-actions-storage PackagesBucket)

deploy_service "$stage-deposit" deposit templates/deposit.yaml
deploy_service "$stage-withdrawal" withdrawal templates/withdrawal.yaml
deploy_service "$stage-recent-actions" recent-actions-writer templates/recent-actions.yaml "TableName=$table"

./page.sh
