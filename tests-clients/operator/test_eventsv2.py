"""EventBridge's second API as boto3 speaks it: CBOR, signed for `events`."""

import json

import pytest
from botocore.exceptions import ClientError

from conftest import ACCOUNT, REGION

ROLE = f"arn:aws:iam::{ACCOUNT}:role/delivery"


def receive(sqs, url):
    answer = sqs.receive_message(QueueUrl=url, WaitTimeSeconds=10, MaxNumberOfMessages=10)
    return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


def test_a_bus_a_subscriber_and_an_event(server):
    buses, sqs = server.client("eventbridgev2"), server.client("sqs")
    url = sqs.create_queue(QueueName="second")["QueueUrl"]
    made = buses.create_event_bus(Name="second", StorageConfiguration={"RetentionPeriodInDays": 3})
    bus = made["EventBusArn"]
    buses.get_waiter("event_bus_active").wait(EventBusArn=bus)
    shown = buses.describe_event_bus(EventBusArn=bus)
    assert shown["StorageConfiguration"]["RetentionPeriodInDays"] == 3
    assert shown["CreationTime"] == shown["StorageConfiguration"]["RetentionWindowStartTime"]
    subscriber = buses.create_subscriber(
        Name="second",
        EventBusArn=bus,
        InvokeConfiguration={"TargetArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:second", "RoleArn": ROLE},
        FilterConfiguration={"Filters": [{"Scope": "DATA", "Pattern": json.dumps({"n": [{"numeric": [">", 1]}]})}]},
    )["SubscriberArn"]
    entry = lambda n: {"Data": json.dumps({"n": n}).encode(), "SystemMetadata": {"ContentType": "application/json"}}
    answer = buses.put_raw_events(
        EventBusArn=bus,
        Entries=[entry(1), entry(2), entry(2)],
        DeduplicationConfiguration={"DeduplicationType": "CONTENT_BASED"},
    )
    assert answer["FailedEntryCount"] == 0
    assert [entry["SuccessCode"] for entry in answer["Entries"]] == ["PUBLISHED", "PUBLISHED", "DEDUPLICATED"]
    assert receive(sqs, url) == [{"n": 2}]
    buses.update_subscriber(SubscriberArn=subscriber, State="STOPPED", FilterConfiguration={})
    put = buses.put_events(EventBusArn=bus, Entries=[{"Source": "s", "DetailType": "t", "Detail": "{}"}])
    buses.update_subscriber(SubscriberArn=subscriber, State="RUNNING", ResumePosition="LAST_PROCESSED")
    assert [event["id"] for event in receive(sqs, url)] == [put["Entries"][0]["EventId"]]
    with pytest.raises(buses.exceptions.ResourceInUseException):
        buses.delete_event_bus(EventBusArn=bus)
    buses.delete_subscriber(SubscriberArn=subscriber)
    buses.delete_event_bus(EventBusArn=bus)
    buses.get_waiter("event_bus_deleted").wait(EventBusArn=bus)


def test_what_is_refused_and_what_is_not_there(server):
    buses = server.client("eventbridgev2")
    with pytest.raises(ClientError) as caught:
        buses.create_event_bus(Name="x" * 300)
    assert caught.value.response["Error"]["Code"] == "InvalidInputException"
    missing = f"arn:aws:events:{REGION}:{ACCOUNT}:event-busv2/gone/{'a' * 25}"
    with pytest.raises(buses.exceptions.ResourceNotFoundException):
        buses.describe_event_bus(EventBusArn=missing)
    with pytest.raises(ClientError) as caught:
        buses.get_resource_policy(ResourceArn=missing)
    assert caught.value.response["Error"]["Code"] == "NotImplementedException"
    foreign = f"arn:aws:events:{REGION}:999999999999:event-busv2/theirs/{'a' * 25}"
    with pytest.raises(buses.exceptions.AccessDeniedException):
        buses.put_events(EventBusArn=foreign, Entries=[{"Source": "s", "DetailType": "t"}])


def test_the_classic_api_is_another_one(server):
    assert [bus["Name"] for bus in server.client("events").list_event_buses()["EventBuses"]] == ["default"]
