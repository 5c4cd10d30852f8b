'use strict';
// Sends requests for AWS's own hosts to the platform. SDK v3 honours AWS_ENDPOINT_URL; SDK v2, hand-written signers, and
// custom resources (which keep the host of ResponseURL but drop its port) do not. The Host header stays as the code set it,
// so that signatures hold and the platform knows which service is meant.

const endpoint = process.env.AWS_ENDPOINT_URL && new URL(process.env.AWS_ENDPOINT_URL);

function isAws(host) {
  return /(^|\.)(amazonaws\.com(\.cn)?|api\.aws)$/.test(host);
}

// Whether a request goes to the platform though it names another place.
function isMisdirected(host, port, secure) {
  if (isAws(host)) return true;
  return secure && host === endpoint.hostname && (!port || Number(port) === 443) && endpoint.port !== '443';
}

// The arguments of http.request as one options object and the callback.
function normalise(args) {
  let [input, options, callback] = args;
  if (typeof options === 'function') [options, callback] = [undefined, options];
  if (typeof input === 'string') input = new URL(input);
  if (input instanceof URL) {
    const { urlToHttpOptions } = require('url');
    return [{ ...urlToHttpOptions(input), ...options }, callback];
  }
  return [{ ...input, ...options }, callback];
}

function hostOf(options) {
  return String(options.hostname || options.host || 'localhost').replace(/:\d+$/, '');
}

function redirected(options, host, secure) {
  const port = options.port && Number(options.port) !== (secure ? 443 : 80) ? `:${options.port}` : '';
  const headers = options.headers;
  const named = headers && !Array.isArray(headers) && Object.keys(headers).some((k) => k.toLowerCase() === 'host');
  const moved = {
    ...options,
    protocol: endpoint.protocol,
    host: endpoint.hostname,
    hostname: endpoint.hostname,
    port: endpoint.port || (endpoint.protocol === 'https:' ? 443 : 80),
    agent: undefined,
  };
  delete moved.servername;
  if (!named && !Array.isArray(headers)) moved.headers = { ...headers, Host: `${host}${port}` };
  return moved;
}

function patch(module, secure) {
  const original = module.request;
  const request = function (...args) {
    const [options, callback] = normalise(args);
    const host = hostOf(options);
    if (!isMisdirected(host, options.port, secure || options.protocol === 'https:')) {
      return original.apply(module, args);
    }
    const target = endpoint.protocol === 'https:' ? originals.https : originals.http;
    return target(redirected(options, host, secure), callback);
  };
  module.request = request;
  module.get = function (...args) {
    const sent = request(...args);
    sent.end();
    return sent;
  };
}

const originals = {};

// `fetch` drops a Host header that it is given, so what is redirected goes by http.request.
async function fetchByRequest(request, url) {
  const { Readable } = require('stream');
  const body = request.body ? Buffer.from(await request.arrayBuffer()) : undefined;
  const headers = Object.fromEntries(request.headers);
  headers.host ??= url.host;
  if (body) headers['content-length'] = body.length;
  const options = { path: url.pathname + url.search, method: request.method, headers, signal: request.signal };
  const moved = redirected(options, url.hostname, url.protocol === 'https:');
  const send = endpoint.protocol === 'https:' ? originals.https : originals.http;
  return new Promise((resolve, reject) => {
    const sent = send(moved, (answer) => {
      const received = new Headers();
      for (let i = 0; i < answer.rawHeaders.length; i += 2) received.append(answer.rawHeaders[i], answer.rawHeaders[i + 1]);
      const bare = request.method === 'HEAD' || [101, 204, 205, 304].includes(answer.statusCode);
      const init = { status: answer.statusCode, statusText: answer.statusMessage, headers: received };
      resolve(new Response(bare ? null : Readable.toWeb(answer), init));
    });
    sent.on('error', (cause) => reject(new TypeError('fetch failed', { cause })));
    sent.end(body);
  });
}

function patchFetch() {
  const original = globalThis.fetch;
  if (!original) return;
  globalThis.fetch = async function fetch(input, init) {
    const url = new URL(typeof input === 'object' && 'url' in input ? input.url : String(input));
    if (!isMisdirected(url.hostname, url.port, url.protocol === 'https:')) return original(input, init);
    return fetchByRequest(new Request(input, init), url);
  };
}

if (endpoint) {
  const http = require('http');
  const https = require('https');
  originals.http = http.request.bind(http);
  originals.https = https.request.bind(https);
  patch(http, false);
  patch(https, true);
  patchFetch();
  // `import { request } from 'https'` sees the patched functions only after this.
  require('module').syncBuiltinESMExports();
}
