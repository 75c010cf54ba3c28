//! Writes that are answered before they are committed.

use std::time::Duration;

use super::*;

/// Has the transaction that is open fail when it is committed. False if none is open any more.
fn spoil(store: &SqliteStore) -> bool {
    store.database.writer.hold(|group| {
        let Some(connection) = group.open() else {
            return false;
        };
        let orphan = "CREATE TABLE parent (id PRIMARY KEY);
             CREATE TABLE child (id REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
             INSERT INTO child VALUES (1)";
        connection.execute_batch(orphan).unwrap();
        true
    })
}

#[tokio::test]
async fn what_a_failed_commit_takes_back_nobody_tells_and_nobody_builds_on() {
    let (store, _directory) = store();
    store.set("k".into(), bytes("before")).await.unwrap();
    store.durable().await.unwrap();
    let bystander = store.newcomer();
    assert_eq!(bystander.get("k").unwrap(), Some(bytes("before")));
    let (writer, reader) = loop {
        let (writer, reader) = (store.newcomer(), store.newcomer());
        writer.set("k".into(), bytes("lost")).await.unwrap();
        assert_eq!(reader.get("k").unwrap(), Some(bytes("lost")));
        if spoil(&store) {
            break (writer, reader);
        }
        // It was committed meanwhile.
        store.set("k".into(), bytes("before")).await.unwrap();
        store.durable().await.unwrap();
    };
    assert_eq!(writer.durable().await, Err(NotDurable));
    assert_eq!(reader.durable().await, Err(NotDurable));
    for lost in [&writer, &reader] {
        assert_eq!(lost.get("k").unwrap(), Some(bytes("before")));
        assert_eq!(lost.durable().await, Err(NotDurable));
        assert!(lost.basis.is_lost());
        lost.set("on top".into(), bytes("v")).await.unwrap_err();
    }
    assert!(!bystander.basis.is_lost());
    assert_eq!(bystander.increment("n".into(), 1).await.unwrap(), 1);
    assert_eq!(bystander.get("on top").unwrap(), None);
    bystander.durable().await.unwrap();
    for lost in [writer, reader] {
        // Not even after they have seen what came later and is durable.
        assert_eq!(lost.get("n").unwrap(), bystander.get("n").unwrap());
        assert_eq!(lost.durable().await, Err(NotDurable));
        lost.set("on top".into(), bytes("v")).await.unwrap_err();
    }
}

#[tokio::test]
async fn after_a_failed_commit_each_write_is_committed_before_it_is_answered() {
    let (store, _directory) = store();
    while {
        store
            .newcomer()
            .set("k".into(), bytes("lost"))
            .await
            .unwrap();
        !spoil(&store)
    } {}
    let writer = store.newcomer();
    store.database.writer.without(|| {});
    writer.set("k".into(), bytes("v")).await.unwrap();
    assert!(store.database.writer.hold(|group| group.open().is_none()));
    writer.durable().await.unwrap();
}

#[tokio::test]
async fn what_nobody_waits_for_is_committed_all_the_same() {
    let (store, directory) = store();
    store.set("k".into(), bytes("v")).await.unwrap();
    let other = rusqlite::Connection::open(directory.path().join("store.db")).unwrap();
    let count = || {
        let count = "SELECT count(*) FROM spin_key_value";
        other
            .query_row(count, [], |row| row.get::<_, i64>(0))
            .unwrap()
    };
    while count() == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

#[tokio::test]
async fn many_keys_are_read_with_what_is_not_committed() {
    let (store, _directory) = store();
    for number in 0..50 {
        let key = number.to_string();
        store.set(key.clone(), bytes("v")).await.unwrap();
        let entries = store.get_many(vec![key.clone()]).await.unwrap();
        assert_eq!(entries, [(key.clone(), bytes("v"))]);
        store.delete(key).await.unwrap();
        assert_eq!(store.list_keys().await.unwrap(), Vec::<String>::new());
    }
}
