//! Storing rules. What they do, does the worker.

use types::Refusal;

use super::put;
use crate::domain::policy::Capability;
use crate::domain::rules::{self, Action, Rule, RuleWish};
use crate::ops::books::Books;
use crate::ops::command::{Asked, DeskAnswer};

pub fn upsert(books: &mut Books, asked: &Asked, wish: &RuleWish) -> Result<(DeskAnswer, String), Refusal> {
    books.policies.shelf(&asked.tenant).edition.check(Capability::Rules)?;
    for (index, action) in wish.actions.iter().enumerate() {
        if let Action::MoveToFolder { folder_id: Some(folder_id) } = action
            && books.desk.live_folder(&asked.tenant, folder_id).is_none()
        {
            let refusal = Refusal::not_found("Folder", folder_id.as_str());
            return Err(refusal.field(format!("rule.actions[{index}].move_to_folder.folder_id")));
        }
    }
    let of_tenant = books.desk.rules.iter().filter(|((tenant, _), _)| *tenant == asked.tenant);
    let known: Vec<Rule> = of_tenant.map(|(_, rule)| rule.clone()).collect();
    let rule = rules::upsert(&asked.tenant, wish, &known, books.ids.mint(), books.now)?;
    put(&mut books.desk.rules, (rule.tenant.clone(), rule.rule_id.clone()), rule.clone());
    let resource = rule.rule_id.to_string();
    Ok((DeskAnswer::Rule(rule), resource))
}
