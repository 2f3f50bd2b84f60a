//! What people are told by mail: through a real SMTP server, once, only of what is committed, and not when they do not
//! want it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use proto::notification::v1::{
    Delivery, DeliveryState, DiscardDeliveryRequest, ListDeliveriesRequest, ListRecipientsRequest,
    Preference, PreviewTemplateRequest, Recipient, RecipientScope, RequeueDeliveryRequest,
    SetSuppressionRequest, UpsertPreferenceRequest, UpsertRecipientRequest,
};
use proto::order::v1::{
    AttentionItem, GetChangeOrderRequest, GetTimelineRequest, ListAttentionItemsRequest, Parties,
    SubmitChangeOrderRequest, SubscribeRequest,
};
use tests::shop::{card, refused};
use tests::{Shop, eventually};
use tokio_stream::StreamExt as _;
use tonic::Code;

use crate::Stage;

/// Mail is sent within seconds.
const MAILED_MAX: Duration = Duration::from_secs(30);

/// aiosmtpd in a process of its own, which ends with this value.
struct MailServer {
    process: Child,
    port: u16,
    taken: PathBuf,
    _directory: tempfile::TempDir,
}

impl MailServer {
    fn start() -> Result<Self> {
        let python = std::env::var("COUNTERMAND_TEST_PYTHON")
            .context("COUNTERMAND_TEST_PYTHON names a Python with aiosmtpd; tests/run sets it")?;
        let directory = tempfile::tempdir()?;
        let mut process = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("clients/smtp_sink.py"))
            .arg(directory.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("its output is ours")?).read_line(&mut line)?;
        let port = line.trim().parse().context("the server prints its port first")?;
        Ok(Self { process, port, taken: directory.path().to_owned(), _directory: directory })
    }

    /// The mails to an address, in the order they came.
    fn to(&self, address: &str) -> Result<Vec<String>> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(&self.taken)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == "eml"));
        files.sort();
        let mails: Vec<String> = files.iter().map(std::fs::read_to_string).collect::<Result<_, _>>()?;
        let first = format!("To-Envelope: {address}\r\n");
        Ok(mails.into_iter().filter(|mail| mail.starts_with(&first)).collect())
    }

    fn settings(&self) -> [(&'static str, String); 5] {
        [
            ("COUNTERMAND_MAIL__MODE", "smtp".to_owned()),
            ("COUNTERMAND_MAIL__HOST", "127.0.0.1".to_owned()),
            ("COUNTERMAND_MAIL__PORT", self.port.to_string()),
            ("COUNTERMAND_MAIL__TLS", "none".to_owned()),
            ("COUNTERMAND_MAIL__TIMEOUT_SECONDS", "5".to_owned()),
        ]
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait().map(drop)) {
            eprintln!("ending the mail server: {error}");
        }
    }
}

async fn mail_to(shop: &Shop, order_id: &str, audience: &str, address: &str, locale: &str) -> Result<()> {
    let recipient = Recipient {
        scope: RecipientScope::Order.into(),
        scope_id: order_id.to_owned(),
        audience: audience.to_owned(),
        address: address.to_owned(),
        locale: locale.to_owned(),
        ..Recipient::default()
    };
    let request = UpsertRecipientRequest { request_id: shop.request_id(), recipient: Some(recipient) };
    shop.clients.recipients().upsert_recipient(request).await?;
    Ok(())
}

async fn deliveries(shop: &Shop, order_id: &str) -> Result<Vec<Delivery>> {
    let request = ListDeliveriesRequest { order_id: order_id.to_owned(), ..ListDeliveriesRequest::default() };
    let mut found = shop.clients.deliveries().list_deliveries(request).await?.into_inner().deliveries;
    // A dead letter alerts the staff of its order, a moment later.
    found.retain(|delivery| delivery.template != "attention.opened");
    Ok(found)
}

