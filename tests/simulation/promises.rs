//! Which promises hold under which conditions: the tables in ARCHITECTURE.md and `docs/hosts.md`. For
//! each promise that holds, pairs of requests in every order; for each that does not, a run that breaks it.

use std::collections::BTreeMap;
use std::time::Instant;

use edge_users::directory::Sizes;
use serde_json::json;

use crate::backend::Backend;
use crate::choice::{Choice, Fate};
use crate::conditions::Conditions;
use crate::explore::{Bounds, Figures, explore};
use crate::meetings::meetings;
use crate::repeats::{leftover_keys, repeats};
use crate::request::{Action, Condition::Always, Told, Who::Id};
use crate::scenario::Scenario;
use crate::scheduler::Simulation;
use crate::{attributes, external_ids, groups, names, scim, upserts, usernames, words};
use Action::{Create, CreateOnce, Delete, Find, Get, Patch, Search, Walk};

const SECONDS: i64 = 1000;
const MINUTES: i64 = 60 * SECONDS;
const HOURS: i64 = 60 * MINUTES;

const NEAR_CLOCKS: Conditions = Conditions {
    clocks: 2 * SECONDS,
    late_reads: false,
    slow: false,
};

const FAR_CLOCKS: Conditions = Conditions {
    clocks: 5 * MINUTES,
    ..NEAR_CLOCKS
};

const SLOW: Conditions = Conditions {
    clocks: 0,
    late_reads: false,
    slow: true,
};

const LATE_READS: Conditions = Conditions {
    clocks: 0,
    late_reads: true,
    slow: false,
};

/// One pause in every order.
const PAUSED: Bounds = Bounds {
    faults: 0,
    pauses: 1,
    switches: usize::MAX,
    patience: 12,
};

/// One late read in every order.
const ONE_LATE: Bounds = Bounds {
    faults: 1,
    pauses: 0,
    ..PAUSED
};

/// Every meeting.
fn explore_meetings(backend: Backend, conditions: Conditions, bounds: Bounds) {
    let meetings = meetings().into_iter().chain(repeats());
    let meetings = meetings.chain(usernames::meetings());
    let meetings = meetings.chain(upserts::meetings());
    let meetings = meetings.chain(scim::meetings());
    let meetings = meetings.map(|meeting| Scenario::of(meeting, backend, None));
    explore_all(meetings.chain(leftover_keys(backend)), conditions, bounds);
}

/// Every meeting about lists and groups: their many steps in every order with so few turns.
fn explore_lists(backend: Backend, conditions: Conditions, bounds: Bounds, switches: usize) {
    let bounds = Bounds {
        switches,
        patience: usize::MAX,
        ..bounds
    };
    let scenarios = names::scenarios(backend, None).chain(words::scenarios(backend, None));
    let scenarios = scenarios.chain(attributes::scenarios(backend, None));
    let scenarios = scenarios.chain(external_ids::scenarios(backend, None));
    let scenarios = scenarios.chain(groups::scenarios(backend, None));
    let scenarios = scenarios.chain(scim::group_scenarios(backend));
    explore_all(scenarios, conditions, bounds);
}

fn explore_all(scenarios: impl Iterator<Item = Scenario>, conditions: Conditions, bounds: Bounds) {
    let mut sum = Figures::default();
    let begin = Instant::now();
    for scenario in scenarios {
        let scenario = Scenario {
            conditions,
            ..scenario
        };
        sum += explore(&scenario, bounds).unwrap_or_else(|failure| panic!("{failure}"));
    }
    let seconds = begin.elapsed().as_secs_f64();
    println!("all under {conditions:?} with {bounds:?}: {sum}, {seconds:.1} s");
}

#[test]
fn with_clocks_that_differ_by_seconds_every_promise_holds() {
    explore_meetings(Backend::Sqlite, NEAR_CLOCKS, PAUSED);
    explore_lists(Backend::Sqlite, NEAR_CLOCKS, PAUSED, 1);
}

#[test]
fn with_clocks_that_differ_by_minutes_all_but_two_promises_hold() {
    explore_meetings(Backend::Sqlite, FAR_CLOCKS, PAUSED);
    explore_lists(Backend::Sqlite, FAR_CLOCKS, PAUSED, 1);
}

#[test]
fn with_a_store_that_takes_40_seconds_every_promise_holds() {
    explore_meetings(Backend::Sqlite, SLOW, PAUSED);
    explore_lists(Backend::Sqlite, SLOW, PAUSED, 1);
}

#[test]
fn with_late_reads_no_change_is_lost_or_mixed() {
    explore_meetings(Backend::DynamoDb, LATE_READS, ONE_LATE);
    explore_lists(Backend::DynamoDb, LATE_READS, ONE_LATE, 2);
}

