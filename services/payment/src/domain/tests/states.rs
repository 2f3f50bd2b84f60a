use super::super::refund::{Event, Stage, State, Verdict};
use super::super::{capture, payment};

const EVENTS: [Event; 12] = [
    Event::CaptureEnded,
    Event::Release,
    Event::Submit,
    Event::GatewayWaits,
    Event::CustomerMustAct,
    Event::AnswerLost,
    Event::Succeed,
    Event::Decline,
    Event::FailAfterwards,
    Event::HandOver,
    Event::Resolve,
    Event::GiveWay,
];

/// Every move there is.
const MOVES: [(State, Event, State); 26] = [
    (State::AwaitingCapture, Event::CaptureEnded, State::Reserved),
    (State::AwaitingCapture, Event::Release, State::Released),
    (State::Reserved, Event::Release, State::Released),
    (State::Reserved, Event::Submit, State::Submitting),
    (State::Reserved, Event::HandOver, State::Manual),
    (State::Submitting, Event::GatewayWaits, State::Pending),
    (State::Submitting, Event::CustomerMustAct, State::RequiresAction),
    (State::Submitting, Event::AnswerLost, State::Unknown),
    (State::Submitting, Event::Succeed, State::Succeeded),
    (State::Submitting, Event::Decline, State::Declined),
    (State::Pending, Event::CustomerMustAct, State::RequiresAction),
    (State::Pending, Event::Succeed, State::Succeeded),
    (State::Pending, Event::Decline, State::Declined),
    (State::RequiresAction, Event::GatewayWaits, State::Pending),
    (State::RequiresAction, Event::Succeed, State::Succeeded),
    (State::RequiresAction, Event::Decline, State::Declined),
    (State::Unknown, Event::GatewayWaits, State::Pending),
    (State::Unknown, Event::CustomerMustAct, State::RequiresAction),
    (State::Unknown, Event::Succeed, State::Succeeded),
    (State::Unknown, Event::Decline, State::Declined),
    (State::Succeeded, Event::FailAfterwards, State::Reversed),
    (State::Succeeded, Event::GiveWay, State::Released),
    (State::External, Event::FailAfterwards, State::Reversed),
    (State::Declined, Event::HandOver, State::Manual),
    (State::Reversed, Event::HandOver, State::Manual),
    (State::Manual, Event::Resolve, State::ResolvedExternally),
];

#[test]
fn every_state_and_event_is_decided_and_only_the_listed_moves_exist() {
    for state in State::ALL {
        for event in EVENTS {
            let listed = MOVES.iter().find(|(from, on, _)| (*from, *on) == (state, event));
            match (state.on(event), listed) {
                (Verdict::Becomes(to), Some((.., expected))) => {
                    assert_eq!(to, *expected, "{state:?} on {event:?}");
                    assert_ne!(to, state, "{state:?} on {event:?} is no move");
                }
                (Verdict::Known | Verdict::Refused, None) => {}
                (verdict, listed) => panic!("{state:?} on {event:?}: {verdict:?}, listed {listed:?}"),
            }
        }
    }
}

#[test]
fn a_repeat_is_known_and_never_a_second_move() {
    for state in State::ALL {
        for event in EVENTS {
            if let Verdict::Becomes(to) = state.on(event) {
                assert!(
                    matches!(to.on(event), Verdict::Known | Verdict::Refused),
                    "{state:?} on {event:?} twice"
                );
            }
        }
    }
}

#[test]
fn only_success_is_left_after_the_end_and_only_by_failing_afterwards() {
    for state in State::ALL.into_iter().filter(|state| state.stage() == Stage::GivenBack) {
        for event in EVENTS {
            if let Verdict::Becomes(to) = state.on(event) {
                assert!(matches!(state, State::Succeeded | State::External), "{state:?}");
                let expected = if event == Event::GiveWay { State::Released } else { State::Reversed };
                assert_eq!(to, expected);
            }
        }
    }
}

#[test]
fn what_is_not_declined_reversed_or_released_counts() {
    let free: Vec<_> = State::ALL.into_iter().filter(|state| !state.counts()).collect();

    assert_eq!(free, [State::Declined, State::Reversed, State::Released]);
}

#[test]
fn states_are_read_back_from_their_names() {
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
    }
    for state in payment::State::ALL {
        assert_eq!(payment::State::parse(state.as_str()), Some(state));
    }
    for state in capture::State::ALL {
        assert_eq!(capture::State::parse(state.as_str()), Some(state));
    }
    for kind in payment::Kind::ALL {
        assert_eq!(payment::Kind::parse(kind.as_str()), Some(kind));
    }
    assert_eq!(State::parse("refunded"), None);
}
