// The three stacks of the system. The first two know of nobody; the third knows the machines of both.
//
// Context: `stage` (dev) stands at the beginning of every name, `table` (executions) names the table.

import { App } from "aws-cdk-lib";
import { RecentActionsStack } from "../lib/recent-actions-stack";
import { ServiceStack } from "../lib/service-stack";

const app = new App();
const stage: string = app.node.tryGetContext("stage") ?? "dev";
const tableName: string = app.node.tryGetContext("table") ?? "executions";
const env = { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION };

const deposit = new ServiceStack(app, `${stage}-deposit`, {
  env,
  description: "The deposit service. It books a deposit and knows nothing about who shows it.",
  stage,
  kind: "deposit",
  task: "Deposit to trading account",
});
const withdrawal = new ServiceStack(app, `${stage}-withdrawal`, {
  env,
  description: "The withdrawal service. It books a withdrawal and knows nothing about who shows it.",
  stage,
  kind: "withdrawal",
  task: "Withdrawal from trading account",
});
new RecentActionsStack(app, `${stage}-recent-actions`, {
  env,
  description: "The recent actions of all clients. It listens to the services, and they do not know of it.",
  stage,
  tableName,
  machines: [deposit.machine, withdrawal.machine],
});