/// Runs requests alone, by an instance whose clock is so many milliseconds ahead; answers the last
/// answer.
fn ask(run: &mut Simulation, ahead: i64, program: Vec<Action>) -> Told {
    let client = run.join(program, BTreeMap::new());
    step(run, Choice::Clock(client, ahead));
    run.finish_client(client).expect("it ends");
    last_told(run, client)
}

/// The last answer to a client.
fn last_told(run: &Simulation, client: usize) -> Told {
    let mut events = run.history.events.iter().rev();
    let last = events.find(|event| event.client == client);
    last.expect("it asked").told.clone()
}

fn step(run: &mut Simulation, choice: Choice) {
    run.step(choice).expect("no promise is broken by that");
}

/// A client that has done so many store operations of a request.
fn begun(run: &mut Simulation, action: Action, operations: usize) -> usize {
    let client = run.join(vec![action], BTreeMap::new());
    for _ in 0..operations {
        step(run, Choice::Client(client, Fate::Happens));
    }
    client
}

fn ada() -> Action {
    Create(json!({ "name": "Ada" }))
}

fn ada_at_x() -> Action {
    Create(json!({ "name": "Ada", "email": "x@example.com" }))
}

fn once() -> Action {
    CreateOnce("k", json!({ "name": "Ada" }))
}

fn search() -> Action {
    Search("a".to_owned(), 9)
}

fn runs() -> impl Iterator<Item = Simulation> {
    let backends = Backend::ALL.into_iter();
    backends.map(|backend| Simulation::new(backend, Sizes::SERVICE))
}

fn is_found(told: &Told) -> bool {
    matches!(told, Told::Found { users, .. } if users.len() == 1)
}

/// Asserts on a directory whose only user is Ada: whether searches find her and she is counted.
fn assert_found_and_counted(run: &mut Simulation, expected: bool) {
    assert_eq!(is_found(&ask(run, 0, vec![search()])), expected);
    let Told::Users { users, total, .. } = ask(run, 0, vec![Walk(0, 9)]) else {
        panic!("no page");
    };
    assert_eq!(users.len(), 1, "a walk meets her in any case");
    assert_eq!(total, u64::from(expected));
}

#[test]
fn a_reader_minutes_ahead_of_another_breaks_the_total_and_the_search() {
    for mut run in runs() {
        let create = begun(&mut run, ada(), 1);
        // One notes which ids are given, the other one takes them for old.
        ask(&mut run, -5 * MINUTES, vec![Walk(0, 9), search()]);
        ask(&mut run, 5 * MINUTES, vec![Walk(0, 9), search()]);
        run.finish_client(create).expect("it ends");
        assert!(matches!(last_told(&run, create), Told::User(201, _)));
        assert_found_and_counted(&mut run, false);
    }
}

#[test]
fn readers_seconds_ahead_of_each_other_break_nothing() {
    for mut run in runs() {
        let create = begun(&mut run, ada(), 1);
        ask(&mut run, -2 * SECONDS, vec![Walk(0, 9), search()]);
        step(&mut run, Choice::Time(30 * SECONDS));
        ask(&mut run, 2 * SECONDS, vec![Walk(0, 9), search()]);
        run.finish_client(create).expect("it ends");
        assert_found_and_counted(&mut run, true);
    }
}

#[test]
fn a_create_that_writes_its_user_for_more_than_40_seconds_breaks_the_total_and_the_search() {
    for mut run in runs() {
        let create = begun(&mut run, ada(), 1);
        ask(&mut run, 0, vec![Walk(0, 9), search()]);
        step(&mut run, Choice::Slow);
        ask(&mut run, 0, vec![Walk(0, 9), search()]);
        step(&mut run, Choice::Slow);
        ask(&mut run, 0, vec![Walk(0, 9), search()]);
        run.finish_client(create).expect("it ends");
        assert!(matches!(last_told(&run, create), Told::User(201, _)));
        assert_found_and_counted(&mut run, false);
    }
}

#[test]
fn a_create_with_an_email_or_a_key_may_take_any_time() {
    for action in [ada_at_x(), once()] {
        for mut run in runs() {
            let create = begun(&mut run, action.clone(), 2);
            ask(&mut run, 0, vec![Walk(0, 9), search()]);
            step(&mut run, Choice::Pause);
            ask(&mut run, 0, vec![Walk(0, 9), search()]);
            run.finish_client(create).expect("it ends");
            assert_eq!(last_told(&run, create), Told::Unknown);
            run.run_alone(vec![action.clone()]).expect("a user");
            assert_found_and_counted(&mut run, true);
        }
    }
}

