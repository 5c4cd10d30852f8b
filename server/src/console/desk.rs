//! Where a page's function works: the router at a place, and what the address and the form say.

use askama::Template;
use base::{AccountId, Arn, Fault, Region};
use futures::future::join_all;
use kernel::trace::{Chain, Span, SpanKey};
use kernel::{Caller, Kernel, Operation, Parts, Tx};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::form::Form;
use super::link::Link;
use super::{Answer, Result};

/// The regions that are offered and, if the address names none, looked into for resources, in this order.
const REGIONS: [&str; 14] = [
    "us-east-1",
    "eu-central-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eu-north-1",
    "eu-south-1",
    "ap-northeast-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "sa-east-1",
];

/// The most resources of a kind that are listed.
pub(crate) const LISTED_MAX: usize = 1_000;

/// A request for a page.
pub(crate) struct Desk<'k> {
    /// The router.
    pub kernel: &'k Kernel,
    /// What the address says.
    pub query: Form,
    /// What a form sent.
    pub form: Form,
    region: Region,
    account: AccountId,
    placed: bool,
}

/// What every page has around it.
pub(crate) struct Frame {
    /// The page's title.
    pub title: String,
    /// The navigation.
    pub sections: Vec<Section>,
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// Whether the account is another than the default one.
    pub account_named: bool,
    /// The regions offered.
    pub regions: &'static [&'static str],
    /// Where the form for the place leads.
    pub here: String,
    /// Where clients reach the server.
    pub endpoint: String,
    /// The store's engine.
    pub engine: &'static str,
    /// The server's version.
    pub version: &'static str,
}

/// An entry of the navigation.
pub(crate) struct Section {
    /// Its name.
    pub name: &'static str,
    /// Where it leads.
    pub href: Link,
    /// Whether the page belongs to it.
    pub current: bool,
}

/// The sections: page and name.
const SECTIONS: [(&str, &str); 10] = [
    ("", "Overview"),
    ("events", "Events"),
    ("event-buses", "Event buses"),
    ("validation", "Validation"),
    ("schemas", "Schemas"),
    ("archives", "Archives"),
    ("state-machines", "State machines"),
    ("functions", "Functions"),
    ("tables", "Tables"),
    ("queues", "Queues"),
];

#[derive(Template)]
#[template(path = "fault.html")]
struct FaultPage<'a> {
    frame: Frame,
    fault: &'a Fault,
}

impl<'k> Desk<'k> {
    /// A desk at the place that the address names, by its region or by an ARN; otherwise where something is.
    pub(crate) async fn open(kernel: &'k Kernel, query: Form, form: Form) -> Desk<'k> {
        let arn = |form: &Form| form.given("arn").and_then(|arn| arn.parse::<Arn>().ok());
        let arn = arn(&query).or_else(|| arn(&form));
        let named = |name| query.given(name).or_else(|| form.given(name)).map(str::to_owned);
        let region = named("region").and_then(|name| Region::parse(&name));
        let region = region.or_else(|| arn.as_ref().and_then(Arn::region_name));
        let account = named("account").and_then(|name| AccountId::parse(&name));
        let account = account.or_else(|| arn.as_ref().and_then(Arn::account_id)).unwrap_or_default();
        let placed = region.is_some();
        let region = region.unwrap_or_default();
        let desk = Desk { kernel, query, form, region, account, placed };
        if placed { desk } else { desk.where_something_is().await }
    }

    async fn where_something_is(mut self) -> Desk<'k> {
        for region in REGIONS.iter().filter_map(|name| Region::parse(name)) {
            self.region = region;
            if self.has_resources().await {
                return self;
            }
        }
        self.region = Region::default();
        self
    }

