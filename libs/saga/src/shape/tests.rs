use super::*;

fn table(reversible: &[StepName], pivot: StepName, forward: &[(StepName, Option<StepName>)]) -> Shape {
    let reversible = reversible.iter().map(|step| Reversible { step, retry: Retry::quick() });
    let forward = forward.iter().map(|(step, completes)| Forward { step, completes: *completes });
    Shape {
        name: "move",
        version: Version(1),
        reversible: reversible.collect(),
        gate: None,
        pivot,
        forward: forward.collect(),
    }
}

#[test]
fn a_table_is_checked_where_types_cannot() {
    let sound = table(&["hold"], "decide", &[("release", Some("hold")), ("tell", None)]);
    let wrong = [
        (table(&["hold", "hold"], "decide", &[]), "names \"hold\" twice"),
        (table(&["hold"], "hold", &[]), "names \"hold\" twice"),
        (table(&["hold"], "decide", &[("finish", None)]), "or the name is reserved"),
        (
            table(&["hold"], "decide", &[("release", Some("take"))]),
            "completes \"take\", which is no reversible step",
        ),
        (table(&[""], "decide", &[]), "is not 1 to 64 ASCII characters"),
        (table(&["hält"], "decide", &[]), "is not 1 to 64 ASCII characters"),
    ];

    assert_eq!(sound.defect(), None);
    for (shape, expected) in wrong {
        let defect = shape.defect().unwrap();
        assert!(defect.contains(expected), "{defect}");
    }
}

#[test]
fn every_step_keeps_its_own_patience() {
    let mut shape = table(&["hold", "stop"], "decide", &[("release", None)]);
    shape.reversible[1].retry = Retry::until_deadline();
    shape.gate = Some(Gate { step: "submit", retry: Retry { tries_inline: 7, ..Retry::quick() } });

    let tries = ["hold", "stop", "submit", "release"].map(|step| shape.retry(step).tries_inline);

    assert_eq!(tries, [3, 1, 7, 3]);
}
