"""The Python loop: loads the handler, then asks the Runtime API for one invocation after another."""

import importlib
import json
import logging
import os
import socket
import sys
import time
import traceback

BASE = "/2018-06-01/runtime/"


class Api:
    """The Runtime API over one kept connection. `http.client` would triple the time of a cold start."""

    def __init__(self, address):
        host, _, port = address.rpartition(":")
        self.address = (host, int(port))
        self.host = address
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(self.address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.reader = self.socket.makefile("rb", 65536)

    def call(self, method, target, body=b"", headers=()):
        lines = [f"{method} {BASE}{target} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(body)}"]
        lines.extend(f"{name}: {value}" for name, value in headers)
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("iso-8859-1", "replace")
        self.socket.sendall(head + body if len(body) < 65536 else head)
        if len(body) >= 65536:
            self.socket.sendall(body)
        return self.answer()

    def answer(self):
        if not self.reader.readline():
            raise ConnectionError("the platform is gone")
        headers = {}
        while True:
            line = self.reader.readline().rstrip(b"\r\n")
            if not line:
                break
            name, _, value = line.partition(b":")
            headers[name.decode("iso-8859-1").lower()] = value.strip().decode("utf-8", "replace")
        return headers, self.reader.read(int(headers.get("content-length", "0")))


class Fault(Exception):
    """An error of the loop itself, with AWS's name for it."""

    def __init__(self, error_type, message, trace=None):
        super().__init__(message)
        self.error_type, self.message, self.trace = error_type, message, trace or []


class Identity:
    cognito_identity_id = None
    cognito_identity_pool_id = None

    def __init__(self, values):
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class Client:
    def __init__(self, values):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, values.get(name))


class ClientContext:
    def __init__(self, values):
        self.client = Client(values["client"]) if values.get("client") else None
        self.custom = values.get("custom")
        self.env = values.get("env")


class Context:
    def __init__(self, headers):
        env = os.environ
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.log_group_name = env["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = env["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.function_name = env["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = env["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = env["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.invoked_function_arn = headers.get("lambda-runtime-invoked-function-arn")
        self.tenant_id = headers.get("lambda-runtime-aws-tenant-id")
        client = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        self.identity = Identity(json.loads(headers.get("lambda-runtime-cognito-identity") or "{}"))
        self._deadline = int(headers["lambda-runtime-deadline-ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline - int(time.time() * 1000))

    def log(self, message):
        write_event(str(message))


def write_event(text):
    """One frame per log event, so that an event may hold line ends."""
    sys.stdout.flush()
    body = text.rstrip("\n").encode("utf-8", "surrogatepass")
    data = b"\xa5\x5a\x00\x03" + len(body).to_bytes(4, "big") + body
    while data:
        data = data[os.write(1, data):]


class Handler(logging.Handler):
    """What `logging` writes to unless the code says otherwise."""

    request_id = ""

    def emit(self, record):
        record.aws_request_id = Handler.request_id
        write_event(self.format(record))


JSON_LOGS = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
MEMBERS = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id"}


class JsonFormatter(logging.Formatter):
    """One object per event; what `extra` gives, stands beside the message."""

    def format(self, record):
        event = {
            "timestamp": iso(record.created),
            "level": record.levelname,
            "message": record.getMessage(),
            "logger": record.name,
            "requestId": record.aws_request_id,
        }
        event.update((name, value) for name, value in vars(record).items() if name not in MEMBERS)
        if record.exc_info:
            kind, error, trace = record.exc_info
            event["errorType"], event["errorMessage"] = kind.__name__, str(error)
            event["stackTrace"] = [line.rstrip("\n") for line in traceback.format_tb(trace)]
        return json.dumps(event, default=str, ensure_ascii=False)


def iso(seconds):
    millis = int(seconds * 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(millis // 1000)) + f".{millis % 1000:03d}Z"


class Encoder(json.JSONEncoder):
    """Decimals keep every digit: each becomes a marked string first, since `json` knows no text that is to stand as it is."""

    mark = None

    def default(self, o):
        decimal = sys.modules.get("decimal")
        if not decimal or not isinstance(o, decimal.Decimal):
            return super().default(o)
        if o.is_nan():
            return float("nan")
        self.mark = self.mark or os.urandom(12).hex()
        return f"{self.mark}{o}{self.mark}"

    def encode(self, o):
        text = super().encode(o)
        return text.replace(f'"{self.mark}', "").replace(f'{self.mark}"', "") if self.mark else text


def marshalled(value):
    """The answer's bytes and their content type. Bytes are passed on as they are."""
    if isinstance(value, bytes):
        return value, "application/unknown"
    return Encoder(ensure_ascii=False).encode(value).encode("utf-8", "surrogatepass"), "application/json"


def load(name):
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}")
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace)
    if not hasattr(module, function_name):
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")
    return getattr(module, function_name)


def own_frames(error):
    """The frames of the code, without the loop's and the import machinery's."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame for frame in frames if frame.filename != __file__ and "importlib" not in frame.filename]


def described(error, request_id):
    if isinstance(error, Fault):
        error_type, message, trace = error.error_type, error.message, error.trace
    else:
        error_type, message = type(error).__name__, str(error)
        trace = traceback.format_list(own_frames(error))
    return {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": trace}


def log_error(document):
    if JSON_LOGS:
        write_event(json.dumps({"timestamp": iso(time.time()), "log_level": "ERROR", **document}, ensure_ascii=False))
        return
    text = f"[ERROR] {document['errorType']}: {document['errorMessage']}"
    if document["stackTrace"]:
        text += "\nTraceback (most recent call last):\n" + "".join(document["stackTrace"])
    write_event(text)


def post_error(api, target, error, request_id):
    document = described(error, request_id)
    log_error(document)
    body = json.dumps(document).encode()
    error_type = document["errorType"]
    api.call("POST", target, body, [("Content-Type", "application/json"), ("Lambda-Runtime-Function-Error-Type", error_type)])


def run(handler, headers, body):
    try:
        event = json.loads(body)
    except ValueError as error:
        raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}")
    value = handler(event, Context(headers))
    try:
        return marshalled(value)
    except (TypeError, ValueError) as error:
        raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}")


def serve(api, handler, headers, body):
    request_id = headers["lambda-runtime-aws-request-id"]
    Handler.request_id = request_id
    trace = headers.get("lambda-runtime-trace-id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    try:
        answer, content_type = run(handler, headers, body)
    except Exception as error:
        sys.stdout.flush()
        post_error(api, f"invocation/{request_id}/error", error, request_id)
        return
    sys.stdout.flush()
    api.call("POST", f"invocation/{request_id}/response", answer, [("Content-Type", content_type)])


def main():
    # The script's own directory gives way to the code.
    sys.path[0] = os.environ["LAMBDA_TASK_ROOT"]
    api = Api(os.environ["AWS_LAMBDA_RUNTIME_API"])
    handler = Handler()
    layout = "[%(levelname)s]\t%(asctime)s.%(msecs)dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(layout, "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(JsonFormatter() if JSON_LOGS else formatter)
    logging.getLogger().addHandler(handler)
    if JSON_LOGS:
        level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO")
        logging.getLogger().setLevel({"TRACE": "DEBUG", "FATAL": "CRITICAL"}.get(level, level))
    try:
        function = load(os.environ["_HANDLER"])
    except Exception as error:
        post_error(api, "init/error", error, "")
        sys.exit(1)
    while True:
        try:
            headers, body = api.call("GET", "invocation/next")
        except OSError:
            os._exit(1)
        serve(api, function, headers, body)


if __name__ == "__main__":
    main()
