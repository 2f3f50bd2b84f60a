//! Step calls as they travel: whoever asks and whoever is asked read the same context, the same key and the same
//! rules of a batch out of a message.

use std::collections::HashSet;

use prost::Message;
use proto::common::v1 as wire;
use storage::{Direction, StepContext};
use types::{Fingerprint, Reason, Refusal, Tenant};

use crate::coalesce::BATCH_MAX;
use crate::name::name;

pub fn to_wire(context: &StepContext, traceparent: Option<&str>) -> wire::StepContext {
    let direction = match context.direction {
        Direction::Do => wire::StepDirection::Do,
        Direction::Undo => wire::StepDirection::Undo,
    };
    wire::StepContext {
        tenant: context.tenant.to_string(),
        saga_id: context.saga_id.clone(),
        step: context.step.clone(),
        direction: direction.into(),
        epoch: context.epoch,
        attempt: context.attempt,
        traceparent: traceparent.unwrap_or_default().to_owned(),
    }
}

/// The context of a call. What is wrong is said with the path of its field.
pub fn parse(context: Option<&wire::StepContext>) -> Result<StepContext, Refusal> {
    let at = |field: &str, refusal: Refusal| refusal.field(format!("context.{field}"));
    let Some(context) = context else {
        return Err(Refusal::new(Reason::FieldRequired, "context is missing").field("context"));
    };
    let direction = match wire::StepDirection::try_from(context.direction) {
        Ok(wire::StepDirection::Do) => Direction::Do,
        Ok(wire::StepDirection::Undo) => Direction::Undo,
        Ok(wire::StepDirection::Unspecified) | Err(_) => {
            let refusal = Refusal::new(Reason::FieldInvalid, "a step is done or undone");
            return Err(at("direction", refusal));
        }
    };
    if context.epoch < 1 {
        return Err(at("epoch", Refusal::new(Reason::FieldInvalid, "an epoch is at least 1")));
    }
    Ok(StepContext {
        tenant: Tenant::parse(&context.tenant).map_err(|error| at("tenant", error.into()))?,
        saga_id: name(&context.saga_id).map_err(|refusal| at("saga_id", refusal))?,
        step: name(&context.step).map_err(|refusal| at("step", refusal))?,
        direction,
        epoch: context.epoch,
        attempt: context.attempt,
    })
}

/// What a repeat of the call must have in common with it. Encoding what was decoded drops whatever a newer peer may
/// have added, so the hash is over what is understood.
pub fn request_hash(context: &StepContext, command: &impl Message) -> Fingerprint {
    Fingerprint::of(&[
        context.tenant.as_str().as_bytes(),
        context.step.as_bytes(),
        context.direction.as_str().as_bytes(),
        &command.encode_to_vec(),
    ])
}

/// Refuses a batch that is empty, too large, or asks for one step twice.
pub fn check_batch<'a>(
    steps: impl ExactSizeIterator<Item = Option<&'a wire::StepContext>>,
) -> Result<(), Refusal> {
    if !(1..=BATCH_MAX).contains(&steps.len()) {
        let message = format!("a batch has 1 to {BATCH_MAX} steps");
        return Err(Refusal::new(Reason::FieldInvalid, message).field("steps"));
    }
    let mut seen = HashSet::new();
    for context in steps.flatten() {
        if !seen.insert((&context.tenant, &context.saga_id, &context.step, context.direction)) {
            let message = "a batch has at most one step of the same saga, name and direction";
            return Err(Refusal::new(Reason::FieldInvalid, message).field("steps"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context() -> StepContext {
        StepContext {
            tenant: Tenant::default(),
            saga_id: "sag_1".to_owned(),
            step: "hold_goods".to_owned(),
            direction: Direction::Undo,
            epoch: 2,
            attempt: 3,
        }
    }

    #[test]
    fn a_context_arrives_as_it_was_sent() {
        assert_eq!(parse(Some(&to_wire(&context(), None))), Ok(context()));
    }

    #[test]
    fn what_is_wrong_with_a_context_is_said_by_its_field() {
        let good = to_wire(&context(), None);
        let wrong = [
            ("tenant", wire::StepContext { tenant: "No Such".to_owned(), ..good.clone() }),
            ("saga_id", wire::StepContext { saga_id: String::new(), ..good.clone() }),
            ("step", wire::StepContext { step: "x".repeat(129), ..good.clone() }),
            ("direction", wire::StepContext { direction: 0, ..good.clone() }),
            ("epoch", wire::StepContext { epoch: 0, ..good.clone() }),
        ];
        for (field, wrong) in wrong {
            let refused = parse(Some(&wrong)).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some(format!("context.{field}").as_str()));
        }
        assert_eq!(parse(None).unwrap_err().field.as_deref(), Some("context"));
    }

    #[test]
    fn a_repeat_may_differ_in_epoch_and_attempt_only() {
        let command = wire::StepPending::default();
        let hash = request_hash(&context(), &command);

        let repeat = StepContext { epoch: 9, attempt: 9, ..context() };
        let other = StepContext { direction: Direction::Do, ..context() };

        assert_eq!(request_hash(&repeat, &command), hash);
        assert_ne!(request_hash(&other, &command), hash);
        assert_ne!(request_hash(&context(), &wire::StepPending { waiting_for: "a".to_owned() }), hash);
    }

    #[test]
    fn a_batch_has_each_step_once_and_not_too_many() {
        let one = to_wire(&context(), None);
        let other = wire::StepContext { saga_id: "sag_2".to_owned(), ..one.clone() };
        let check = |steps: &[&wire::StepContext]| check_batch(steps.iter().map(|step| Some(*step)));

        assert_eq!(check(&[&one, &other]), Ok(()));
        assert!(check(&[&one, &one]).is_err());
        assert!(check(&[]).is_err());
        assert!(check_batch(vec![None; BATCH_MAX + 1].into_iter()).is_err());
    }
}