#[test]
fn a_clock_that_is_set_back_does_not_make_an_id_younger() {
    for mut run in runs() {
        let create = run.join(vec![ada()], BTreeMap::new());
        step(&mut run, Choice::Client(create, Fate::Lingers));
        ask(&mut run, 0, vec![Walk(0, 9), search()]);
        step(&mut run, Choice::Pause);
        ask(&mut run, 0, vec![Walk(0, 9), search()]);
        step(&mut run, Choice::Clock(create, -5 * MINUTES));
        run.finish_client(create).expect("it ends");
        assert_eq!(last_told(&run, create), Told::Unknown);
        run.run_alone(vec![ada()]).expect("a user");
        assert_found_and_counted(&mut run, true);
    }
}

#[test]
fn a_reader_minutes_ahead_ends_a_create_with_an_email_which_gets_503() {
    for mut run in runs() {
        let create = begun(&mut run, ada_at_x(), 3);
        ask(&mut run, 5 * MINUTES, vec![Walk(0, 9)]);
        run.finish_client(create).expect("it ends");
        assert_eq!(last_told(&run, create), Told::Unknown);
        // The email can be used at once.
        run.run_alone(vec![ada_at_x()]).expect("a user");
        assert_found_and_counted(&mut run, true);
    }
}

/// How far ahead a clock is that is quite wrong.
const YEAR: i64 = 365 * 24 * HOURS;

#[test]
fn a_create_that_died_by_a_clock_far_ahead_keeps_no_key() {
    for mut run in runs() {
        let create = run.join(vec![once()], BTreeMap::new());
        step(&mut run, Choice::Clock(create, YEAR));
        run.run_until_commit(create).expect("it claims the key");
        step(&mut run, Choice::Client(create, Fate::Dies));
        step(&mut run, Choice::Pause);
        run.run_alone(vec![once()]).expect("a user");
        assert_found_and_counted(&mut run, true);
    }
}

#[test]
fn deletes_that_died_by_a_clock_far_ahead_keep_no_room_in_the_ledger() {
    for mut run in runs() {
        run.run_alone(vec![ada(); 65]).expect("users");
        for id in 1..=64 {
            let delete = run.join(vec![Delete(Id(id), Always)], BTreeMap::new());
            step(&mut run, Choice::Clock(delete, YEAR));
            run.run_until_commit(delete).expect("it is listed");
            step(&mut run, Choice::Client(delete, Fate::Dies));
        }
        step(&mut run, Choice::Pause);
        let told = ask(&mut run, 0, vec![Delete(Id(65), Always)]);
        assert_eq!(told, Told::Status(204));
    }
}

#[test]
fn a_note_by_a_clock_far_ahead_does_not_keep_ids_unsettled() {
    for mut run in runs() {
        for _ in 0..20 {
            let create = run.join(vec![ada()], BTreeMap::new());
            step(&mut run, Choice::Client(create, Fate::DiesAfter));
        }
        ask(&mut run, YEAR, vec![Walk(0, 9), search()]);
        ask(&mut run, 0, vec![Walk(0, 9), search()]);
        step(&mut run, Choice::Pause);
        // Each walk looks at 16 ids.
        ask(&mut run, 0, vec![Walk(0, 9), search()]);
        let Told::Users { total, .. } = ask(&mut run, 0, vec![Walk(0, 9)]) else {
            panic!("no page");
        };
        assert_eq!(total, 0);
    }
}

/// The answer to a create with a key and to its repeat so much later, by clocks so far ahead.
fn repeat(run: &mut Simulation, later: i64, [first, repeat]: [i64; 2]) -> Told {
    ask(run, first, vec![once()]);
    run.settle(later).expect("nothing is late");
    ask(run, repeat, vec![once()])
}

#[test]
fn a_key_is_kept_for_a_day_by_clocks_that_differ_by_10_minutes() {
    for clocks in [
        [0, 0],
        [-5 * MINUTES, 5 * MINUTES],
        [5 * MINUTES, -5 * MINUTES],
    ] {
        for mut run in runs() {
            let told = repeat(&mut run, 24 * HOURS, clocks);
            assert!(matches!(told, Told::Replayed(_)), "{told}");
        }
    }
}

#[test]
fn a_key_is_not_kept_for_a_day_by_clocks_that_differ_by_an_hour() {
    for mut run in runs() {
        let told = repeat(&mut run, 24 * HOURS, [0, HOURS]);
        assert!(matches!(told, Told::User(201, _)), "{told}");
    }
}

/// A store whose reads may be late from now on, after these requests.
fn late(setup: Vec<Action>) -> Simulation {
    let mut run = Simulation::new(Backend::DynamoDb, names::TINY);
    run.run_alone(setup).expect("it is served");
    run.settle(0).expect("nothing is late");
    run.store.keeps_past = true;
    run
}

