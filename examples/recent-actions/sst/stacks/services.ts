import { DefinitionBody, JsonPath, Pass, StateMachine } from "aws-cdk-lib/aws-stepfunctions";
import { LambdaInvoke } from "aws-cdk-lib/aws-stepfunctions-tasks";
import { Function, type StackContext } from "sst/constructs";

/** A service that books: a state machine whose only task is a function, and then a note to the support. */
function service({ stack, app }: StackContext, kind: string, task: string): { machine: StateMachine } {
  const book = new Function(stack, `${kind}-function`, {
    functionName: `${app.stage}-meetup-${kind}`,
    description: task,
    handler: `src/${kind}.handler`,
  });
  const booking = new LambdaInvoke(stack, "Book", { stateName: task, lambdaFunction: book, payloadResponseOnly: true });
  const notify = new Pass(stack, "Notify support", { resultPath: JsonPath.DISCARD });
  const machine = new StateMachine(stack, "StateMachine", {
    stateMachineName: `${app.stage}-meetup-${kind}`,
    definitionBody: DefinitionBody.fromChainable(booking.next(notify)),
  });
  stack.addOutputs({ StateMachineArn: machine.stateMachineArn });
  return { machine };
}

export const deposit = (context: StackContext) => service(context, "deposit", "Deposit to trading account");
export const withdrawal = (context: StackContext) =>
  service(context, "withdrawal", "Withdrawal from trading account");
