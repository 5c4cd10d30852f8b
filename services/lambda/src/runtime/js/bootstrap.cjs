'use strict';
// The Node.js loop: loads the handler, then asks the Runtime API for one invocation after another.

const fs = require('fs');
const http = require('http');
const path = require('path');
const { pathToFileURL } = require('url');

const request = http.request.bind(http);
require('./redirect.cjs');

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
const base = '/2018-06-01/runtime/';
const agent = new http.Agent({ keepAlive: true, maxSockets: 2 });
const STREAMING = Symbol.for('aws.lambda.runtime.handler.streaming');
const NODE_MAJOR = Number(/nodejs(\d+)/.exec(process.env.AWS_EXECUTION_ENV || '')?.[1] || 0);

// ---- The Runtime API

function call(method, target, headers, body) {
  return new Promise((resolve, reject) => {
    const options = { host, port, agent, method, path: base + target, headers };
    const sent = request(options, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => resolve({ headers: answer.headers, status: answer.statusCode, body: Buffer.concat(chunks) }));
      answer.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function postResponse(id, text) {
  const body = Buffer.from(text);
  return call('POST', `invocation/${id}/response`, { 'Content-Type': 'application/json', 'Content-Length': body.length }, body);
}

function postError(target, error) {
  const document = described(error);
  const body = Buffer.from(JSON.stringify(document));
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': body.length,
    'Lambda-Runtime-Function-Error-Type': encodeURI(document.errorType),
  };
  return call('POST', target, headers, body);
}

// ---- Errors

class RuntimeError extends Error {
  constructor(kind, message, cause) {
    super(message);
    this.name = `Runtime.${kind}`;
    if (cause?.stack) this.stack = `${this.name}: ${message}\n${cause.stack}`;
  }
}

function isError(thing) {
  return thing instanceof Error || (thing && thing.name && thing.message && thing.stack);
}

// The error document, and what is logged.
function described(error) {
  if (!isError(error)) {
    return { errorType: typeof error, errorMessage: String(error), trace: [] };
  }
  const document = { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') };
  if (error instanceof UnhandledRejection) {
    document.reason = error.reason;
    document.promise = {};
  }
  return document;
}

class UnhandledRejection extends RuntimeError {
  constructor(reason) {
    super('UnhandledPromiseRejection', String(reason), isError(reason) ? reason : undefined);
    this.reason = isError(reason) ? described(reason) : reason;
  }
}

function errorText(error) {
  const document = described(error);
  const members = {};
  if (isError(error)) {
    for (const key of Object.keys(error)) if (!['name', 'message', 'stack'].includes(key)) members[key] = error[key];
  }
  const shown = { errorType: document.errorType, errorMessage: document.errorMessage, ...members, stack: document.trace };
  try {
    return JSON.stringify(shown);
  } catch {
    return JSON.stringify({ errorType: document.errorType, errorMessage: document.errorMessage, stack: document.trace });
  }
}

// ---- Logs: one frame per event, so that an event may hold line ends

let requestId;

function writeEvent(text) {
  const body = Buffer.from(text);
  const head = Buffer.from([0xa5, 0x5a, 0x00, 0x03, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 4);
  const bytes = Buffer.concat([head, body]);
  for (let sent = 0; sent < bytes.length; ) {
    try {
      sent += fs.writeSync(1, bytes, sent);
    } catch (error) {
      if (error.code !== 'EAGAIN') return;
    }
  }
}

const JSON_LOGS = process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON';
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
// Lines of text are all written, whatever their level.
const LOWEST = JSON_LOGS ? Math.max(LEVELS.indexOf(process.env.AWS_LAMBDA_LOG_LEVEL), 0) : 0;

function log(level, ...args) {
  if (LEVELS.indexOf(level) < LOWEST) return;
  const timestamp = new Date().toISOString();
  if (JSON_LOGS) writeEvent(jsonEvent({ timestamp, level, requestId }, args));
  else writeEvent(`${timestamp}\t${requestId}\t${level}\t${require('util').format(...args)}`);
}

// A single argument stays what it is; several become a text, and an error among them is described beside it.
function jsonEvent(event, args) {
  const { format } = require('util');
  if (args.length === 1) {
    try {
      return JSON.stringify({ ...event, message: args[0] }, (_, value) => (isError(value) ? describedInLog(value) : value));
    } catch {
      return JSON.stringify({ ...event, message: format(args[0]) });
    }
  }
  const error = args.find(isError);
  return JSON.stringify({ ...event, message: format(...args), ...(error && describedInLog(error)) });
}

function describedInLog(error) {
  const { errorType, errorMessage, trace } = described(error);
  return { errorType, errorMessage, stackTrace: trace };
}

// An error that ends an invocation or the process.
function logError(title, error) {
  if (JSON_LOGS) log('ERROR', isError(error) ? error : describedInLog(error));
  else log('ERROR', `${title} \t${errorText(error)}`);
}

function patchConsole() {
  const levels = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', log: 'INFO', warn: 'WARN', error: 'ERROR', fatal: 'FATAL' };
  for (const [name, level] of Object.entries(levels)) {
    console[name] = (...args) => log(level, ...args);
  }
}

// ---- The handler

function nearestType(file) {
  for (let dir = path.dirname(file); ; dir = path.dirname(dir)) {
    try {
      return JSON.parse(fs.readFileSync(path.join(dir, 'package.json'), 'utf8')).type;
    } catch {
      if (dir === path.dirname(dir)) return undefined;
    }
  }
}

async function loadModule(taskRoot, moduleRoot, name) {
  const file = path.resolve(taskRoot, moduleRoot, name);
  const imported = (extension) => import(pathToFileURL(file + extension).href);
  // A file without an extension is a script, as written.
  if (fs.existsSync(file) && fs.statSync(file).isFile()) return require(file);
  if (fs.existsSync(`${file}.js`)) return nearestType(file) === 'module' ? imported('.js') : require(`${file}.js`);
  if (fs.existsSync(`${file}.mjs`)) return imported('.mjs');
  if (fs.existsSync(`${file}.cjs`)) return require(`${file}.cjs`);
  const found = require.resolve(moduleRoot ? `${moduleRoot}/${name}` : name, { paths: [taskRoot, path.join(taskRoot, moduleRoot)] });
  return require(found);
}

async function loadHandler(taskRoot, text) {
  if (text.includes('..')) throw new RuntimeError('MalformedHandlerName', `'${text}' is not a valid handler name. Use absolute paths when specifying root directories in handler names.`);
  const basename = path.basename(text);
  const moduleRoot = text.slice(0, text.length - basename.length);
  const parts = /^([^.]*)\.(.*)$/.exec(basename);
  if (!parts) throw new RuntimeError('MalformedHandlerName', 'Bad handler');
  const [, name, exportPath] = parts;
  let module;
  try {
    module = await loadModule(taskRoot, moduleRoot, name);
  } catch (error) {
    if (error instanceof SyntaxError) throw new RuntimeError('UserCodeSyntaxError', error.message, error);
    if (['MODULE_NOT_FOUND', 'ERR_MODULE_NOT_FOUND'].includes(error?.code)) throw new RuntimeError('ImportModuleError', String(error), error);
    throw error;
  }
  const walk = (root) => exportPath.split('.').reduce((value, key) => value?.[key], root);
  const handler = walk(module) ?? walk(module?.default);
  if (!handler) throw new RuntimeError('HandlerNotFound', `${text} is undefined or not exported`);
  if (typeof handler !== 'function') throw new RuntimeError('HandlerNotFound', `${text} is not a function`);
  if (NODE_MAJOR >= 24 && handler.length >= 3 && !handler[STREAMING]) {
    throw new RuntimeError('CallbackHandlerDeprecated', 'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.');
  }
  return handler;
}

// ---- Streaming

const PRELUDE_TYPE = 'application/vnd.awslambda.http-integration-response';

globalThis.awslambda = {
  ...globalThis.awslambda,
  streamifyResponse(handler, options) {
    handler[STREAMING] = options?.highWaterMark ?? true;
    return handler;
  },
  HttpResponseStream: class HttpResponseStream {
    static from(stream, prelude) {
      stream.setContentType(PRELUDE_TYPE);
      stream._onBeforeFirstWrite = (write) => {
        write(JSON.stringify(prelude));
        write(Buffer.alloc(8));
      };
      return stream;
    }
  },
};

// A request whose body is the response, and the promise of its acknowledgement.
function responseStream(id) {
  const headers = { 'Content-Type': 'application/octet-stream', 'Lambda-Runtime-Function-Response-Mode': 'streaming', 'Transfer-Encoding': 'chunked', Trailer: 'Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body' };
  const stream = request({ host, port, agent, method: 'POST', path: `${base}invocation/${id}/response`, headers });
  const done = new Promise((resolve, reject) => {
    stream.on('response', (answer) => answer.resume().on('end', resolve));
    stream.on('error', reject);
  });
  const write = stream.write.bind(stream);
  const end = stream.end.bind(stream);
  const before = () => {
    const hook = stream._onBeforeFirstWrite;
    stream._onBeforeFirstWrite = undefined;
    if (hook) hook(write);
  };
  const bytes = (chunk) => (typeof chunk === 'string' || chunk instanceof Uint8Array ? chunk : JSON.stringify(chunk));
  stream.setContentType = (type) => stream.setHeader('Content-Type', type);
  stream.write = (chunk, ...rest) => {
    before();
    return write(bytes(chunk), ...rest);
  };
  stream.end = (chunk, ...rest) => {
    before();
    if (typeof chunk === 'function' || chunk === undefined || chunk === null) return end(chunk, ...rest);
    return end(bytes(chunk), ...rest);
  };
  stream.fail = (error) => {
    const document = described(error);
    stream.addTrailers({
      'Lambda-Runtime-Function-Error-Type': encodeURI(document.errorType),
      'Lambda-Runtime-Function-Error-Body': Buffer.from(JSON.stringify(document)).toString('base64'),
    });
    end();
  };
  return { stream, done };
}

async function runStreaming(handler, event, context, id) {
  const { stream, done } = responseStream(id);
  try {
    await handler(event, stream, context);
    if (!stream.writableEnded) stream.end();
  } catch (error) {
    logError('Invoke Error', error);
    if (!stream.writableEnded) stream.fail(error);
  }
  await done;
}

// ---- One invocation

function contextOf(headers) {
  const deadline = Number(headers['lambda-runtime-deadline-ms']);
  const json = (name) => (headers[name] ? JSON.parse(headers[name]) : undefined);
  const env = process.env;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: env.AWS_LAMBDA_FUNCTION_VERSION,
    functionName: env.AWS_LAMBDA_FUNCTION_NAME,
    memoryLimitInMB: env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: env.AWS_LAMBDA_LOG_STREAM_NAME,
    clientContext: json('lambda-runtime-client-context'),
    identity: json('lambda-runtime-cognito-identity'),
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadline - Date.now(),
  };
}

// Set while a handler runs; called when nothing is left that could still answer.
let onEmptyLoop;
process.on('beforeExit', () => {
  const settle = onEmptyLoop;
  onEmptyLoop = undefined;
  if (settle) settle();
});

// The handler's result, by promise, by callback, or `null` when the event loop runs empty.
function result(handler, event, context) {
  return new Promise((resolve, reject) => {
    let called = false;
    const done = (error, value) => {
      if (called) return;
      called = true;
      const settle = () => (error === undefined || error === null ? resolve(value) : reject(error));
      if (context.callbackWaitsForEmptyEventLoop) onEmptyLoop = settle;
      else setImmediate(settle);
    };
    onEmptyLoop = () => resolve(null);
    Object.assign(context, { done, succeed: (value) => done(null, value), fail: (error) => done(error ?? 'handled') });
    const returned = handler(event, context, done);
    if (typeof returned?.then === 'function') returned.then(resolve, reject);
  });
}

function serialised(value) {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null';
  } catch {
    throw new Error('Unable to stringify response body');
  }
}

async function serve(handler, { headers, body }) {
  requestId = headers['lambda-runtime-aws-request-id'];
  const trace = headers['lambda-runtime-trace-id'];
  if (trace) process.env._X_AMZN_TRACE_ID = trace;
  else delete process.env._X_AMZN_TRACE_ID;
  const context = contextOf(headers);
  const id = requestId;
  try {
    const event = JSON.parse(body.toString());
    if (handler[STREAMING]) return await runStreaming(handler, event, context, id);
    const text = serialised(await result(handler, event, context));
    onEmptyLoop = undefined;
    await postResponse(id, text);
  } catch (error) {
    onEmptyLoop = undefined;
    logError('Invoke Error', error);
    await postError(`invocation/${id}/error`, error);
  }
}

function exitOn(event, wrap, code, title) {
  process.on(event, (thing) => {
    const error = wrap(thing);
    logError(title, error);
    const target = requestId ? `invocation/${requestId}/error` : 'init/error';
    const exit = () => process.exit(code);
    postError(target, error).then(exit, exit);
  });
}

async function main() {
  patchConsole();
  exitOn('uncaughtException', (error) => error, 129, 'Uncaught Exception');
  exitOn('unhandledRejection', (reason) => new UnhandledRejection(reason), 128, 'Unhandled Promise Rejection');
  let handler;
  try {
    handler = await loadHandler(process.env.LAMBDA_TASK_ROOT, process.env._HANDLER);
  } catch (error) {
    logError('Uncaught Exception', error);
    await postError('init/error', error);
    process.exit(1);
  }
  for (;;) {
    let next;
    try {
      next = await call('GET', 'invocation/next');
    } catch {
      process.exit(1); // The platform is gone.
    }
    await serve(handler, next);
  }
}

main();
