"""The command line against a strict server: it signs, and tells operators what became of their events."""

import json
import time


def put(server, amount):
    entry = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": json.dumps({"amount": amount})}
    return server.client("events").put_events(Entries=[entry])["Entries"][0]["EventId"]


def eventually(read, is_enough, deadline_s=30):
    end = time.monotonic() + deadline_s
    while not is_enough(seen := read()):
        assert time.monotonic() < end, seen
    return seen


def test_commands_are_signed(server):
    done = server.command("call", "sqs", "CreateQueue", '{"QueueName": "by-command"}')
    assert done.returncode == 0, done.stderr
    refused = server.command("call", "sqs", "ListQueues", secret="another")
    assert refused.returncode == 1 and "InvalidSignatureException" in refused.stderr


def test_an_event_explains_itself_to_operators(server):
    sqs, events = server.client("sqs"), server.client("events")
    sqs.create_queue(QueueName="orders")
    arn = "arn:aws:sqs:eu-central-1:111122223333:orders"
    events.put_rule(Name="all-orders", EventPattern='{"source": ["shop"]}')
    events.put_rule(Name="big-orders", EventPattern='{"detail": {"amount": [{"numeric": [">", 100]}]}}')
    for rule in ("all-orders", "big-orders"):
        events.put_targets(Rule=rule, Targets=[{"Id": "q", "Arn": arn}])
    event = put(server, 20)
    told = eventually(lambda: server.command("explain", event).stdout, lambda text: "orders: delivered" in text)
    assert "detail.amount: wanted a number > 100, found 20" in told
    assert event in server.command("events", "search", "orderplaced").stdout
    again = server.command("redeliver", event, "--rule", "all-orders")
    assert again.returncode == 0 and "1 deliveries" in again.stdout, again.stderr
    closed = server.command("explain", event, token="not-the-operators-token")
    assert closed.returncode == 1 and "operators" in closed.stderr
