//! A search finds only who has what is searched for. [`quiet`](super::quiet) checks that it finds all.

use super::Findings;
use crate::history::{Ask, History, Told};

pub fn check(history: &History, findings: &mut Findings) {
    let mut count = 0;
    for record in &history.records {
        let Told::Found(users) = &record.told else {
            continue;
        };
        count += users.len();
        let is_found = |state| match record.ask {
            Ask::Search(sought) => sought.finds(state),
            _ => false,
        };
        if users.iter().any(|seen| !is_found(&seen.state)) {
            let what = "a search finds a user who has something else".to_owned();
            findings.violation("found", what, [record]);
        }
    }
    findings.count("users found by words and attributes", count);
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;
    use crate::history::Sought;

    #[test]
    fn only_who_has_the_word_is_found() {
        let mut example = Example::new();
        let one = example.create(None);
        let other = example.create(None);
        let search = Ask::Search(Sought::Word(one.state.name));
        example.told(search.clone(), Told::Found(vec![one]));
        assert!(broken(check, example.clone()).is_empty());
        example.told(search, Told::Found(vec![other]));
        assert_eq!(broken(check, example), ["found"]);
    }
}