/// The order's deliveries once there are `count` and none is on its way.
async fn settled(shop: &Shop, order_id: &str, count: usize) -> Result<Vec<Delivery>> {
    let started = Instant::now();
    loop {
        let found = deliveries(shop, order_id).await?;
        let moving = |it: &Delivery| matches!(it.state(), DeliveryState::Queued | DeliveryState::Sending);
        if found.len() == count && !found.iter().any(moving) {
            return Ok(found);
        }
        ensure!(started.elapsed() < MAILED_MAX, "{count} deliveries were expected: {found:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn of<'a>(deliveries: &'a [Delivery], address: &str) -> Result<&'a Delivery> {
    deliveries.iter().find(|it| it.recipient == address).with_context(|| format!("nothing for {address}"))
}

pub async fn b21_b23_a_cancellation_is_mailed_to_each_party_in_its_language(stage: &Stage) -> Result<()> {
    let server = MailServer::start()?;
    let suite = stage.own_suite(&server.settings()).await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 2).await?;
    for (audience, address, locale) in [
        ("buyer", "ann@home.example", "de"),
        ("supplier", "desk@acme.example", ""),
        ("client", "client@home.example", "en"),
        ("staff", "gone@shop.example", ""),
    ] {
        mail_to(&shop, &order.order_id, audience, address, locale).await?;
    }

    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    // Committed to four, and the refund to buyer and staff: whose address was refused by then.
    let found = settled(&shop, &order.order_id, 6).await?;
    let buyer = server.to("ann@home.example")?;
    ensure!(buyer.len() == 2, "{buyer:?}");
    ensure!(
        buyer[0].contains("wurde storniert") && buyer[0].contains("multipart/alternative"),
        "{}",
        buyer[0]
    );
    ensure!(server.to("desk@acme.example")?[0].contains("Subject: Do not ship"), "the supplier's notice");
    ensure!(server.to("client@home.example")?.len() == 1, "the refund is not the client's affair");
    ensure!(server.to("gone@shop.example")?.is_empty());
    let gone: Vec<&Delivery> = found.iter().filter(|it| it.recipient == "gone@shop.example").collect();
    ensure!(gone[0].state() == DeliveryState::Dead && gone[0].last_error.contains("550"), "{gone:?}");
    ensure!(gone[1].state() == DeliveryState::Suppressed, "{gone:?}");

    // A dead letter: sent again when the address is good again, or given up.
    let dead = gone[0].delivery_id.clone();
    let discard = |why: &str| DiscardDeliveryRequest {
        request_id: shop.request_id(),
        delivery_id: dead.clone(),
        why: why.to_owned(),
    };
    let mut desk = shop.clients.deliveries();
    let requeue = RequeueDeliveryRequest { request_id: shop.request_id(), delivery_id: dead.clone() };
    let requeued = desk.requeue_delivery(requeue.clone()).await?.into_inner().delivery;
    ensure!(requeued.is_some_and(|it| it.tries == 0 || it.state() == DeliveryState::Suppressed));
    let after = settled(&shop, &order.order_id, 6).await?;
    ensure!(of(&after, "gone@shop.example")?.state() == DeliveryState::Suppressed, "{after:?}");
    refused(
        desk.discard_delivery(discard("wrong address")).await,
        Code::FailedPrecondition,
        "STATE_CONFLICT",
    )?;
    ensure!(desk.requeue_delivery(requeue).await.is_ok(), "the same request again changes nothing");
    Ok(())
}

/// Nobody has entered anybody: an order's contact is the buyer where no organisation bought, and its client where one did.
pub async fn an_orders_contact_is_told_without_being_registered(stage: &Stage) -> Result<()> {
    let server = MailServer::start()?;
    let suite = stage.own_suite(&server.settings()).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 4).await?;
    let place = async |contact: &str, buyer: &str, placed_at: &str| -> Result<String> {
        let mut request = shop.order_request(&sku, 1, "10.00", 0);
        let parties = Parties {
            client_contact: contact.to_owned(),
            buyer: buyer.to_owned(),
            ..request.parties.unwrap_or_default()
        };
        request.parties = Some(parties);
        placed_at.clone_into(&mut request.placed_at);
        request.tenders = vec![card("tok_approve", 1_000, true)];
        let order_id = shop.create(request).await?.order_id;
        shop.submit(shop.cancel_request(&order_id, &[])).await?;
        Ok(order_id)
    };
    let consumer = place("Eve@Home.Example", "", "").await?;
    let client = place("carl@home.example", "bistro", "").await?;
    let brought_in = place("ida@home.example", "", "2011-12-01T08:26:00Z").await?;
    let by_telephone = place("+44 20 7946 0000", "", "").await?;

    let mailed = async |order_id: &str, expected: &[&str]| -> Result<()> {
        let found = settled(&shop, order_id, expected.len()).await?;
        let mut templates: Vec<&str> = found.iter().map(|it| it.template.as_str()).collect();
        templates.sort_unstable();
        ensure!(templates == expected, "{found:?}");
        Ok(())
    };
    mailed(&consumer, &["cancellation.confirmed", "order.confirmed", "refund.issued"]).await?;
    ensure!(server.to("eve@home.example")?.len() == 3);
    mailed(&client, &["cancellation.confirmed", "order.confirmed"]).await?;
    // What was ordered elsewhere in 2011 is no news; that it is cancelled now is.
    mailed(&brought_in, &["cancellation.confirmed", "refund.issued"]).await?;
    mailed(&by_telephone, &[]).await?;
    let stream = SubscribeRequest { until_now: true, ..SubscribeRequest::default() };
    let mut stream = shop.clients.events().subscribe(stream).await?.into_inner();
    while let Some(told) = stream.next().await {
        let told = format!("{:?}", told?.event);
        ensure!(!told.contains("ContactNamed"), "{told}");
    }
    // Whoever writes to people decides: an address can be taken out like any other.
    let listed = ListRecipientsRequest { page_size: 200, ..ListRecipientsRequest::default() };
    let listed = shop.clients.recipients().list_recipients(listed).await?.into_inner().recipients;
    ensure!(
        listed.iter().any(|it| it.scope_id == consumer && it.address == "eve@home.example"),
        "{listed:?}"
    );
    tests::assert_books_balance(&suite).await
}

