# shellcheck shell=sh
# The few things that deploy.sh asks of a cloud. To be sourced.
#
# CLOUD=buswork (the default) uses the platform's own command line, so that nothing else has to be installed;
# CLOUD=aws uses the AWS CLI, with whatever account, region and endpoint it is configured for.

CLOUD=${CLOUD:-buswork}
BUSWORK=${BUSWORK:-buswork}

# deploy_stack STACK TEMPLATE [NAME=VALUE...]: creates or updates the stack and waits until it is complete.
deploy_stack() {
  stack=$1 template=$2
  shift 2
  case $CLOUD in
    buswork)
      for parameter; do
        set -- "$@" --parameter "$parameter"
        shift
      done
      "$BUSWORK" deploy "$template" --stack-name "$stack" "$@"
      ;;
    aws)
      [ $# -eq 0 ] || set -- --parameter-overrides "$@"
      aws cloudformation deploy --no-fail-on-empty-changeset --capabilities CAPABILITY_IAM \
        --stack-name "$stack" --template-file "$template" "$@"
      ;;
  esac
}

# stack_output STACK NAME: prints the value of one output.
stack_output() {
  case $CLOUD in
    buswork) "$BUSWORK" output "$1" "$2" ;;
    aws)
      aws cloudformation describe-stacks --stack-name "$1" --output text \
        --query "Stacks[0].Outputs[?OutputKey=='$2'].OutputValue"
      ;;
  esac
}

# put_object FILE BUCKET KEY CONTENT_TYPE
put_object() {
  case $CLOUD in
    buswork) "$BUSWORK" put "$1" "s3://$2/$3" --content-type "$4" ;;
    aws) aws s3 cp --only-show-errors --content-type "$4" "$1" "s3://$2/$3" ;;
  esac
}
