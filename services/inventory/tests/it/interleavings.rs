//! Random commands in random batches, repeats among them: after every batch the books balance.

use inventory::ops::{Action, Command, Reply, Resource, Step, StepAnswer};
use proptest::prelude::*;
use storage::Direction;
use types::FulfilmentId;

use crate::world::{Order, World, ask, request, select, step, warehouse, worlds};

/// Numbers pick among the orders, sagas and fulfilments there are.
#[derive(Debug, Clone)]
enum Event {
    Place {
        units: [i64; 2],
    },
    Unplace {
        order: usize,
    },
    Hold {
        order: usize,
        saga: usize,
        units: [i64; 2],
    },
    Resume {
        order: usize,
        saga: usize,
    },
    Release {
        order: usize,
        saga: usize,
    },
    StopPartner {
        order: usize,
        saga: usize,
    },
    Allocate {
        order: usize,
    },
    AllocateSome {
        order: usize,
        units: i64,
    },
    Submit {
        fulfilment: usize,
    },
    Ship {
        fulfilment: usize,
    },
    Deliver {
        fulfilment: usize,
    },
    Receive {
        delta: i64,
    },
    /// The nth command so far, once more.
    Repeat {
        command: usize,
    },
}

fn event() -> impl Strategy<Value = Event> {
    use Event as E;
    let any = 0_usize..64;
    let units = || [0_i64..4, 0_i64..4];
    let (order, saga) = (any.clone(), 0_usize..3);
    prop_oneof![
        3 => units().prop_map(|units| E::Place { units }),
        1 => order.clone().prop_map(|order| E::Unplace { order }),
        4 => (order.clone(), saga.clone(), units()).prop_map(|(order, saga, units)| E::Hold { order, saga, units }),
        2 => (order.clone(), saga.clone()).prop_map(|(order, saga)| E::Resume { order, saga }),
        3 => (order.clone(), saga.clone()).prop_map(|(order, saga)| E::Release { order, saga }),
        1 => (order.clone(), saga).prop_map(|(order, saga)| E::StopPartner { order, saga }),
        2 => order.clone().prop_map(|order| E::Allocate { order }),
        2 => (order, 1_i64..3).prop_map(|(order, units)| E::AllocateSome { order, units }),
        1 => any.clone().prop_map(|fulfilment| E::Submit { fulfilment }),
        3 => any.clone().prop_map(|fulfilment| E::Ship { fulfilment }),
        1 => any.clone().prop_map(|fulfilment| E::Deliver { fulfilment }),
        1 => (-2_i64..6).prop_map(|delta| E::Receive { delta }),
        3 => any.prop_map(|command| E::Repeat { command }),
    ]
}

/// What has happened so far.
#[derive(Default)]
struct History {
    orders: Vec<Order>,
    fulfilments: Vec<FulfilmentId>,
    commands: Vec<Command>,
}

impl History {
    fn order(&self, index: usize) -> Option<&Order> {
        self.orders.get(index % self.orders.len().max(1))
    }