/// Runs requests alone; each `get` is as late as can be.
fn ask_late(run: &mut Simulation, program: Vec<Action>) -> Told {
    let client = run.join(program, BTreeMap::new());
    while run.is_waiting(client) {
        let fate = match run.outdated(client) {
            0 => Fate::Happens,
            writes => Fate::Outdated(writes),
        };
        step(run, Choice::Client(client, fate));
    }
    last_told(run, client)
}

#[test]
fn late_reads_do_not_tell_of_the_last_change() {
    let mut run = late(vec![ada()]);
    run.run_alone(vec![ada_at_x()]).expect("a user");
    assert_eq!(ask_late(&mut run, vec![Get(Id(2))]), Told::Status(404));
    let email = "x@example.com".to_owned();
    let nobody = |told: &Told| matches!(told, Told::Users { users, .. } if users.is_empty());
    assert!(nobody(&ask_late(&mut run, vec![Find(email)])));
    run.history.check().expect_err("the model knows better");
}

#[test]
fn late_reads_do_not_let_a_sound_store_look_unsound() {
    let mut run = late(vec![Action::Ready]);
    step(&mut run, Choice::Pause);
    run.run_alone(vec![Action::Ready]).expect("it is ready");
    step(&mut run, Choice::Pause);
    assert_eq!(ask_late(&mut run, vec![Action::Ready]), Told::Status(200));
}

#[test]
fn late_reads_miss_users_and_count_others() {
    let mut run = late(vec![ada(), search()]);
    run.run_alone(vec![ada()]).expect("a user");
    let told = ask_late(&mut run, vec![Walk(0, 9)]);
    let one = |told: &Told| matches!(told, Told::Users { users, total: 1, .. } if users.len() == 1);
    assert!(one(&told), "{told}");
    assert!(is_found(&ask_late(&mut run, vec![search()])));
    run.history.check().expect_err("the model knows better");
}

/// The directory is right once reads have caught up.
fn assert_caught_up(run: &mut Simulation) {
    run.store.forget_past();
    run.settle(0).expect("nothing is late");
    run.run_alone(vec![Walk(0, 9), search()]).expect("answers");
    let promised = Conditions {
        late_reads: true,
        ..Conditions::default()
    };
    run.history.check_under(promised).expect("it is right now");
}

#[test]
fn an_old_user_whose_record_is_read_late_is_not_taken_for_void() {
    let mut run = late(vec![]);
    run.run_alone(vec![ada(); 3]).expect("users");
    // The pages note that the ids are given, and then take those without a record for void.
    let died = run.join(vec![ada()], BTreeMap::new());
    step(&mut run, Choice::Client(died, Fate::DiesAfter));
    run.run_alone(vec![Walk(0, 9), search()]).expect("answers");
    step(&mut run, Choice::Pause);
    for record_only in [true, false] {
        for action in [Walk(0, 9), search()] {
            let client = run.join(vec![action], BTreeMap::new());
            while run.is_waiting(client) {
                let fate = match run.outdated(client) {
                    writes if writes > 0 && (!record_only || run.asks_for(client, "user/")) => {
                        Fate::Outdated(writes)
                    }
                    _ => Fate::Happens,
                };
                step(&mut run, Choice::Client(client, fate));
            }
        }
    }
    assert_caught_up(&mut run);
}

#[test]
fn a_repeat_sees_the_first_create_whatever_is_read_late() {
    let mut run = late(vec![]);
    run.run_alone(vec![once()]).expect("a user");
    let told = ask_late(&mut run, vec![once()]);
    assert!(matches!(told, Told::Replayed(_)), "{told}");
}

#[test]
fn requests_that_change_the_index_by_late_reads_lose_nobody() {
    let rename = |id, name: &str| Patch(Id(id), json!({ "name": name }), Always);
    let users = ["A1", "A3", "A5", "A7"].map(|name| Create(json!({ "name": name })));
    let mut setup = users.to_vec();
    setup.push(search());
    let changes = [
        rename(1, "A6"),
        Delete(Id(3), Always),
        rename(2, "A55"),
        rename(4, "A2"),
        rename(1, "A56"),
        rename(2, "A21"),
    ];
    // Each change alone, with all reads late, after some that were not.
    for prompt in 0..changes.len() {
        let mut run = late(setup.clone());
        for (number, change) in changes.iter().enumerate() {
            match number < prompt {
                true => drop(ask(&mut run, 0, vec![change.clone(), search()])),
                false => drop(ask_late(&mut run, vec![change.clone(), search()])),
            }
        }
        assert_caught_up(&mut run);
    }
}
