// The two calls of the page, as plain JSON over HTTP.

const SIGNING_NAMES = { AWSStepFunctions: "states", DynamoDB_20120810: "dynamodb" };

/** What the installation wrote next to the page: endpoint, region, table, index, machines, currency. */
export const config = await (await fetch("config.json", { cache: "no-store" })).json();

/** Starts a booking; `kind` names the machine. Answers the execution's ARN. */
export async function book(kind, booking) {
  const input = JSON.stringify(booking);
  const answer = await call("AWSStepFunctions", "StartExecution", { stateMachineArn: config.machines[kind], input });
  return answer.executionArn;
}

/** The actions of one client, newest first; at most `limit` of them, or all without a limit. */
export async function actionsOf(clientId, limit) {
  const actions = [];
  let from;
  do {
    const page = await call("DynamoDB_20120810", "Query", {
      TableName: config.table,
      IndexName: config.index,
      KeyConditionExpression: "clientId = :client",
      ExpressionAttributeValues: { ":client": { S: clientId } },
      ScanIndexForward: false,
      Limit: limit,
      ExclusiveStartKey: from,
    });
    actions.push(...page.Items.map(action));
    from = page.LastEvaluatedKey;
  } while (from && !(actions.length >= limit));
  return actions;
}

function action(item) {
  return {
    id: item.executionId.S,
    kind: item.kind.S,
    status: item.status.S,
    started: Number(item.startDate.N),
    booking: parsed(item.output?.S) ?? parsed(item.input?.S) ?? {},
    reason: parsed(item.cause?.S)?.errorMessage ?? item.cause?.S ?? item.error?.S,
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The scope tells which service and region are meant. Nothing secret lives in a page, so nothing is signed. */
async function call(target, operation, input) {
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, ""); // 20260131T235959Z
  const scope = `page/${now.slice(0, 8)}/${config.region}/${SIGNING_NAMES[target]}/aws4_request`;
  const response = await fetch(config.endpoint, {
    method: "POST",
    headers: {
      "Content-Type": "application/x-amz-json-1.0",
      "X-Amz-Date": now,
      "X-Amz-Target": `${target}.${operation}`,
      Authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host, Signature=${"0".repeat(64)}`,
    },
    body: JSON.stringify(input),
  });
  const answer = parsed(await response.text()) ?? {};
  if (!response.ok) throw new Error(answer.message ?? answer.Message ?? answer.__type ?? `HTTP ${response.status}`);
  return answer;
}