    /// The command of an event; None if it is about something that does not exist yet.
    fn command(&mut self, world: &World, event: &Event) -> Option<Command> {
        let saga = |order: &Order, saga: &usize| format!("{} {saga}", order.id);
        let act = |method: &str, action| Command::Request(request(method, &world.saga(), action));
        Some(match event {
            Event::Place { units } => {
                let lines = [("apple", units[0]), ("pear", units[1]), ("apple", 1)];
                let wanted: Vec<_> = lines.into_iter().filter(|(_, units)| *units > 0).collect();
                let (order, command) = world.placing(&wanted);
                self.orders.push(order);
                Command::Step(command)
            }
            Event::Unplace { order } => Command::Step(self.order(*order)?.unreserve()),
            Event::Hold { order, saga: name, units } if units.iter().any(|units| *units > 0) => {
                let order = self.order(*order)?;
                Command::Step(order.hold(&saga(order, name), units))
            }
            Event::Hold { .. } => return None,
            Event::Resume { order, saga: name } => {
                let order = self.order(*order)?;
                Command::Step(order.resume(&saga(order, name)))
            }
            Event::Release { order, saga: name } => {
                let order = self.order(*order)?;
                Command::Step(order.release(&saga(order, name)))
            }
            Event::StopPartner { order, saga: name } => {
                let order = self.order(*order)?;
                let saga = saga(order, name);
                Command::Step(step(&saga, "stop_partner", Direction::Do, &order.id, Step::StopPartner(ask())))
            }
            Event::Allocate { order } => {
                act("CreateFulfillment", self.order(*order)?.pack("main", Vec::new()))
            }
            Event::AllocateSome { order, units } => {
                let order = self.order(*order)?;
                let lines = select(&order.lines[0], *units);
                act("CreateFulfillment", order.pack("main", lines))
            }
            Event::Submit { fulfilment } => {
                let fulfilment_id = self.fulfilment(*fulfilment)?;
                act(
                    "SubmitFulfillment",
                    Action::SubmitFulfilment { fulfilment_id, external_number: String::new() },
                )
            }
            Event::Ship { fulfilment } => {
                let (fulfilment_id, lines) = (self.fulfilment(*fulfilment)?, Vec::new());
                let tracking_number = String::new();
                act("ShipFulfillment", Action::ShipFulfilment { fulfilment_id, lines, tracking_number })
            }
            Event::Deliver { fulfilment } => {
                let (fulfilment_id, lines) = (self.fulfilment(*fulfilment)?, Vec::new());
                act("DeliverFulfillment", Action::DeliverFulfilment { fulfilment_id, lines })
            }
            Event::Receive { delta } => {
                let (warehouse_id, sku) = (warehouse("main"), crate::world::sku("apple"));
                let adjustment = inventory::ops::Adjustment { warehouse_id, sku, delta: *delta };
                act("AdjustStock", Action::AdjustStock(vec![adjustment]))
            }
            Event::Repeat { command } => self.commands.get(command % self.commands.len().max(1))?.clone(),
        })
    }

    fn fulfilment(&self, index: usize) -> Option<FulfilmentId> {
        self.fulfilments.get(index % self.fulfilments.len().max(1)).cloned()
    }

    fn note(&mut self, command: Command, reply: &Reply) {
        if let Reply::Request(outcome) = reply
            && let Ok(Resource::Fulfilment(shown)) = &**outcome
            && !self.fulfilments.contains(&shown.id)
        {
            self.fulfilments.push(shown.id.clone());
        }
        self.commands.push(command);
    }
}

async fn play(world: &World, batches: &[Vec<Event>]) {
    world.receive("main", "apple", 30).await;
    world.receive("main", "pear", 20).await;
    let mut history = History::default();
    for events in batches {
        let mut batch: Vec<Command> = Vec::new();
        for event in events {
            // Delta 0 is refused at the edge, and one key never stands twice in a batch.
            let command = history.command(world, event).filter(|command| !is_nothing(command));
            batch.extend(command.filter(|new| batch.iter().all(|old| old.key() != new.key())));
        }

        let replies = world.batch(&batch).await;

        for (command, reply) in batch.into_iter().zip(&replies) {
            if let Reply::Step(StepAnswer::Applied(_)) = reply {
                assert_eq!(&world.batch(std::slice::from_ref(&command)).await[0], reply, "{command:?}");
            }
            history.note(command, reply);
        }
        world.check().await;
    }
}

fn is_nothing(command: &Command) -> bool {
    match command {
        Command::Request(request) => {
            matches!(&request.action, Action::AdjustStock(rows) if rows.iter().any(|row| row.delta == 0))
        }
        Command::Step(_) | Command::Errand(_) => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_interleaving_leaves_balanced_books(
        batches in prop::collection::vec(prop::collection::vec(event(), 1..12), 1..10),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            for world in worlds("interleavings").await {
                play(&world, &batches).await;
            }
        });
    }
}
