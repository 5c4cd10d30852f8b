// The three stacks of the system, as an SST app. Their names are those of the plain templates.

import type { SSTConfig } from "sst";
import { recentActions } from "./stacks/recent-actions";
import { deposit, withdrawal } from "./stacks/services";

export default {
  config: () => ({ name: "recent-actions", region: process.env.AWS_REGION ?? "eu-central-1" }),
  stacks(app) {
    app.setDefaultFunctionProps({ runtime: "nodejs20.x", memorySize: 128, timeout: 10, architecture: "x86_64" });
    app.setDefaultRemovalPolicy("destroy");
    app.stack(deposit, { id: "deposit", stackName: `${app.stage}-deposit` });
    app.stack(withdrawal, { id: "withdrawal", stackName: `${app.stage}-withdrawal` });
    app.stack(recentActions, { id: "recent-actions", stackName: `${app.stage}-recent-actions` });
  },
} satisfies SSTConfig;