/// What our own people say among themselves stays with them, and who is named gets no mail about the change.
pub async fn u36_a_change_is_mailed_to_nobody_whom_it_leaves_out_and_its_staff_note_to_nobody(
    stage: &Stage,
) -> Result<()> {
    let server = MailServer::start()?;
    let suite = stage.own_suite(&server.settings()).await?;
    let shop = Shop::open(suite.clients()).await?;
    let sku = shop.sku("LAMP");
    shop.receive(&sku, 1).await?;
    let mut request = shop.order_request(&sku, 1, "10.00", 0);
    request.parties = Some(Parties { buyer: "bistro".to_owned(), ..request.parties.unwrap_or_default() });
    request.tenders = vec![card("tok_approve", 1_000, true)];
    let order_id = shop.create(request).await?.order_id;
    mail_to(&shop, &order_id, "buyer", "bea@bistro.example", "").await?;
    mail_to(&shop, &order_id, "staff", "desk@shop.example", "").await?;

    let mut request = shop.cancel_request(&order_id, &[]);
    let change = request.change.as_mut().context("it asks for a change")?;
    "she has done this twice before".clone_into(&mut change.staff_note);
    change.without_mail_to = vec!["buyers".to_owned()];
    refused(shop.submit(request.clone()).await, Code::InvalidArgument, "FIELD_INVALID")?;
    request.change.as_mut().context("it asks for a change")?.without_mail_to = vec!["buyer".to_owned()];
    // A buyer who cancels keeps nobody from hearing of it.
    let buyer = shop.as_user("bea", "bistro", "buyer");
    let silencing =
        buyer.submit(SubmitChangeOrderRequest { request_id: shop.request_id(), ..request.clone() });
    refused(silencing.await, Code::PermissionDenied, "PERMISSION_DENIED")?;
    let change = shop.submit(request).await?;

    let found = settled(&shop, &order_id, 2).await?;
    ensure!(found.iter().all(|it| it.recipient == "desk@shop.example"), "{found:?}");
    let said = async |who: &Shop| -> Result<bool> {
        let request = GetTimelineRequest { order_id: order_id.clone(), page_size: 200, ..Default::default() };
        let entries = who.clients.orders().get_timeline(request).await?.into_inner().entries;
        Ok(format!("{entries:?}").contains("twice before"))
    };
    ensure!(said(&shop).await? && !said(&buyer).await?, "our own people alone read it");
    let shown = GetChangeOrderRequest { change_order_id: change.change_order_id };
    let shown = buyer.clients.changes().get_change_order(shown).await?.into_inner();
    ensure!(!format!("{shown:?}").contains("twice before"), "{shown:?}");
    Ok(())
}

