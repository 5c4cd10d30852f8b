// Keeps the table of recent actions: one row for each execution, as its status changes say.
//
// A plain put: it trusts that the status changes of one execution arrive in order. Where nobody promises that, as on
// AWS, a late RUNNING hides the result; the writer in Rust guards against it with a condition.

import { type AttributeValue, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { EventBridgeEvent } from "aws-lambda";

/** The detail of a 'Step Functions Execution Status Change'; times are milliseconds since 1970. */
interface StatusChange {
  executionArn: string;
  stateMachineArn: string;
  status: "RUNNING" | "SUCCEEDED" | "FAILED" | "TIMED_OUT" | "ABORTED";
  startDate: number;
  stopDate: number | null;
  /** Absent when the event would have been too large. */
  input?: string | null;
  output?: string | null;
  error?: string | null;
  cause?: string | null;
  redriveCount?: number;
}

type Item = Record<string, AttributeValue>;

const table = new DynamoDBClient({});

export async function handler(event: EventBridgeEvent<string, StatusChange>): Promise<void> {
  await table.send(new PutItemCommand({ TableName: process.env.TABLE_NAME, Item: item(event.detail) }));
}

/** The row. Attributes without a value are left out, so that the index by client holds only clients' actions. */
function item(change: StatusChange): Item {
  return {
    ...text("executionId", change.executionArn),
    ...text("machine", change.stateMachineArn),
    ...text("kind", change.stateMachineArn.split(/[-:]/).pop()),
    ...text("status", change.status),
    ...number("startDate", change.startDate),
    ...number("stopDate", change.stopDate),
    ...number("redriveCount", change.redriveCount ?? 0),
    ...text("clientId", clientId(change.input)),
    ...text("input", change.input),
    ...text("output", change.output),
    ...text("error", change.error),
    ...text("cause", change.cause),
  };
}

function clientId(input: string | null | undefined): string | undefined {
  const id: unknown = JSON.parse(input ?? "null")?.clientId;
  return typeof id === "number" || (typeof id === "string" && id !== "") ? String(id) : undefined;
}

function text(name: string, value: string | null | undefined): Item {
  return value == null ? {} : { [name]: { S: value } };
}

function number(name: string, value: number | null | undefined): Item {
  return value == null ? {} : { [name]: { N: String(value) } };
}
