//! Whether answers can be explained by requests that took effect one after
//! another (Herlihy and Wing, 1990): a search for an order, in which a place
//! that was reached before is not searched again (Lowe, 2017).

use std::collections::HashSet;

use crate::model::{Call, Model};
use crate::request::{Ask, Told};
use crate::store::hash;

/// At so many places the search is given up. Histories that can be explained need
/// far fewer, most of them one for each call.
const MOST_PLACES: usize = 200_000;

/// A call, and the time in which it took effect, if it did.
#[derive(Clone, Debug)]
pub struct Interval {
    pub call: Call,
    pub start: usize,
    pub end: usize,
}

impl Interval {
    /// Whether it may never have taken effect.
    fn is_optional(&self) -> bool {
        matches!(
            self.call,
            Call::Asked(_, Told::Unknown) | Call::Upserted(_, Told::Unknown)
        )
    }
}

/// Fails, with the calls at which every order gets stuck, if there is no order.
/// The calls must be sorted by their starts.
pub fn check(calls: &[Interval], nameless: &[u64]) -> Result<(), String> {
    let mut search = Search {
        calls,
        nameless,
        seen: HashSet::new(),
        furthest: (0, Vec::new()),
    };
    match search.order(Done::new(calls.len()), &Model::default()) {
        true => Ok(()),
        false => {
            let (count, stuck) = search.furthest;
            let stuck = stuck
                .iter()
                .map(|index| format!("{:?}", calls[*index].call));
            Err(format!(
                "after {count} of {} none of these can be next: {}",
                calls.len(),
                stuck.collect::<Vec<_>>().join("; ")
            ))
        }
    }
}

struct Search<'a> {
    calls: &'a [Interval],
    nameless: &'a [u64],
    seen: HashSet<u64>,
    /// The most calls that were put in order, and those that could not follow.
    furthest: (usize, Vec<usize>),
}

impl Search<'_> {
    /// Whether there is an order of the calls that are not done.
    fn order(&mut self, mut done: Done, model: &Model) -> bool {
        let (mut must, mut may) = self.next(&done);
        // What is true now and changes nothing can come now, if nothing else is too late then: if
        // there is an order in which it comes later, then there is this one, too.
        let idle = |call: &usize, may: &[usize]| {
            let start = self.calls[*call].start;
            let none_late = may.iter().all(|other| self.calls[*other].end >= start);
            none_late && self.changes_nothing(*call, model)
        };
        while let Some(call) = must.iter().find(|call| idle(call, &may)) {
            done.add(*call);
            (must, may) = self.next(&done);
        }
        if must.is_empty() {
            return true;
        }
        if done.count >= self.furthest.0 {
            self.furthest = (done.count, must.clone());
        }
        // Requests that need not have taken effect are tried last.
        must.append(&mut may);
        let new = must.len() < 2 || self.seen.insert(hash(&(&done.words, model)));
        if !new || self.seen.len() > MOST_PLACES {
            return false;
        }
        must.into_iter().any(|index| {
            let mut done = done.clone();
            done.add(index);
            let models = model.after(&self.calls[index].call, self.nameless);
            models.iter().any(|model| self.order(done.clone(), model))
        })
    }

    fn changes_nothing(&self, index: usize, model: &Model) -> bool {
        // The answer to a PUT does not say which version it made. Later it may have made another.
        // Nor does the answer to a change of a group: it is the same where nothing changes.
        if let Call::Asked(ask, told) = &self.calls[index].call {
            match (&**ask, told) {
                (Ask::Put(..), Told::User(..)) => return false,
                (Ask::Group(ask), _) if !ask.reads() => return false,
                _ => {}
            }
        }
        let after = model.after(&self.calls[index].call, self.nameless);
        matches!(&after[..], [same] if same == model)
    }

    /// The calls that may be next, those that must be in the order and those that need not: none
    /// that is left ended before they started, and none that is done started after they ended.
    fn next(&self, done: &Done) -> (Vec<usize>, Vec<usize>) {
        let (mut must, mut may) = (Vec::new(), Vec::new());
        let mut end = usize::MAX;
        let mut now = 0;
        for (index, call) in self.calls.iter().enumerate().skip(done.all_before) {
            if done.contains(index) {
                now = now.max(call.start);
            } else if call.start > end {
                break;
            } else if call.is_optional() {
                may.push(index);
            } else {
                end = end.min(call.end);
                must.push(index);
            }
        }
        may.retain(|index| self.calls[*index].end >= now);
        (must, may)
    }
}

