//! `golden.txt`, read: what each role may, and by which relations it sees an order.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use proto::common::v1::Scope;

/// How somebody stands to the order that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    Stranger,
    Buyer,
    Supplier,
    SourceRouter,
    Customer,
    Creator,
}

impl Relation {
    pub const ALL: [Self; 6] =
        [Self::Stranger, Self::Buyer, Self::Supplier, Self::SourceRouter, Self::Customer, Self::Creator];

    fn name(self) -> &'static str {
        match self {
            Self::Stranger => "stranger",
            Self::Buyer => "buyer",
            Self::Supplier => "supplier",
            Self::SourceRouter => "source_router",
            Self::Customer => "customer",
            Self::Creator => "creator",
        }
    }
}

#[derive(Debug, Default)]
pub struct Golden {
    sees: BTreeMap<String, BTreeSet<String>>,
    may: BTreeMap<String, BTreeSet<String>>,
    asks: BTreeMap<String, (String, Scope)>,
}

impl Golden {
    pub fn read() -> Result<Self> {
        let mut golden = Self::default();
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let lines =
            include_str!("golden.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let (what, words) = line.split_once(':').with_context(|| format!("no colon in: {line}"))?;
            let words: Vec<&str> = words.split_whitespace().collect();
            let was_there = match what.split_once(' ') {
                Some(("sees", role)) => golden
                    .sees
                    .insert(role.to_owned(), words.into_iter().map(str::to_owned).collect())
                    .is_some(),
                Some(("group", name)) => groups.insert(name, words).is_some(),
                Some(("may", permission)) => {
                    let roles = words.iter().flat_map(|word| match groups.get(word) {
                        Some(roles) => roles.clone(),
                        None => vec![*word],
                    });
                    golden.may.insert(permission.to_owned(), roles.map(str::to_owned).collect()).is_some()
                }
                Some(("asks", rpc)) => {
                    let [permission, scope] = words[..] else { bail!("a permission and a scope: {line}") };
                    golden.asks.insert(rpc.to_owned(), (permission.to_owned(), scope_of(scope)?)).is_some()
                }
                Some(_) | None => bail!("what is this: {line}"),
            };
            ensure!(!was_there, "said twice: {line}");
        }
        Ok(golden)
    }

    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.sees.keys().map(String::as_str)
    }

    /// The public RPCs by name, each with its permission and scope.
    pub fn asks(&self) -> &BTreeMap<String, (String, Scope)> {
        &self.asks
    }

    pub fn permissions(&self) -> impl Iterator<Item = &str> {
        self.may.keys().map(String::as_str)
    }

    pub fn holds(&self, role: &str, permission: &str) -> bool {
        self.may.get(permission).is_some_and(|roles| roles.contains(role))
    }

    pub fn sees_everything(&self, role: &str) -> bool {
        self.sees[role].contains("tenant")
    }

    pub fn sees(&self, role: &str, relation: Relation) -> bool {
        self.sees_everything(role) || self.sees[role].contains(relation.name())
    }
}

fn scope_of(word: &str) -> Result<Scope> {
    Ok(match word {
        "tenant" => Scope::Tenant,
        "party" => Scope::Party,
        "self" => Scope::Self_,
        _ => bail!("{word} is no scope of a public RPC"),
    })
}
