import { CfnOutput, RemovalPolicy, Stack, type StackProps } from "aws-cdk-lib";
import { AttributeType, BillingMode, Table } from "aws-cdk-lib/aws-dynamodb";
import { Rule } from "aws-cdk-lib/aws-events";
import { LambdaFunction } from "aws-cdk-lib/aws-events-targets";
import type { StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import type { Construct } from "constructs";
import { handler } from "./handler";

export interface RecentActionsProps extends StackProps {
  stage: string;
  tableName: string;
  /** The machines whose executions are shown. Their ARNs come as imports from their stacks. */
  machines: StateMachine[];
}

/** One rule sends every status change of the machines to a function, which keeps a row for each execution. */
export class RecentActionsStack extends Stack {
  constructor(scope: Construct, id: string, { stage, tableName, machines, ...props }: RecentActionsProps) {
    super(scope, id, props);
    const executions = new Table(this, "Executions", {
      tableName,
      billingMode: BillingMode.PAY_PER_REQUEST,
      partitionKey: { name: "executionId", type: AttributeType.STRING },
      removalPolicy: RemovalPolicy.DESTROY,
    });
    executions.addGlobalSecondaryIndex({
      indexName: "by-client",
      partitionKey: { name: "clientId", type: AttributeType.STRING },
      sortKey: { name: "startDate", type: AttributeType.NUMBER },
    });
    const writer = handler(this, "Writer", "recent-actions-writer", {
      functionName: `${stage}-meetup-recent-actions-writer`,
      description: "Puts every status change into the table of executions",
      environment: { TABLE_NAME: executions.tableName },
    });
    executions.grant(writer, "dynamodb:PutItem");
    new Rule(this, "StatusChanges", {
      ruleName: `${stage}-meetup-recent-actions`,
      description: "Every status change of a deposit or a withdrawal",
      eventPattern: {
        source: ["aws.states"],
        detailType: ["Step Functions Execution Status Change"],
        detail: { stateMachineArn: machines.map((machine) => machine.stateMachineArn) },
      },
      targets: [new LambdaFunction(writer)],
    });
    new CfnOutput(this, "ExecutionsTable", {
      description: "One row for each execution, the newest by client in the index by-client.",
      value: executions.tableName,
    });
    new CfnOutput(this, "WriterFunction", { value: writer.functionName });
  }
}
