// What the CDK does with functions of its own while a stack is deployed: files of a bucket, the emptying of a bucket, the retention of
// logs, a call of the SDK, and the framework for custom resources that take their time. Context: `title` is what an update changes.

import { App, CfnOutput, CustomResource, Duration, RemovalPolicy, Stack } from "aws-cdk-lib";
import { AttributeType, Table } from "aws-cdk-lib/aws-dynamodb";
import { Code, Function, Runtime } from "aws-cdk-lib/aws-lambda";
import { RetentionDays } from "aws-cdk-lib/aws-logs";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { BucketDeployment, CacheControl, Source } from "aws-cdk-lib/aws-s3-deployment";
import { AwsCustomResource, AwsCustomResourcePolicy, PhysicalResourceId, Provider } from "aws-cdk-lib/custom-resources";

const app = new App();
const title: string = app.node.tryGetContext("title") ?? "first";
const stack = new Stack(app, "constructs");

const table = new Table(stack, "Table", {
  partitionKey: { name: "id", type: AttributeType.STRING },
  removalPolicy: RemovalPolicy.DESTROY,
});

// Removed versions and their markers have to go, too, before a versioned bucket can.
const site = new Bucket(stack, "Site", {
  versioned: true,
  websiteIndexDocument: "index.html",
  removalPolicy: RemovalPolicy.DESTROY,
  autoDeleteObjects: true,
});
new BucketDeployment(stack, "SiteFiles", {
  destinationBucket: site,
  sources: [Source.asset("site"), Source.jsonData("config.json", { table: table.tableName, arn: table.tableArn, title })],
  cacheControl: [CacheControl.maxAge(Duration.minutes(5))],
});
const docs = new Bucket(stack, "Docs", { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true });
new BucketDeployment(stack, "DocsFiles", {
  destinationBucket: docs,
  destinationKeyPrefix: "manual/today",
  sources: [Source.asset("docs"), Source.data("title.txt", title)],
  prune: false,
  retainOnDelete: false,
});

const inline = (id: string, code: string, more = {}): Function =>
  new Function(stack, id, { runtime: Runtime.NODEJS_22_X, handler: "index.handler", code: Code.fromInline(code), ...more });

const logged = inline("Logged", "exports.handler = async () => console.log('here')", {
  logRetention: title === "first" ? RetentionDays.ONE_WEEK : RetentionDays.ONE_MONTH,
});

new AwsCustomResource(stack, "Call", {
  onUpdate: {
    service: "SSM",
    action: "putParameter",
    parameters: { Name: "/constructs/title", Value: title, Type: "String", Overwrite: true },
    physicalResourceId: PhysicalResourceId.of("title"),
  },
  onDelete: { service: "SSM", action: "deleteParameter", parameters: { Name: "/constructs/title" } },
  policy: AwsCustomResourcePolicy.fromSdkCalls({ resources: AwsCustomResourcePolicy.ANY_RESOURCE }),
  installLatestAwsSdk: false,
});

// It is ready a second and a half after it was asked for, so that the framework's machine has to ask more than once.
const asked = `exports.handler = async (event) => ({
  PhysicalResourceId: event.PhysicalResourceId ?? "ticket-of-" + event.LogicalResourceId,
  Data: { Asked: event.RequestType + " " + event.ResourceProperties.Title, At: String(Date.now()) },
})`;
const answered = `exports.handler = async (event) => {
  const IsComplete = Date.now() > Number(event.Data.At) + 1500;
  return IsComplete && event.RequestType !== "Delete" ? { IsComplete, Data: { Answered: "yes" } } : { IsComplete };
}`;
const provider = new Provider(stack, "Provider", {
  onEventHandler: inline("OnEvent", asked),
  isCompleteHandler: inline("IsComplete", answered),
  queryInterval: Duration.seconds(1),
  totalTimeout: Duration.minutes(2),
});
const ticket = new CustomResource(stack, "Ticket", {
  resourceType: "Custom::Ticket",
  serviceToken: provider.serviceToken,
  properties: { Title: title },
});

// The same without a second question: the framework answers at once.
const quick = new CustomResource(stack, "Quick", {
  serviceToken: new Provider(stack, "QuickProvider", { onEventHandler: inline("OnQuick", asked) }).serviceToken,
  properties: { Title: title },
});

const outputs = {
  SiteBucket: site.bucketName,
  DocsBucket: docs.bucketName,
  TableName: table.tableName,
  TableArn: table.tableArn,
  LogGroup: `/aws/lambda/${logged.functionName}`,
  Asked: ticket.getAttString("Asked"),
  Answered: ticket.getAttString("Answered"),
  TicketId: ticket.ref,
  Quick: quick.getAttString("Asked"),
};
for (const [name, value] of Object.entries(outputs)) new CfnOutput(stack, `${name}Output`, { value }).overrideLogicalId(name);