pub async fn u36_who_does_not_want_mail_gets_none_and_the_log_says_why(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    let [off, out, on] =
        ["off", "out", "on"].map(|name| format!("{name}-{}@home.example", shop.sku("x").to_lowercase()));
    for address in [&off, &out, &on] {
        mail_to(&shop, &order.order_id, "supplier", address, "").await?;
    }
    let preference = Preference {
        audience: "supplier".to_owned(),
        address: off.clone(),
        off: true,
        ..Preference::default()
    };
    let request = UpsertPreferenceRequest { request_id: shop.request_id(), preference: Some(preference) };
    shop.clients.recipients().upsert_preference(request).await?;
    let request = SetSuppressionRequest {
        request_id: shop.request_id(),
        address: out.clone(),
        cause: "unsubscribed".to_owned(),
        detail: "by telephone".to_owned(),
        lifted: false,
    };
    shop.clients.recipients().set_suppression(request).await?;

    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let found = settled(&shop, &order.order_id, 3).await?;
    let why = |address: &str| of(&found, address).map(|it| (it.state(), it.last_error.clone()));
    ensure!(why(&off)? == (DeliveryState::Suppressed, "preference: mail is off".to_owned()), "{found:?}");
    ensure!(why(&out)? == (DeliveryState::Suppressed, "unsubscribed: by telephone".to_owned()), "{found:?}");
    ensure!(why(&on)?.0 == DeliveryState::Sent, "{found:?}");
    Ok(())
}

pub async fn a_mail_can_be_looked_at_before_it_is_sent(stage: &Stage) -> Result<()> {
    let shop = Shop::open(stage.suite().await?.clients()).await?;
    let preview = |template: &str, locale: &str| PreviewTemplateRequest {
        template: template.to_owned(),
        locale: locale.to_owned(),
        delivery_id: String::new(),
    };
    let mut desk = shop.clients.deliveries();

    let german = desk.preview_template(preview("refund.issued", "de")).await?.into_inner();
    ensure!(german.text.contains("wurde erstattet: GBP 12.34") && german.html.contains("<p>"), "{german:?}");
    refused(
        desk.preview_template(preview("refund.promised", "")).await,
        Code::InvalidArgument,
        "FIELD_INVALID",
    )?;
    refused(
        desk.preview_template(preview("refund.issued", "xx")).await,
        Code::InvalidArgument,
        "FIELD_INVALID",
    )?;
    Ok(())
}

pub async fn a_dead_letter_alerts_an_operator_until_it_is_given_up(stage: &Stage) -> Result<()> {
    let server = MailServer::start()?;
    let suite = stage.own_suite(&server.settings()).await?;
    let shop = Shop::open(suite.clients()).await?;
    let order = shop.placed(&shop.sku("LAMP"), 1).await?;
    mail_to(&shop, &order.order_id, "supplier", "never@acme.example", "").await?;
    mail_to(&shop, &order.order_id, "staff", "boss@shop.example", "").await?;

    shop.submit(shop.cancel_request(&order.order_id, &[])).await?;

    let about = |item: &AttentionItem| item.subject_type == "delivery";
    let items = async || {
        let request = ListAttentionItemsRequest::default();
        let listed = shop.clients.operations().list_attention_items(request).await?.into_inner().items;
        Ok::<_, anyhow::Error>(listed.into_iter().filter(about).collect::<Vec<_>>())
    };
    let open =
        eventually("the dead letter asks for a person", async || Ok(items().await?.into_iter().next()))
            .await?;
    ensure!(open.allowed_actions == ["RequeueDelivery", "DiscardDelivery"], "{open:?}");
    ensure!(open.order_id == order.order_id, "{open:?}");
    let alerted = async || {
        let mails = server.to("boss@shop.example")?;
        Ok(mails.iter().any(|mail| mail.contains(&open.attention_id)).then_some(()))
    };
    eventually("the operator is mailed", alerted).await?;

    let request = DiscardDeliveryRequest {
        request_id: shop.request_id(),
        delivery_id: open.subject_id.clone(),
        why: "told by telephone".to_owned(),
    };
    shop.clients.deliveries().discard_delivery(request).await?;
    eventually("nobody has to look any more", async || Ok(items().await?.is_empty().then_some(()))).await
}
