#!/bin/sh
# Puts the page into a bucket, with the names of what is deployed, whether deploy.sh, the CDK or SST has deployed it.
# Environment: CLOUD, BUSWORK and AWS_ENDPOINT_URL as cloud.sh says; STAGE (dev), PAGE_BUCKET (recent-actions-page) and
# AWS_REGION (eu-central-1).
set -eu
cd "$(dirname "$0")"
. ./cloud.sh

stage=${STAGE:-dev}
endpoint=${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}
export AWS_REGION="${AWS_REGION:-eu-central-1}"

deploy_stack recent-actions-storage templates/storage.yaml "PageBucketName=${PAGE_BUCKET:-recent-actions-page}"
page=$(stack_output recent-actions-storage PageBucket)

mkdir -p dist
cat > dist/config.json <<EOF
{
  "endpoint": "$endpoint",
  "region": "$AWS_REGION",
  "table": "$(stack_output "$stage-recent-actions" ExecutionsTable)",
  "index": "by-client",
  "machines": {
    "deposit": "$(stack_output "$stage-deposit" StateMachineArn)",
    "withdrawal": "$(stack_output "$stage-withdrawal" StateMachineArn)"
  },
  "currency": "EUR"
}
EOF
put_object dist/config.json "$page" config.json application/json
put_object page/page.css "$page" page.css text/css
put_object page/aws.js "$page" aws.js text/javascript
put_object page/page.js "$page" page.js text/javascript
put_object page/index.html "$page" index.html text/html

echo "The page is at $(stack_output recent-actions-storage PageUrl)"
