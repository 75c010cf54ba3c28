//! Creates with an `Idempotency-Key` that meet each other, or what becomes of
//! their users. At the end of each, [`Prepared::judge`] repeats all of them.
//!
//! [`Prepared::judge`]: crate::scenario::Prepared::judge

use serde_json::{Value, json};

use crate::choice::{Choice, Fate};
use crate::client::SIZES;
use crate::explore::{Bounds, explore};
use crate::meetings::Meeting;
use crate::request::{Action, Condition::Always, Told, Who::Id};
use crate::scenario::Scenario;
use crate::scheduler::Simulation;
use crate::store::Backend;
use Action::{Create, CreateOnce, Delete, Get, Patch};

const X: &str = "x@example.com";

/// Keys whose hashes differ at the first bit or later; see the test.
pub const KEYS: [&str; 4] = ["k2", "k6", "k8", "k7"];

const DAY: i64 = 24 * 60 * 60 * 1000;

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
    let [k, l, m, n] = KEYS;
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
            "create/repeat behind others in the slot",
            vec![once(l, "L"), once(m, "M"), once(k, "K")],
            vec![vec![once(l, "L")], vec![once(n, "N")]],
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

#[test]
fn of_three_creates_with_one_key_one_makes_a_user() {
    // Redis tells of no swap what became of it, which makes twenty times as many schedules.
    for backend in [Backend::Sqlite, Backend::DynamoDb] {
        let programs = vec![vec![CreateOnce("k", ada())]; 3];
        let meeting = ("create/repeat/repeat", vec![], programs);
        let bounds = Bounds {
            faults: 0,
            pauses: 0,
            patience: 16,
        };
        let scenario = Scenario::of(meeting, backend, None);
        let figures = explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
        println!("{backend:?}: {figures}");
    }
}

#[test]
fn the_keys_differ_early_and_late() {
    use sha2::{Digest, Sha256};
    let begin = KEYS.map(|key| Sha256::digest(key)[0] >> 4);
    assert_eq!(begin, [0b0000, 0b0001, 0b0101, 0b1111]);
}

/// What the last request of a run was told.
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
                    let mut run = Simulation::new(backend, SIZES);
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
    for backend in Backend::ALL {
        let mut run = Simulation::new(backend, SIZES);
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
        run.settle(DAY).expect("nothing is late");
        assert_eq!(once(&mut run, "k1"), Told::Replayed(first), "{backend:?}");
        run.settle(180_000).expect("nothing is late");
        assert!(run.store.to_string().contains("first"), "{}", run.store);
        // The next change of the user leaves nothing of it.
        run.run_alone(vec![rename()]).expect("it is changed");
        assert!(!run.store.to_string().contains("first"), "{}", run.store);
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
fn nothing_of_a_deleted_user_is_kept_for_its_key() {
    for backend in Backend::ALL {
        let mut run = Simulation::new(backend, SIZES);
        let secret = json!({ "name": "Secret", "email": X });
        let create = CreateOnce("client-key", secret);
        let program = vec![
            create.clone(),
            rename(),
            Delete(Id(1), Always),
            create,
            Get(Id(1)),
        ];
        run.run_alone(program).expect("it is answered");
        let told: Vec<_> = run.history.events.iter().map(|event| &event.told).collect();
        assert_eq!(told[3..], [&Told::Status(410), &Told::Status(404)]);
        let store = run.store.to_string();
        for kept in ["Secret", X, "client-key"] {
            assert!(!store.contains(kept), "{kept}: {store}");
        }
    }
}