    async fn has_resources(&self) -> bool {
        let one = Some(1);
        let machines = states::api::ListStateMachinesInput { max_results: one, ..Default::default() };
        let queues = sqs::api::ListQueuesInput { max_results: one, ..Default::default() };
        let tables = dynamodb::api::ListTablesInput { limit: one, ..Default::default() };
        let rules = events::api::ListRulesInput { limit: one, ..Default::default() };
        let functions = lambda::api::ListFunctionsInput { max_items: one, ..Default::default() };
        let machines = self.call::<states::api::ListStateMachines>(&machines).await;
        machines.is_ok_and(|found| !found.state_machines.is_empty())
            || self.call::<sqs::api::ListQueues>(&queues).await.is_ok_and(|found| some(found.queue_urls))
            || self
                .call::<dynamodb::api::ListTables>(&tables)
                .await
                .is_ok_and(|found| some(found.table_names))
            || self.call::<events::api::ListRules>(&rules).await.is_ok_and(|found| some(found.rules))
            || self
                .call::<lambda::api::ListFunctions>(&functions)
                .await
                .is_ok_and(|found| some(found.functions))
    }

    /// Whether the address names the place.
    pub(crate) fn is_placed(&self) -> bool {
        self.placed
    }

    /// The same page with the place in its address.
    pub(crate) fn placed(&self, page: &str) -> String {
        let names = ["arn", "id", "name", "bus", "registry", "text"];
        let link = names.iter().fold(self.link(page), |link, name| link.with(name, self.query.get(name)));
        link.to_string()
    }

    /// The address of a page at this place.
    pub(crate) fn link(&self, page: &str) -> Link {
        Link::to(page, self.region.as_str(), self.account.as_str())
    }

    /// The page of what an ARN names, if there is one.
    pub(crate) fn link_of(&self, arn: &str) -> Option<Link> {
        let parsed: Arn = arn.parse().ok()?;
        let to = |page: &str| Link::to(page, &parsed.region, &parsed.account);
        let resource = parsed.resource.as_str();
        let (kind, name) = resource.split_once([':', '/']).unwrap_or(("", resource));
        match (parsed.service.as_str(), kind) {
            ("states", "stateMachine") => Some(to("state-machine").with("arn", arn)),
            ("states", "execution" | "express") => Some(to("execution").with("arn", arn)),
            ("states", "mapRun") => Some(to("map-run").with("arn", arn)),
            ("schemas", "schema") => {
                let (registry, schema) = name.split_once('/')?;
                Some(to("schema").with("registry", registry).with("name", schema))
            }
            ("events", "archive" | "replay") => Some(to("archives")),
            ("lambda", "function") => {
                Some(to("function").with("name", name.split(':').next().unwrap_or(name)))
            }
            ("dynamodb", "table") => Some(to("table").with("name", name.split('/').next().unwrap_or(name))),
            ("sqs", _) => Some(to("queue").with("name", resource)),
            ("events", _) => Some(to("event-buses")),
            _ => None,
        }
    }

    /// The account and the region.
    pub(crate) fn place(&self) -> (AccountId, Region) {
        (self.account.clone(), self.region.clone())
    }

