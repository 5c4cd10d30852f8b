import { EventBus as DefaultBus } from "aws-cdk-lib/aws-events";
import { EventBus, Function, type StackContext, Table, use } from "sst/constructs";
import { deposit, withdrawal } from "./services";

/** One rule sends every status change of the machines to a function, which keeps a row for each execution. */
export function recentActions({ stack, app }: StackContext) {
  const machines = [use(deposit).machine, use(withdrawal).machine];
  const executions = new Table(stack, "Executions", {
    fields: { executionId: "string", clientId: "string", startDate: "number" },
    primaryIndex: { partitionKey: "executionId" },
    globalIndexes: { "by-client": { partitionKey: "clientId", sortKey: "startDate" } },
    cdk: { table: { tableName: "executions" } },
  });
  const writer = new Function(stack, "Writer", {
    functionName: `${app.stage}-meetup-recent-actions-writer`,
    handler: "src/recent-actions-writer.handler",
    environment: { TABLE_NAME: executions.tableName },
  });
  executions.cdk.table.grant(writer, "dynamodb:PutItem");
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
