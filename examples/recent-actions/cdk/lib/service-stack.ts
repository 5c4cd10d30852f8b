import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import { DefinitionBody, JsonPath, Pass, StateMachine, StateMachineType } from "aws-cdk-lib/aws-stepfunctions";
import { LambdaInvoke } from "aws-cdk-lib/aws-stepfunctions-tasks";
import type { Construct } from "constructs";
import { handler } from "./handler";

export interface ServiceProps extends StackProps {
  stage: string;
  /** What the service books; its function's source has the same name. */
  kind: string;
  /** The name of the state that books. */
  task: string;
}

/** A service that books: a state machine whose only task is a function, and then a note to the support. */
export class ServiceStack extends Stack {
  readonly machine: StateMachine;

  constructor(scope: Construct, id: string, { stage, kind, task, ...props }: ServiceProps) {
    super(scope, id, props);
    const book = handler(this, "Function", kind, { functionName: `${stage}-meetup-${kind}`, description: task });
    // `payloadResponseOnly` makes the function's own ARN the task's resource; the retrier for Lambda's faults is CDK's.
    const booking = new LambdaInvoke(this, "Book", { stateName: task, lambdaFunction: book, payloadResponseOnly: true });
    const notify = new Pass(this, "Notify support", { resultPath: JsonPath.DISCARD });
    this.machine = new StateMachine(this, "StateMachine", {
      stateMachineName: `${stage}-meetup-${kind}`,
      stateMachineType: StateMachineType.STANDARD,
      definitionBody: DefinitionBody.fromChainable(booking.next(notify)),
    });
    new CfnOutput(this, "StateMachineArn", {
      description: `Start an execution of it to make a ${kind}.`,
      value: this.machine.stateMachineArn,
    });
  }
}