/// A set of calls.
#[derive(Clone)]
struct Done {
    words: Vec<u64>,
    count: usize,
    /// All calls below this are in it.
    all_before: usize,
}

impl Done {
    fn new(calls: usize) -> Done {
        Done {
            words: vec![0; calls.div_ceil(64)],
            count: 0,
            all_before: 0,
        }
    }

    fn contains(&self, call: usize) -> bool {
        let word = self.words.get(call / 64);
        word.is_some_and(|word| word & 1 << (call % 64) != 0)
    }

    fn add(&mut self, call: usize) {
        self.words[call / 64] |= 1 << (call % 64);
        self.count += 1;
        while self.contains(self.all_before) {
            self.all_before += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::request::Seen;

    fn asked(ask: Ask, told: Told) -> Call {
        Call::Asked(ask.into(), told)
    }

    fn seen(id: u64, name: &str, email: Option<&str>, tag: &str) -> Seen {
        Seen {
            id,
            name: name.to_owned(),
            email: email.map(str::to_owned),
            username: None,
            external_id: None,
            attributes: None,
            has_attributes: true,
            active: true,
            created_at: "1".to_owned(),
            updated_at: "1".to_owned(),
            tag: Some(tag.to_owned()),
        }
    }

    fn create(email: &str, told: Told) -> Call {
        asked(Ask::Create(json!({ "name": "A", "email": email })), told)
    }

    fn made(id: u64, email: &str) -> Call {
        create(
            email,
            Told::User(201, seen(id, "A", Some(email), &format!("c{id}"))),
        )
    }

    fn get(id: u64, name: &str, email: &str, tag: &str) -> Call {
        asked(
            Ask::Get(id),
            Told::User(200, seen(id, name, Some(email), tag)),
        )
    }

    fn missing(id: u64) -> Call {
        asked(Ask::Get(id), Told::Status(404))
    }

    fn delete(id: u64, told: Told) -> Call {
        asked(Ask::Delete(id, None), told)
    }

    fn rename(id: u64, name: &str, condition: Option<&str>, told: Told) -> Call {
        let patch = json!({ "name": name });
        asked(Ask::Patch(id, patch, condition.map(str::to_owned)), told)
    }

    fn renamed(id: u64, name: &str, condition: Option<&str>, email: &str, tag: &str) -> Call {
        let user = seen(id, name, Some(email), tag);
        rename(id, name, condition, Told::User(200, user))
    }

    /// Calls with start and end.
    fn explains<const N: usize>(calls: [(usize, usize, Call); N], nameless: &[u64]) -> bool {
        let calls = calls.map(|(start, end, call)| Interval { call, start, end });
        check(&calls, nameless).is_ok()
    }

    #[test]
    fn a_read_sees_what_was_written_before_it() {
        assert!(explains(
            [(0, 1, made(1, "x")), (2, 3, get(1, "A", "x", "c1"))],
            &[]
        ));
        assert!(!explains([(0, 1, made(1, "x")), (2, 3, missing(1))], &[]));
        assert!(!explains(
            [(0, 1, made(1, "x")), (2, 3, get(1, "B", "x", "c1"))],
            &[]
        ));
        assert!(!explains(
            [(0, 1, made(1, "x")), (2, 3, get(1, "A", "x", "c2"))],
            &[]
        ));
    }

    #[test]
    fn what_runs_at_the_same_time_may_come_in_either_order_but_only_in_one() {
        let run = |first: Call, second: Call| {
            let base = (0, 1, made(1, "x"));
            let update = (2, 9, renamed(1, "B", None, "x", "t"));
            explains([base, update, (3, 4, first), (5, 6, second)], &[])
        };
        let (old, new) = (|| get(1, "A", "x", "c1"), || get(1, "B", "x", "t"));
        assert!(run(old(), old()));
        assert!(run(old(), new()));
        assert!(run(new(), new()));
        assert!(!run(new(), old()));
    }

    #[test]
    fn a_put_that_would_change_nothing_now_may_have_changed_something_later() {
        let email = "a@example.com";
        let seen = Seen {
            tag: None,
            ..seen(1, "N", Some(email), "")
        };
        let profile = json!({ "name": "N", "email": email });
        let put = asked(Ask::Put(1, profile, None), Told::User(200, seen));
        let calls = [
            (0, 1, made(1, email)),
            (2, 9, put),
            (3, 4, renamed(1, "N", None, email, "t1")),
            (5, 6, renamed(1, "M", Some("t1"), email, "t2")),
            (10, 11, get(1, "N", email, "t3")),
        ];
        assert!(explains(calls, &[]));
    }

    #[test]
    fn an_email_has_one_holder_and_is_refused_only_then() {
        let taken = || create("X", Told::Status(409));
        assert!(!explains([(0, 9, made(1, "x")), (1, 8, made(2, "X"))], &[]));
        assert!(explains([(0, 9, made(1, "x")), (1, 8, taken())], &[]));
        assert!(!explains([(0, 1, taken()), (2, 3, made(1, "x"))], &[]));
        let freed = delete(1, Told::Status(204));
        assert!(!explains(
            [(0, 1, made(1, "x")), (2, 3, freed), (4, 5, taken())],
            &[]
        ));
    }

    #[test]
    fn an_id_is_given_once() {
        let gone = delete(1, Told::Status(204));
        assert!(!explains(
            [(0, 1, made(1, "x")), (2, 3, gone), (4, 5, made(1, "y"))],
            &[]
        ));
    }

    #[test]
    fn of_two_updates_of_one_version_one_wins() {
        let update = |name, tag| renamed(1, name, Some("c1"), "x", tag);
        let lost = || rename(1, "C", Some("c1"), Told::Status(412));
        let base = || (0, 1, made(1, "x"));
        assert!(explains(
            [base(), (2, 9, update("B", "t")), (3, 8, lost())],
            &[]
        ));
        assert!(!explains([base(), (2, 9, lost()), (3, 8, lost())], &[]));
        let both = [base(), (2, 9, update("B", "t")), (3, 8, update("C", "u"))];
        assert!(!explains(both, &[]));
    }

    #[test]
    fn a_lost_update_is_noticed() {
        let attributes = |told| {
            let patch = json!({ "attributes": { "k": 1 } });
            asked(Ask::Patch(1, patch, None), told)
        };
        let with = |name: &str, tag: &str| Seen {
            attributes: Some(r#"{"k":1}"#.to_owned()),
            ..seen(1, name, Some("x"), tag)
        };
        let base = || (0, 1, made(1, "x"));
        let rename = || (2, 9, renamed(1, "B", None, "x", "t"));
        let kept = attributes(Told::User(200, with("B", "u")));
        let lost = attributes(Told::User(200, with("A", "u")));
        assert!(explains([base(), rename(), (3, 8, kept)], &[]));
        assert!(!explains([base(), rename(), (3, 8, lost)], &[]));
    }

    #[test]
    fn what_was_not_answered_may_have_happened_or_not_but_not_both() {
        let died = || delete(1, Told::Unknown);
        let base = || (0, 1, made(1, "x"));
        let there = || get(1, "A", "x", "c1");
        assert!(explains(
            [base(), (2, 9, died()), (3, 4, there()), (5, 6, missing(1))],
            &[]
        ));
        assert!(explains(
            [base(), (2, 9, died()), (3, 4, there()), (10, 11, there())],
            &[]
        ));
        assert!(!explains(
            [base(), (2, 9, died()), (3, 4, missing(1)), (5, 6, there())],
            &[]
        ));
        let late = [
            base(),
            (2, 9, died()),
            (10, 11, there()),
            (12, 13, missing(1)),
        ];
        assert!(!explains(late, &[]));
    }

    #[test]
    fn the_id_of_a_create_that_died_is_learnt_when_somebody_sees_it() {
        let died = || (0, 9, create("x", Told::Unknown));
        assert!(explains([died(), (2, 3, get(7, "A", "x", "t"))], &[7]));
        assert!(!explains([died(), (2, 3, get(7, "A", "x", "t"))], &[]));
        let taken = create("x", Told::Status(409));
        let gone = delete(7, Told::Unknown);
        assert!(explains(
            [died(), (2, 3, taken), (4, 9, gone), (10, 11, missing(7))],
            &[7]
        ));
    }

    #[test]
    fn a_list_shows_each_user_as_it_was_at_some_moment() {
        let listed = || {
            Call::Listed(Seen {
                tag: None,
                ..seen(1, "A", Some("x"), "")
            })
        };
        let gone = || (2, 9, delete(1, Told::Status(204)));
        let base = || (0, 1, made(1, "x"));
        assert!(explains([base(), gone(), (3, 8, listed())], &[]));
        assert!(explains([base(), gone(), (3, 8, Call::LeftOut(1))], &[]));
        assert!(!explains([base(), (2, 3, Call::LeftOut(1))], &[]));
        assert!(!explains([base(), gone(), (10, 11, listed())], &[]));
    }
}
