//! Money that was taken at a fake without us: a payment brought in from elsewhere.

use std::net::SocketAddr;

use payment::ports::http::client;
use serde_json::Value;

use super::proxy::PATIENCE;
use super::{Paid, Subject};

/// One request to a fake of Stripe, as its owner would make it.
pub async fn post(address: SocketAddr, key: &str, path: &str, form: &[(&str, &str)]) -> Value {
    let client = client(PATIENCE).unwrap();
    let request = client.post(format!("http://{address}{path}")).bearer_auth(key).form(form);
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert!(status.is_success(), "{path}: {body}");
    body
}

/// A charge of 1,000 that another system has made.
pub async fn charged(subject: &Subject, address: SocketAddr, key: &str) -> Paid {
    let form = [("amount", "1000"), ("currency", "gbp"), ("source", "tok_visa")];
    let charge = post(address, key, "/v1/charges", &form).await;
    let authorisation = charge["id"].as_str().unwrap().to_owned();
    Paid { payment_id: subject.ids.mint(), authorisation }
}

/// A card at localstripe that can be kept and cannot pay.
pub async fn empty_card(address: SocketAddr, key: &str) -> String {
    let form = [
        ("type", "card"),
        ("card[number]", "4000000000000341"),
        ("card[exp_month]", "12"),
        ("card[exp_year]", "2030"),
        ("card[cvc]", "123"),
    ];
    post(address, key, "/v1/payment_methods", &form).await["id"].as_str().unwrap().to_owned()
}
