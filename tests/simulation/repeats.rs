//! Creates with an `Idempotency-Key` that meet each other, or what becomes of
//! their users. At the end of each, [`Prepared::judge`] repeats all of them.
//!
//! [`Prepared::judge`]: crate::scenario::Prepared::judge

use edge_users::directory::Sizes;
use serde_json::{Value, json};

use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::explore::{Bounds, explore};
use crate::meetings::Meeting;
use crate::request::{Action, Condition::Always, Told, Who::Id};
use crate::scenario::Scenario;
use crate::scheduler::Simulation;
use Action::{Create, CreateOnce, Delete, Get, Patch};

const X: &str = "x@example.com";

/// Keys that clients choose.
pub const KEYS: [&str; 3] = ["k", "l", "m"];

const DAY: i64 = 24 * 60 * 60 * 1000;

/// How long a key is kept: clocks may differ by ten minutes.
const KEPT: i64 = DAY + 10 * 60 * 1000;

fn ada() -> Value {
    json!({ "name": "Ada" })
}

fn ada_at_x() -> Value {
    json!({ "name": "Ada", "email": X })
}

fn rename() -> Action {
    Patch(Id(1), json!({ "name": "B" }), Always)
}

/// Clients that repeat each other's requests, or send others with the same keys.
pub fn repeats() -> Vec<Meeting> {
    let [k, l, _] = KEYS;
    let once = |key, name: &str| CreateOnce(key, json!({ "name": name }));
    vec![
        (
            "create/repeat",
            vec![],
            vec![vec![CreateOnce(k, ada())], vec![CreateOnce(k, ada())]],
        ),
        (
            "create/repeat, with an email",
            vec![],
            vec![
                vec![CreateOnce(k, ada_at_x())],
                vec![CreateOnce(k, ada_at_x())],
            ],
        ),
        (
            "create/create of another with the same key",
            vec![],
            vec![vec![once(k, "A")], vec![once(k, "B")]],
        ),
        (
            "create/create with another key",
            vec![],
            vec![vec![once(k, "A")], vec![once(l, "B")]],
        ),
        (
            "create/create with another key, one email",
            vec![],
            vec![
                vec![CreateOnce(k, ada_at_x())],
                vec![CreateOnce(l, ada_at_x())],
            ],
        ),
        (
            "create with a key/create, one email",
            vec![],
            vec![
                vec![CreateOnce(k, ada_at_x())],
                vec![Create(json!({ "name": "B", "email": X }))],
            ],
        ),
        (
            "repeat/delete",
            vec![CreateOnce(k, ada_at_x())],
            vec![vec![CreateOnce(k, ada_at_x())], vec![Delete(Id(1), Always)]],
        ),
        (
            "repeat/update",
            vec![CreateOnce(k, ada())],
            vec![
                vec![CreateOnce(k, ada())],
                vec![rename(), Patch(Id(1), json!({ "email": X }), Always)],
            ],
        ),
    ]
}

/// Clients that use a key which another create has left, long before.
pub fn leftover_keys(backend: Backend) -> Vec<Scenario> {
    let twice = || vec![vec![CreateOnce("k", ada())], vec![CreateOnce("k", ada())]];
    let scenario = |name, setup| Scenario::of((name, setup, twice()), backend, None);
    vec![
        Scenario {
            died: vec![CreateOnce("k", ada())],
            ..scenario("repeat/repeat of a create that died", vec![])
        },
        Scenario {
            before: 2 * DAY,
            ..scenario(
                "create/create with a key that is free again",
                vec![CreateOnce("k", ada())],
            )
        },
        Scenario {
            before: 2 * DAY,
            ..scenario(
                "create/create with the key of a user who is gone",
                vec![CreateOnce("k", ada()), Delete(Id(1), Always)],
            )
        },
    ]
}

#[test]
fn of_three_creates_with_one_key_one_makes_a_user() {
    // Redis reports no outcome of a swap, which makes twenty times as many schedules.
    for backend in [Backend::Sqlite, Backend::DynamoDb] {
        let programs = vec![vec![CreateOnce("k", ada())]; 3];
        let meeting = ("create/repeat/repeat", vec![], programs);
        let bounds = Bounds {
            faults: 0,
            pauses: 0,
            switches: usize::MAX,
            patience: 16,
        };
        let scenario = Scenario::of(meeting, backend, None);
        let figures = explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{backend:?}: {figures}");
    }
}

/// The answer to the last request of a run.
fn told(run: &Simulation) -> &Told {
    &run.history.events.last().expect("it was made").told
}

/// Runs a request whose instance dies before, or after, so many of its store operations.
fn die_at(run: &mut Simulation, action: Action, operation: usize, fate: Fate) {
    let client = run.join(vec![action], Default::default());
    for number in 0..=operation {
        if run.waiting().any(|waiting| waiting == client) {
            let fate = if number == operation {
                fate
            } else {
                Fate::Happens
            };
            run.step(Choice::Client(client, fate))
                .expect("nothing is wrong");
        }
    }
}

