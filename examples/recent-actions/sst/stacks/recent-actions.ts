import { RemovalPolicy } from "aws-cdk-lib";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { EventBus as DefaultBus } from "aws-cdk-lib/aws-events";
import { EventBus, Function, type StackContext, use } from "sst/constructs";
import { deposit, withdrawal } from "./services";

/**
 * One rule sends every status change of the machines to a function, which keeps a row for each execution. The table is the CDK's and
 * not SST's own, which always asks for point-in-time recovery.
 */
export function recentActions({ stack, app }: StackContext) {
  const machines = [use(deposit).machine, use(withdrawal).machine];
  const executions = new Table(stack, "Executions", {
    tableName: "executions",
    billingMode: BillingMode.PAY_PER_REQUEST,
    partitionKey: { name: "executionId", type: AttributeType.STRING },
    removalPolicy: RemovalPolicy.DESTROY,
  });
  executions.addGlobalSecondaryIndex({
    indexName: "by-client",
    partitionKey: { name: "clientId", type: AttributeType.STRING },
    sortKey: { name: "startDate", type: AttributeType.NUMBER },
  });
  const writer = new Function(stack, "Writer", {
    functionName: `${app.stage}-meetup-recent-actions-writer`,
    handler: "src/recent-actions-writer.handler",
    environment: { TABLE_NAME: executions.tableName },
  });
  executions.grant(writer, "dynamodb:PutItem");
  new EventBus(stack, "Bus", {
    cdk: { eventBus: DefaultBus.fromEventBusName(stack, "DefaultBus", "default") },
    rules: {
      statusChanges: {
        pattern: {
          source: ["aws.states"],
          detailType: ["Step Functions Execution Status Change"],
          detail: { stateMachineArn: machines.map((machine) => machine.stateMachineArn) },
        },
        targets: { writer: { function: writer } },
        cdk: { rule: { ruleName: `${app.stage}-meetup-recent-actions` } },
      },
    },
  });
  stack.addOutputs({ ExecutionsTable: executions.tableName, WriterFunction: writer.functionName });
}
