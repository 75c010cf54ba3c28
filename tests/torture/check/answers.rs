//! Each request by itself: it gets an answer that it can get.

use super::Findings;
use crate::history::{Ask, History, Record, Told};

pub fn check(history: &History, findings: &mut Findings) {
    for record in &history.records {
        match &record.told {
            Told::Garbled { .. } => {
                let what = "an answer holds what no request wrote".to_owned();
                findings.violation("whole", what, [record]);
            }
            told => {
                if told
                    .status()
                    .is_some_and(|status| !expected(history, record, status))
                {
                    let what = "a request got a status that it must not get".to_owned();
                    findings.violation("failing well", what, [record]);
                }
            }
        }
    }
    findings.count("answers", history.records.len());
}

fn expected(history: &History, record: &Record, status: u16) -> bool {
    let conditional = record.ask.if_match().is_some();
    match (&record.ask, status) {
        (_, 503) => true,
        // It comes from the balancer.
        (_, 502 | 504) => history.faults.is_fleet,
        (Ask::Create(_), 201 | 409) => true,
        // A precondition asks for a user, so that it fails where there is none.
        (Ask::Put { .. } | Ask::Patch { .. } | Ask::Delete { .. }, 412) => conditional,
        (Ask::Put { .. } | Ask::Patch { .. } | Ask::Delete { .. }, 404) => !conditional,
        (Ask::Put { .. } | Ask::Patch { .. }, 200) => true,
        (Ask::Put { .. } | Ask::Patch { .. }, 409) => record.ask.email().is_some(),
        (Ask::Delete { .. }, 204) => true,
        (Ask::Get(_), 200 | 404) => true,
        (Ask::Find(_) | Ask::Page { .. } | Ask::Search(_), 200) => true,
        // A create is read as the id that it made.
        (Ask::Group(ask), _) => ask.may_get(status) || matches!(record.told, Told::Ids(_)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;

    #[test]
    fn an_internal_error_is_noticed() {
        let mut example = Example::new();
        example.told(Ask::Find(0), Told::Status(500));
        assert_eq!(broken(check, example), ["failing well"]);
    }

    #[test]
    fn a_balancer_alone_says_that_it_has_lost_a_host() {
        let mut example = Example::new();
        example.told(Ask::Find(0), Told::Status(502));
        assert_eq!(broken(check, example.clone()), ["failing well"]);
        example.faults.is_fleet = true;
        assert!(broken(check, example).is_empty());
    }

    #[test]
    fn a_failed_precondition_needs_a_precondition() {
        let mut example = Example::new();
        let user = example.create(None);
        example.told(example.delete(&user, false), Told::Status(412));
        assert_eq!(broken(check, example), ["failing well"]);
    }

    #[test]
    fn what_nobody_can_have_written_is_noticed() {
        let mut example = Example::new();
        let told = Told::Garbled {
            status: 200,
            body: "{}".to_owned(),
        };
        example.told(Ask::Get(1), told);
        assert_eq!(broken(check, example), ["whole"]);
    }
}