#[test]
fn a_repeat_after_a_crash_is_told_to_wait_for_a_minute_at_most_and_makes_no_second_user() {
    for backend in Backend::ALL {
        for profile in [ada(), ada_at_x()] {
            let repeat = || vec![CreateOnce("k", profile.clone())];
            for operation in 0..16 {
                for fate in [Fate::Dies, Fate::DiesAfter] {
                    let mut run = Simulation::new(backend, Sizes::SERVICE);
                    die_at(&mut run, repeat().remove(0), operation, fate);
                    run.run_alone(repeat()).expect("it is answered");
                    if let Told::InProgress = told(&run) {
                        run.settle(59_000).expect("nothing is late");
                        run.run_alone(repeat()).expect("it is answered");
                        assert_eq!(told(&run), &Told::InProgress, "{backend:?}");
                        // The others asked while the first may have run.
                        run.history
                            .events
                            .retain(|event| event.told != Told::InProgress);
                        run.settle(1_001).expect("nothing is late");
                        run.run_alone(repeat()).expect("it is answered");
                    }
                    let made = matches!(told(&run), Told::User(201, _) | Told::Replayed(_));
                    assert!(made, "{backend:?}: {}", run.history);
                    run.settle(60_001).expect("nothing is late");
                    run.run_alone(vec![Action::Walk(0, 10)])
                        .expect("it is read");
                    run.history.check().expect("there is one user");
                }
            }
        }
    }
}

#[test]
fn a_key_is_remembered_for_a_day_and_not_much_longer() {
    // From the minutes of 2225 on, a number names them modulo those since 1970.
    let year = 365 * DAY;
    for (backend, before) in Backend::ALL
        .into_iter()
        .flat_map(|b| [(b, 0), (b, 200 * year)])
    {
        let mut run = Simulation::new(backend, Sizes::SERVICE);
        run.settle(before).expect("nothing is late");
        let once = |run: &mut Simulation, key| {
            run.run_alone(vec![CreateOnce(key, ada())])
                .expect("it is answered");
            told(run).clone()
        };
        let Told::User(201, first) = once(&mut run, "k1") else {
            panic!("{backend:?}: {}", run.history);
        };
        run.run_alone(vec![rename()]).expect("it is changed");
        once(&mut run, "k2");
        run.settle(KEPT).expect("nothing is late");
        assert_eq!(once(&mut run, "k1"), Told::Replayed(first), "{backend:?}");
        run.settle(1).expect("nothing is late");
        for key in ["k2", "k1", "k3"] {
            let again = once(&mut run, key);
            assert!(matches!(again, Told::User(201, _)), "{key}: {again}");
        }
        assert!(
            matches!(once(&mut run, "k1"), Told::Replayed(_)),
            "{backend:?}"
        );
    }
}

#[test]
fn nothing_of_a_user_is_kept_for_its_key_but_a_hash() {
    for backend in Backend::ALL {
        let mut run = Simulation::new(backend, Sizes::SERVICE);
        let secret = json!({ "name": "Secret", "email": X, "attributes": { "hidden": 1 } });
        let create = CreateOnce("client-key", secret);
        let change = json!({ "name": "B", "email": null, "attributes": null });
        run.run_alone(vec![create.clone(), Patch(Id(1), change, Always)])
            .expect("it is answered");
        let store = run.store.to_string().to_lowercase();
        for kept in ["secret", X, "hidden", "client-key"] {
            assert!(!store.contains(kept), "{kept}: {store}");
        }
        run.run_alone(vec![
            create.clone(),
            Delete(Id(1), Always),
            create,
            Get(Id(1)),
        ])
        .expect("it is answered");
        let told: Vec<_> = run.history.events.iter().map(|event| &event.told).collect();
        assert!(matches!(told[2], Told::Replayed(_)), "{}", run.history);
        assert_eq!(told[4..], [&Told::Status(410), &Told::Status(404)]);
        let store = run.store.to_string();
        assert!(!store.contains("first"), "{store}");

        // A user who stays loses the hash with the first change after that time.
        let mut run = Simulation::new(backend, Sizes::SERVICE);
        let change = |name: &str| Patch(Id(1), json!({ "name": name }), Always);
        run.run_alone(vec![CreateOnce("client-key", ada()), change("B")])
            .expect("it is answered");
        assert!(run.store.to_string().contains("first"), "{}", run.store);
        run.settle(KEPT + 1).expect("nothing is late");
        run.run_alone(vec![change("C")]).expect("it is answered");
        assert!(!run.store.to_string().contains("first"), "{}", run.store);
    }
}