    /// The same desk in another region.
    pub(crate) fn in_region(&self, region: Region) -> Desk<'k> {
        Desk {
            kernel: self.kernel,
            query: self.query.clone(),
            form: self.form.clone(),
            region,
            account: self.account.clone(),
            placed: true,
        }
    }

    /// The other regions that are offered.
    pub(crate) fn other_regions(&self) -> impl Iterator<Item = Region> {
        REGIONS.iter().filter_map(|name| Region::parse(name)).filter(|region| *region != self.region)
    }

    /// Calls an operation of AWS's API through the router.
    pub(crate) async fn call<O: Operation>(&self, input: &O::Input) -> Result<O::Output>
    where
        O::Input: Serialize + Sync,
        O::Output: DeserializeOwned,
    {
        self.call_as::<O, O::Output>(input).await
    }

    /// The same with input and output as the caller wants them.
    pub(crate) async fn call_as<O: Operation, T: DeserializeOwned>(
        &self,
        input: &(impl Serialize + Sync),
    ) -> Result<T> {
        let document = serde_json::to_vec(input).map_err(|error| self.kernel.to_fault(error.into()))?;
        let service = O::SCHEMA.service.signing_name;
        let answer = self.kernel.call(self.caller(), service, O::SCHEMA.name, document.into()).await?;
        serde_json::from_slice(&answer).map_err(|error| self.kernel.to_fault(error.into()))
    }

    /// Asks an internal operation, one that looks and changes nothing.
    pub(crate) async fn ask<T: DeserializeOwned>(
        &self,
        service: &str,
        operation: &str,
        input: &(impl Serialize + Sync),
    ) -> Result<T> {
        let fault = |error: serde_json::Error| self.kernel.to_fault(error.into());
        let document = serde_json::to_value(input).map_err(fault)?;
        let answer = self.kernel.ask(self.caller(), service, operation, &document).await?;
        serde_json::from_value(answer).map_err(fault)
    }

    fn caller(&self) -> Caller {
        Caller::root_user(self.account.clone(), self.region.clone(), self.kernel.new_id())
    }

    /// The chains of causes that `id` belongs to, newest first.
    pub(crate) async fn chains(&self, id: &str) -> Result<Vec<Chain>> {
        async fn find(tx: &mut Tx, id: String) -> kernel::Result<Vec<Chain>> {
            kernel::trace::find(tx, &id).await
        }
        let caller = self.kernel.house_caller();
        let chains = self.kernel.transact("kernel", caller, "FindTrace", find, id.to_owned()).await;
        chains.map_err(|error| self.kernel.to_fault(error))
    }

    /// The spans of the newest chains of causes, at most `limit`, newest first.
    pub(crate) async fn newest_spans(&self, limit: usize) -> Result<Vec<Span>> {
        async fn newest(tx: &mut Tx, limit: usize) -> kernel::Result<Vec<Span>> {
            let rows = tx.scan_back::<SpanKey>(Parts::none(), limit).await?;
            Ok(rows.into_iter().map(|(_, span)| span).collect())
        }
        let caller = self.kernel.house_caller();
        let spans = self.kernel.transact("kernel", caller, "NewestSpans", newest, limit).await;
        let mut spans = spans.map_err(|error| self.kernel.to_fault(error))?;
        spans.sort_by_key(|span| std::cmp::Reverse(span.at));
        Ok(spans)
    }

    /// What a page of a section has around it.
    pub(crate) fn frame(&self, section: &str, title: impl Into<String>) -> Frame {
        let sections = SECTIONS
            .iter()
            .map(|(page, name)| Section { name, href: self.link(page), current: *page == section })
            .collect();
        Frame {
            title: title.into(),
            sections,
            region: self.region.to_string(),
            account: self.account.to_string(),
            account_named: self.account != AccountId::default(),
            regions: &REGIONS,
            here: format!("{}/{section}", super::PATH),
            endpoint: self.kernel.endpoint().to_owned(),
            engine: self.kernel.engine_name(),
            version: env!("CARGO_PKG_VERSION"),
        }
    }

    /// The text of a page.
    pub(crate) fn render(&self, page: &impl Template) -> Result {
        match page.render() {
            Ok(text) => Ok(Answer::Page(text)),
            Err(error) => Err(self.kernel.to_fault(kernel::Error::bug(format!("write a page: {error}")))),
        }
    }

    /// The page that shows a fault, in the words in which a client gets it.
    pub(crate) fn fault_page(&self, fault: &Fault) -> String {
        let page = FaultPage { frame: self.frame("none", fault.code.as_ref()), fault };
        page.render().unwrap_or_else(|_| fault.code.to_string())
    }
}

/// The last part of an ARN.
pub(crate) fn last(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

fn some<T>(found: Option<Vec<T>>) -> bool {
    found.is_some_and(|found| !found.is_empty())
}

/// All results of `calls`, in their order.
pub(crate) async fn all<T>(calls: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    join_all(calls).await
}
