//! The lists in the order of names contain only starts of the names of present users, or groups.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::store::SimStore;

/// The starts of names in the nodes of lists with which no present user's name begins, or no present
/// group's.
pub fn stale(store: &SimStore) -> BTreeSet<String> {
    let mut starts = stale_of(store, "user/", &["names/", "words/"]);
    starts.extend(stale_of(store, "group/", &["group-words/"]));
    starts
}

fn stale_of(store: &SimStore, records: &str, nodes: &[&str]) -> BTreeSet<String> {
    let mut names = Vec::new();
    let mut starts = BTreeSet::new();
    for (key, value) in store.entries() {
        let Ok(value) = serde_json::from_slice::<Value>(value) else {
            continue;
        };
        if key.starts_with(records) {
            let name = value["value"]["state"]["live"]["profile"]["name"].as_str();
            // Those of programs are plain.
            names.extend(name.map(str::to_lowercase));
        }
        if nodes.iter().any(|folder| key.starts_with(folder)) {
            collect(&value["value"], &mut starts);
        }
    }
    starts.remove("");
    starts.retain(|start| !names.iter().any(|name| name.starts_with(start)));
    starts
}

/// All starts of names in a node: of each position, the text.
fn collect(node: &Value, starts: &mut BTreeSet<String>) {
    match node {
        Value::Array(items) => {
            if let [Value::String(start), Value::Number(_)] = &items[..] {
                starts.insert(start.clone());
            }
            items.iter().for_each(|item| collect(item, starts));
        }
        Value::Object(members) => members.values().for_each(|member| collect(member, starts)),
        _ => {}
    }
}
