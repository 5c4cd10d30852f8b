import path from "node:path";
import { Duration } from "aws-cdk-lib";
import { Runtime } from "aws-cdk-lib/aws-lambda";
import { NodejsFunction, type NodejsFunctionProps } from "aws-cdk-lib/aws-lambda-nodejs";
import type { Construct } from "constructs";

const functions = path.join(__dirname, "../../functions-ts");

/**
 * A function from the package `functions-ts`, bundled by its esbuild. The AWS SDK is not in the bundle: it is part of the
 * runtime.
 */
export function handler(scope: Construct, id: string, source: string, props: NodejsFunctionProps): NodejsFunction {
  return new NodejsFunction(scope, id, {
    runtime: Runtime.NODEJS_22_X,
    entry: path.join(functions, "src", `${source}.ts`),
    projectRoot: functions,
    depsLockFilePath: path.join(functions, "package-lock.json"),
    memorySize: 128,
    timeout: Duration.seconds(10),
    ...props,
  });
}
