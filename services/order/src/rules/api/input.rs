//! Rules between the wire and the domain.

use proto::order::v1 as wire;
use proto::order::v1::rule_action::{Action as Given, MoveToFolder, PropagateTo, SubmitCancel, WriteNote};
use types::text::display;
use types::{Reason, Refusal, RuleId};

use crate::api::convert::{
    NOTE_LENGTH_MAX, REASON_LENGTH_MAX, REFERENCE_LENGTH_MAX, free_text, missing, optional, required,
    required_text, unknown_value,
};
use crate::api::organising::folders::{NAME_LENGTH_MAX, folder_id};
use crate::api::organising::visibility;
use crate::domain::condition::LENGTH_MAX as CONDITION_LENGTH_MAX;
use crate::domain::history::Visibility;
use crate::rules::domain::{ACTIONS_MAX, Action, Rule, RuleWish, Trigger};
use crate::wire::visibility as shown_visibility;

pub fn wish(given: &wire::Rule) -> Result<RuleWish, Refusal> {
    let actions = match given.actions.len() {
        0 => return Err(missing("rule.actions", "a rule does at least one thing")),
        1..=ACTIONS_MAX => given.actions.iter().enumerate().map(|(index, given)| action(index, given)),
        count => {
            let message = format!("a rule does at most {ACTIONS_MAX} things, not {count}");
            return Err(Refusal::new(Reason::FieldInvalid, message).field("rule.actions"));
        }
    };
    Ok(RuleWish {
        rule_id: rule_id("rule.rule_id", &given.rule_id)?,
        name: required("rule.name", NAME_LENGTH_MAX, &given.name)?,
        trigger: trigger(given.trigger)?,
        condition: condition(&given.condition)?,
        actions: actions.collect::<Result<_, _>>()?,
        enabled: given.enabled,
    })
}

/// A condition's own mistakes are found when it is compiled; here only its length counts.
pub fn condition(given: &str) -> Result<String, Refusal> {
    free_text("rule.condition", CONDITION_LENGTH_MAX, given)
}

pub fn rule_id(field: &str, given: &str) -> Result<Option<RuleId>, Refusal> {
    if given.is_empty() {
        return Ok(None);
    }
    RuleId::parse(given).map(Some).map_err(|error| Refusal::from(error).field(field))
}

pub fn trigger(given: i32) -> Result<Trigger, Refusal> {
    match wire::RuleTrigger::try_from(given) {
        Ok(wire::RuleTrigger::Unspecified) => {
            Err(missing("rule.trigger", "the trigger says what sets the rule off"))
        }
        Ok(wire::RuleTrigger::OrderPlaced) => Ok(Trigger::OrderPlaced),
        Ok(wire::RuleTrigger::OrderProgressed) => Ok(Trigger::OrderProgressed),
        Ok(wire::RuleTrigger::OrderFolderChanged) => Ok(Trigger::OrderFolderChanged),
        Ok(wire::RuleTrigger::ChangeAccepted) => Ok(Trigger::ChangeAccepted),
        Ok(wire::RuleTrigger::ChangeCommitted) => Ok(Trigger::ChangeCommitted),
        Ok(wire::RuleTrigger::ChangeRejected) => Ok(Trigger::ChangeRejected),
        Ok(wire::RuleTrigger::ChangeCompleted) => Ok(Trigger::ChangeCompleted),
        Err(_) => Err(unknown_value("rule.trigger", given)),
    }
}

fn action(index: usize, given: &wire::RuleAction) -> Result<Action, Refusal> {
    let at = format!("rule.actions[{index}]");
    match &given.action {
        None => Err(missing(&at, "an action says what to do")),
        Some(Given::SubmitCancel(SubmitCancel { reason_code, note })) => Ok(Action::SubmitCancel {
            reason_code: optional(
                &format!("{at}.submit_cancel.reason_code"),
                REASON_LENGTH_MAX,
                reason_code,
            )?,
            note: free_text(&format!("{at}.submit_cancel.note"), NOTE_LENGTH_MAX, note)?,
        }),
        Some(Given::MoveToFolder(MoveToFolder { folder_id: to })) => {
            Ok(Action::MoveToFolder { folder_id: folder_id(&format!("{at}.move_to_folder.folder_id"), to)? })
        }
        Some(Given::WriteNote(WriteNote { visibility: given, text })) => Ok(Action::WriteNote {
            visibility: visibility(&format!("{at}.write_note.visibility"), *given)?
                .unwrap_or(Visibility::Internal),
            text: required_text(&format!("{at}.write_note.text"), NOTE_LENGTH_MAX, text)?,
        }),
        Some(Given::PropagateTo(PropagateTo { target })) => Ok(Action::PropagateTo {
            target: required(&format!("{at}.propagate_to.target"), REFERENCE_LENGTH_MAX, target)?,
        }),
    }
}

pub fn shown(rule: &Rule) -> wire::Rule {
    wire::Rule {
        rule_id: rule.rule_id.to_string(),
        name: display(&rule.name),
        trigger: shown_trigger(rule.trigger).into(),
        condition: rule.condition.clone(),
        actions: rule.actions.iter().map(shown_action).collect(),
        enabled: rule.enabled,
        version: rule.version,
    }
}

fn shown_trigger(trigger: Trigger) -> wire::RuleTrigger {
    match trigger {
        Trigger::OrderPlaced => wire::RuleTrigger::OrderPlaced,
        Trigger::OrderProgressed => wire::RuleTrigger::OrderProgressed,
        Trigger::OrderFolderChanged => wire::RuleTrigger::OrderFolderChanged,
        Trigger::ChangeAccepted => wire::RuleTrigger::ChangeAccepted,
        Trigger::ChangeCommitted => wire::RuleTrigger::ChangeCommitted,
        Trigger::ChangeRejected => wire::RuleTrigger::ChangeRejected,
        Trigger::ChangeCompleted => wire::RuleTrigger::ChangeCompleted,
    }
}

fn shown_action(action: &Action) -> wire::RuleAction {
    let action = match action {
        Action::SubmitCancel { reason_code, note } => {
            Given::SubmitCancel(SubmitCancel { reason_code: reason_code.clone(), note: note.clone() })
        }
        Action::MoveToFolder { folder_id } => Given::MoveToFolder(MoveToFolder {
            folder_id: folder_id.as_ref().map_or_else(String::new, ToString::to_string),
        }),
        Action::PropagateTo { target } => Given::PropagateTo(PropagateTo { target: target.clone() }),
        Action::WriteNote { visibility, text } => Given::WriteNote(WriteNote {
            visibility: shown_visibility(*visibility).into(),
            text: text.clone(),
        }),
    };
    wire::RuleAction { action: Some(action) }
}
