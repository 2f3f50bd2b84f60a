//! `countermand sandbox`: what the world does at the built-in gateway without us, for trying things out.

use anyhow::{Context, Result};
use clap::Subcommand;
use proto::payment::v1::{MakeChargesRequest, SandboxCharge};
use types::Currency;

use crate::amounts;
use crate::clients::Clients;

#[derive(Debug, Subcommand)]
pub enum SandboxVerb {
    /// Charge cards there as another system would: payments that orders can then bring in.
    #[command(after_help = "Example:\n  countermand sandbox charge ch_1001=29.12 ch_1002=30.00")]
    Charge {
        /// NAME=AMOUNT; the name is the gateway's.
        #[arg(required = true, value_parser = parse_charge)]
        charges: Vec<(String, String)>,
        #[arg(long, default_value = "GBP")]
        currency: String,
        /// Only authorised, not captured.
        #[arg(long)]
        authorised: bool,
    },
}

pub async fn run(clients: &Clients, verb: SandboxVerb) -> Result<()> {
    let SandboxVerb::Charge { charges, currency, authorised } = verb;
    let currency = Currency::parse(&currency).with_context(|| format!("{currency:?} is no currency"))?;
    let charge = |(reference, amount): (String, String)| -> Result<SandboxCharge> {
        let authorised_minor = amounts::minor(currency, &amount)?;
        Ok(SandboxCharge {
            reference,
            currency_code: currency.code().to_owned(),
            authorised_minor,
            captured_minor: if authorised { 0 } else { authorised_minor },
            ..SandboxCharge::default()
        })
    };
    let charges = charges.into_iter().map(charge).collect::<Result<Vec<_>>>()?;
    clients.sandbox().make_charges(MakeChargesRequest { charges }).await?;
    Ok(())
}

fn parse_charge(text: &str) -> Result<(String, String), String> {
    match text.rsplit_once('=') {
        Some((name, amount)) if !name.is_empty() => Ok((name.to_owned(), amount.to_owned())),
        _ => Err("write NAME=AMOUNT, such as ch_1001=29.12".to_owned()),
    }
}
