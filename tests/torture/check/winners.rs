//! Of the changes that name one version of a user, at most one succeeds.

use std::collections::HashMap;

use super::Findings;
use crate::history::{History, Record};

pub fn check(history: &History, findings: &mut Findings) {
    let mut contests: HashMap<_, Vec<&Record>> = HashMap::new();
    for record in &history.records {
        if let (Some(id), Some(tag)) = (record.ask.id(), record.ask.if_match()) {
            contests.entry((id, tag)).or_default().push(record);
        }
    }
    let mut unknown = 0;
    for ((id, tag), records) in &contests {
        let winners: Vec<&Record> = records
            .iter()
            .copied()
            .filter(|record| record.told.is_success())
            .collect();
        unknown += usize::from(records.iter().any(|record| record.told.is_unknown()));
        if winners.len() > 1 {
            let what = format!("{} changes of user {id} at {tag} won", winners.len());
            findings.violation("one winner", what, winners);
        }
    }
    let contested = contests.values().filter(|records| records.len() > 1);
    findings.count("versions that several requests named", contested.count());
    findings.count("versions with an unknown request among them", unknown);
}

#[cfg(test)]
mod tests {
    use super::super::example::{Example, broken};
    use super::*;
    use crate::history::Told;

    #[test]
    fn two_changes_of_one_version_do_not_both_win() {
        let mut example = Example::new();
        let user = example.create(None);
        example.rename(&user, true);
        example.rename(&user, true);
        assert_eq!(broken(check, example), ["one winner"]);
    }

    #[test]
    fn a_change_and_a_delete_of_one_version_do_not_both_win() {
        let mut example = Example::new();
        let user = example.create(None);
        example.rename(&user, true);
        example.told(example.delete(&user, true), Told::Status(204));
        assert_eq!(broken(check, example), ["one winner"]);
    }

    #[test]
    fn changes_without_a_precondition_may_all_succeed() {
        let mut example = Example::new();
        let user = example.create(None);
        example.rename(&user, false);
        example.rename(&user, false);
        assert!(broken(check, example).is_empty());
    }
}
