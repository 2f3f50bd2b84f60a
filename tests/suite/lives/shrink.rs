//! Makes a life that failed shorter, step by step, as long as it still fails.

use anyhow::{Error, Result, anyhow};

use super::house::House;
use super::life::Life;
use super::living::live;
use crate::Stage;

/// Lives that are tried; each is a life and a verify of few orders.
const TRIES_MAX: usize = 60;

/// The shortest life found that fails, as the error to end the test with.
pub async fn shortest(stage: &Stage, failed: Life, why: String) -> Result<Error> {
    println!(
        "this life failed: {}
{why}
looking for a shorter one, {TRIES_MAX} tries at most",
        shown(&failed)
    );
    let house = House::open(stage).await?;
    let (mut life, mut fault, mut again) = (failed, why, false);
    let mut tries = 0;
    while let Some((shorter, said)) = fails_shorter(&house, &life, &mut tries).await? {
        (life, fault, again) = (shorter, said, true);
    }
    let how = if again { "the shortest life found" } else { "it did not fail again with fewer steps" };
    Ok(anyhow!("{how}, after {tries} tries: {}\n{fault}", shown(&life)))
}

fn shown(life: &Life) -> String {
    let numbered = life.steps.iter().enumerate().map(|(nth, step)| format!("\n  {}. {step:?}", nth + 1));
    format!("{}\n  {:?}{}", life.seed, life.birth, numbered.collect::<String>())
}

/// The first of the lives with one thing less that still fails.
async fn fails_shorter(house: &House, life: &Life, tries: &mut usize) -> Result<Option<(Life, String)>> {
    for candidate in shorter(life) {
        if *tries == TRIES_MAX {
            return Ok(None);
        }
        *tries += 1;
        if let Some(fault) = fault(house, &candidate).await? {
            return Ok(Some((candidate, fault)));
        }
    }
    Ok(None)
}

async fn fault(house: &House, life: &Life) -> Result<Option<String>> {
    match live(life, &house.shops, &house.simulator).await {
        Err(fault) => Ok(Some(format!("{fault:#}"))),
        Ok(seen) => {
            let rows = house.red_orders().await?.remove(&seen.order_id);
            Ok(rows.map(|rows| format!("verify, order {}: {rows}", seen.order_id)))
        }
    }
}

/// Each life with one step less, from the last step on; then those with nothing at the same moment, and those that begin
/// with less.
fn shorter(life: &Life) -> Vec<Life> {
    let places = 0..life.steps.len();
    let without = places.clone().rev().map(|nth| {
        let mut life = life.clone();
        life.steps.remove(nth);
        life
    });
    let alone = places.filter(|nth| life.steps[*nth].meanwhile.is_some()).map(|nth| {
        let mut life = life.clone();
        life.steps[nth].meanwhile = None;
        life
    });
    without.chain(alone).chain(poorer(life)).collect()
}

/// Those with a card less, with a line less, and without shipping and discount.
fn poorer(life: &Life) -> Vec<Life> {
    let birth = &life.birth;
    let but_one = |count: usize| if count > 1 { 0..count } else { 0..0 };
    let mut poorer = Vec::new();
    for place in but_one(birth.tenders.len()) {
        let mut life = life.clone();
        life.birth.tenders.remove(place);
        poorer.push(life);
    }
    for place in but_one(birth.lines.len()) {
        let mut life = life.clone();
        life.birth.lines.remove(place);
        poorer.push(life);
    }
    if birth.shipping_minor > 0 || birth.discount_minor > 0 {
        let mut life = life.clone();
        (life.birth.shipping_minor, life.birth.discount_minor) = (0, 0);
        poorer.push(life);
    }
    poorer
}
