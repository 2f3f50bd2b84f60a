//! Random lives of orders, many at a time, through the real services: whatever happens to an order, its books are true
//! after every step, and those of all services at the end. What fails is lived again with fewer steps, until the shortest
//! life is left that still fails.
//!
//! ```text
//! seed ──▶ Life (a value) ──▶ live: place, step, VerifyOrder, step, VerifyOrder … rest ──▶ countermand verify
//!                                │ a fault                                                    │ a red order
//!                                └──────────────▶ shrink: the same life without this step ◀───┘
//! ```
//!
//! `LIVES=n` says how many, `LIVES_SEED=n` which ones, `LIVES_FIRST=n` from which of them on.

mod chance;
mod deeds;
mod deeds_with_goods;
mod deeds_with_money;
mod house;
mod life;
mod living;
mod shrink;
pub mod simulator;

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use tests::Engine;

use self::house::House;
use self::life::{Deed, Life};
use self::living::{Outcome, live};
use crate::Stage;

/// Lives at a time: two cores are busy with fewer.
const AT_ONCE: usize = 8;
/// After so many the whole books are verified.
const BETWEEN_VERIFIES: usize = 500;
/// Of so many every deed is done by somebody.
const ENOUGH_FOR_ALL: usize = 5_000;

/// What was done and refused, by deed.
#[derive(Default)]
struct Census {
    deeds: BTreeMap<Deed, [usize; 2]>,
    placed: usize,
}

pub async fn random_lives_keep_the_books_true(stage: &Stage) -> Result<()> {
    let usual = match stage.engine() {
        Engine::Sqlite => 500,
        Engine::Postgres => 100,
    };
    let (count, seed) = (number("LIVES")?.unwrap_or(usual), number("LIVES_SEED")?.unwrap_or(1));
    let house = House::open(stage).await?;
    let first = number("LIVES_FIRST")?.unwrap_or(0);
    let lives: Vec<Life> = (first..first + count).map(|nth| Life::of(seed * 1_000_000_007 + nth)).collect();
    let mut census = Census::default();
    for some in lives.chunks(BETWEEN_VERIFIES) {
        let placed = live_all(stage, &house, some, &mut census).await?;
        let red = house.red_orders().await?;
        if let Some((order_id, rows)) = red.iter().next() {
            let life = placed.get(order_id).with_context(|| format!("no life's books are red: {rows}"))?;
            return Err(shrink::shortest(stage, life.clone(), format!("verify: {rows}")).await?);
        }
    }
    println!("{}: {count} lives of seed {seed}, {}", stage.engine().name(), census.told());
    if lives.len() >= ENOUGH_FOR_ALL {
        let never: Vec<Deed> = census.never().collect();
        ensure!(never.is_empty(), "nobody ever did {never:?}");
    }
    Ok(())
}

/// Lives them, a few at a time, and says whose order each one is.
async fn live_all(
    stage: &Stage,
    house: &House,
    lives: &[Life],
    census: &mut Census,
) -> Result<BTreeMap<String, Life>> {
    let mut placed = BTreeMap::new();
    let mut running = futures::stream::iter(lives)
        .map(|life| async move { (life, live(life, &house.shops, &house.simulator).await) })
        .buffer_unordered(AT_ONCE);
    while let Some((life, seen)) = running.next().await {
        let seen = match seen {
            Ok(seen) => seen,
            Err(fault) => {
                return Err(shrink::shortest(stage, life.clone(), format!("{fault:#}")).await?);
            }
        };
        census.count(&seen.outcomes);
        if !seen.order_id.is_empty() {
            census.placed += 1;
            placed.insert(seen.order_id, life.clone());
        }
    }
    Ok(placed)
}

impl Census {
    fn count(&mut self, outcomes: &[(Deed, Outcome)]) {
        for (deed, outcome) in outcomes {
            let place = match outcome {
                Outcome::Done => 0,
                Outcome::Refused(_) => 1,
                Outcome::Nothing | Outcome::Unanswered => continue,
            };
            self.deeds.entry(*deed).or_default()[place] += 1;
        }
    }

    fn told(&self) -> String {
        let all = |place: usize| -> usize { self.deeds.values().map(|counts| counts[place]).sum() };
        let each: Vec<String> =
            self.deeds.iter().map(|(deed, [done, refused])| format!("{deed:?} {done}/{refused}")).collect();
        format!("{} orders, {} steps done and {} refused: {}", self.placed, all(0), all(1), each.join(" "))
    }

    /// Deeds that were never done.
    fn never(&self) -> impl Iterator<Item = Deed> {
        let done = |deed: &Deed| self.deeds.get(deed).is_some_and(|counts| counts[0] > 0);
        Deed::WEIGHTS.iter().map(|(deed, _)| *deed).filter(move |deed| !done(deed))
    }
}

fn number(variable: &str) -> Result<Option<u64>> {
    match std::env::var(variable) {
        Ok(text) => Ok(Some(text.parse().with_context(|| format!("{variable} is a number"))?)),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => bail!("{variable} is not text"),
    }
}
