use std::sync::mpsc;

use super::*;
use crate::log::Log;
use crate::store::reports::Reports;
use crate::store::sqlite::address::Address;
use crate::store::sqlite::cache::Cache;
use crate::store::sqlite::database::WRITING;
use crate::store::sqlite::others::Others;
use crate::store::sqlite::readers::Readers;

#[test]
fn on_a_full_disk_nothing_of_a_batch_stays_and_all_of_it_is_told_so() {
    let connection = Connection::open_in_memory().unwrap();
    connection
        .execute_batch(
            "CREATE TABLE spin_key_value (
               store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
               PRIMARY KEY (store, key));
             PRAGMA max_page_count = 10",
        )
        .unwrap();
    let durability = Durability::of_memory();
    let readers = Readers::new(Address::Memory(String::new()));
    let log = Log::new(true, true, None).unwrap();
    let reports = Reports::new("a".to_owned(), WRITING, &log);
    let (checkpoints, _due) = mpsc::sync_channel(1);
    let group = Group::new(
        connection,
        Others::of_memory(),
        checkpoints,
        Arc::new(readers),
        Arc::new(Cache::new()),
        durability.clone(),
        Arc::new(reports),
    );
    let writer = Writer::new(group.unwrap(), durability);
    let mut answers = Vec::new();
    for (key, length) in [("before", 1), ("large", 1 << 20), ("after", 1)] {
        let (answer, outcome) = oneshot::channel();
        answers.push(outcome);
        lock(&writer.queue).push_back(Waiting {
            store: "default".into(),
            write: Write::Set {
                key: key.to_owned(),
                value: vec![0; length],
            },
            basis: Arc::default(),
            since: Instant::now(),
            answer,
        });
    }
    writer.carry_out();
    for mut answer in answers {
        let error = answer.try_recv().unwrap().unwrap_err();
        assert!(error.to_string().contains("full"), "{error}");
    }
    let connection = writer.close().unwrap();
    let keys = connection.query_row("SELECT count(*) FROM spin_key_value", [], |row| {
        row.get::<_, i64>(0)
    });
    assert_eq!(keys.unwrap(), 0);
    assert!(connection.is_autocommit());
}
