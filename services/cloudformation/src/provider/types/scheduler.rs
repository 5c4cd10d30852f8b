//! Schedules and their groups.

use super::super::Known;
use super::super::{Naming, ResourceType, Source, Takes, Update, aside, call, fixed, open, tags};
use base::Document;

const GROUP: Source = Source::Property("GroupName");

pub(super) const SCHEDULE: ResourceType = ResourceType {
    name: "AWS::Scheduler::Schedule",
    service: "scheduler",
    properties: &[
        fixed("Name"),
        fixed("GroupName"),
        open("Description"),
        open("EndDate"),
        open("FlexibleTimeWindow"),
        open("KmsKeyArn"),
        open("ScheduleExpression"),
        open("ScheduleExpressionTimezone"),
        open("StartDate"),
        open("State"),
        open("Target"),
    ],
    naming: Some(Naming::new("Name", 64)),
    create: Some(call("CreateSchedule", &[])),
    updates: &[Update {
        call: call("UpdateSchedule", &[("Name", Source::Id), ("GroupName", GROUP)]),
        takes: Takes::All,
    }],
    delete: Some(call("DeleteSchedule", &[("Name", Source::Id), ("GroupName", GROUP)])),
    read: Some(call("GetSchedule", &[("Name", Source::Name), ("GroupName", GROUP)])),
    attributes: &[("Arn", Source::Function(schedule_arn))],
    ..ResourceType::BASE
};

fn schedule_arn(known: &Known<'_>) -> Option<Document> {
    let group = known.properties.get("GroupName").and_then(Document::as_str).unwrap_or("default");
    let (place, name) = (known.place, known.name?);
    Some(format!("arn:aws:scheduler:{}:{}:schedule/{group}/{name}", place.region, place.account).into())
}

const GROUP_ARN: Source = Source::Text("arn:aws:scheduler:{region}:{account}:schedule-group/{name}");

pub(super) const SCHEDULE_GROUP: ResourceType = ResourceType {
    name: "AWS::Scheduler::ScheduleGroup",
    service: "scheduler",
    properties: &[fixed("Name"), aside("Tags").to("Tags")],
    naming: Some(Naming::new("Name", 64)),
    create: Some(call("CreateScheduleGroup", &[])),
    delete: Some(call("DeleteScheduleGroup", &[("Name", Source::Id)])),
    read: Some(call("GetScheduleGroup", &[("Name", Source::Name)])),
    attributes: &[
        ("Arn", GROUP_ARN),
        ("CreationDate", Source::Read("CreationDate")),
        ("LastModificationDate", Source::Read("LastModificationDate")),
        ("State", Source::Read("State")),
    ],
    facets: &[tags(
        call("TagResource", &[("ResourceArn", GROUP_ARN), ("Tags.0", Source::Item(""))]),
        call("UntagResource", &[("ResourceArn", GROUP_ARN), ("TagKeys.0", Source::Item("Key"))]),
    )],
    slow_delete: true,
    ..ResourceType::BASE
};
