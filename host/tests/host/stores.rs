//! Stores, through the interfaces that components have to them.

use edge_host::{Host, StoreOperations, UpOptions};
use rusqlite::Connection;

use crate::support::{Application, Client, get, probe_path, put, request, start};

#[tokio::test]
async fn a_value_is_there_until_it_is_deleted() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    assert_eq!(client.get("/stores/default/get/k").await.text(), "Ok(None)");
    assert_eq!(
        client.get("/stores/default/exists/k").await.text(),
        "Ok(false)"
    );
    let set = request("PUT", "/stores/default/set/k", "value");
    assert_eq!(client.send(set).await.text(), "Ok(())");
    assert_eq!(client.get("/stores/default/get/k").await.text(), "value");
    assert_eq!(
        client.get("/stores/default/exists/k").await.text(),
        "Ok(true)"
    );
    assert_eq!(
        client.get("/stores/default/delete/k").await.text(),
        "Ok(())"
    );
    assert_eq!(
        client.get("/stores/default/delete/k").await.text(),
        "Ok(())"
    );
    assert_eq!(client.get("/stores/default/get/k").await.text(), "Ok(None)");
}

#[tokio::test]
async fn both_interfaces_see_the_same_store() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    let set = request("PUT", "/spin-stores/default/set/k", "value");
    assert_eq!(client.send(set).await.text(), "Ok(())");
    assert_eq!(client.get("/stores/default/get/k").await.text(), "value");
    let keys = client.get("/spin-stores/default/get-keys").await;
    assert_eq!(keys.text(), "Ok([\"k\"])");
    assert_eq!(
        client.get("/spin-stores/default/exists/k").await.text(),
        "Ok(true)"
    );
    assert_eq!(
        client.get("/spin-stores/default/delete/k").await.text(),
        "Ok(())"
    );
    assert_eq!(
        client.get("/spin-stores/default/get/k").await.text(),
        "Ok(None)"
    );
}

#[tokio::test]
async fn batches_leave_out_what_is_missing() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    assert_eq!(
        client.get("/stores/default/set-many/c/b/a").await.text(),
        "Ok(())"
    );
    assert_eq!(
        client
            .get("/stores/default/get-many/c/missing/a/c")
            .await
            .text(),
        "Ok([(\"a\", Some([97])), (\"c\", Some([99]))])"
    );
    assert_eq!(
        client.get("/stores/default/list-keys").await.text(),
        "Ok([\"a\", \"b\", \"c\"])"
    );
    assert_eq!(
        client.get("/stores/default/delete-many/a/x/b").await.text(),
        "Ok(())"
    );
    assert_eq!(
        client.get("/stores/default/list-keys").await.text(),
        "Ok([\"c\"])"
    );
}

#[tokio::test]
async fn listing_from_a_cursor_is_an_error() {
    let (host, _application) = start().await;
    let answer = get(host.local_addr(), "/stores/default/list-keys/k").await;
    assert!(answer.text().contains("cursor not supported"));
}

#[tokio::test]
async fn a_store_that_the_manifest_does_not_grant_is_denied() {
    let (host, _application) = start().await;
    for path in ["/stores/other", "/spin-stores/other"] {
        let answer = get(host.local_addr(), path).await;
        assert_eq!(answer.text(), "Error::AccessDenied", "{path}");
    }
}

#[tokio::test]
async fn counters_count_and_other_values_are_not_counters() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    assert_eq!(client.get("/atomics/increment/n/5").await.text(), "Ok(5)");
    assert_eq!(client.get("/atomics/increment/n/-7").await.text(), "Ok(-2)");
    let value = client.get("/stores/default/get/n").await.body;
    assert_eq!(value, (-2_i64).to_le_bytes());
    client
        .send(request("PUT", "/stores/default/set/k", "text"))
        .await;
    let answer = client.get("/atomics/increment/k/1").await;
    assert!(answer.text().contains("not a counter"), "{}", answer.text());
    let most = i64::MAX - 1;
    let path = format!("/atomics/increment/m/{most}");
    assert_eq!(client.get(&path).await.text(), format!("Ok({most})"));
    let answer = client.get("/atomics/increment/m/2").await;
    assert!(answer.text().contains("overflow"), "{}", answer.text());
}

#[tokio::test]
async fn a_swap_happens_if_nothing_was_written_since() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    client
        .send(request("PUT", "/stores/default/set/k", "a"))
        .await;
    assert_eq!(
        client.get("/atomics/swap/k/-/b").await.text(),
        "Ok(Some([97])), swapped"
    );
    assert_eq!(client.get("/stores/default/get/k").await.text(), "b");
    assert_eq!(
        client.get("/atomics/swap/k/c/d").await.text(),
        "Ok(Some([98])), failed, now Ok(Some([99]))"
    );
    assert_eq!(client.get("/stores/default/get/k").await.text(), "c");
}

#[tokio::test]
async fn a_swap_of_nothing_overwrites_as_it_does_in_spin() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    assert_eq!(
        client.get("/atomics/swap/k/other/mine").await.text(),
        "Ok(None), swapped"
    );
    assert_eq!(client.get("/stores/default/get/k").await.text(), "mine");
}

#[tokio::test]
async fn operations_are_counted_by_kind() {
    let (host, _application) = start().await;
    let mut client = Client::connect(host.local_addr()).await;
    let before = host.store_operations();
    client.get("/stores/default/get/k").await;
    client.get("/stores/default/get-many/a/b").await;
    client.get("/stores/default/get-many").await;
    client.get("/atomics/swap/k/x/y").await;
    let during = host.store_operations() - before;
    let mut expected = StoreOperations::default();
    expected.get = 1;
    // Of no keys there is nothing to ask the store.
    expected.get_many = 1;
    expected.current = 1;
    expected.set = 1;
    expected.swap = 1;
    assert_eq!(during, expected);
    assert_eq!(during.total(), 5);
}

#[tokio::test]
async fn the_file_is_one_that_spin_can_open() {
    let (host, application) = start().await;
    put(host.local_addr(), "/stores/default/set/k", "value").await;
    host.shutdown().await.unwrap();
    let directory = application.database().parent().unwrap().read_dir();
    assert_eq!(directory.unwrap().count(), 1, "only the database is left");
    let connection = Connection::open(application.database()).unwrap();
    let row: (String, String, Vec<u8>) = connection
        .query_row("SELECT store, key, value FROM spin_key_value", [], |row| {
            row.try_into()
        })
        .unwrap();
    assert_eq!(
        row,
        ("default".to_owned(), "k".to_owned(), b"value".to_vec())
    );
}

#[tokio::test]
async fn a_file_that_spin_wrote_opens() {
    let application = Application::probe("");
    std::fs::create_dir(application.database().parent().unwrap()).unwrap();
    let connection = Connection::open(application.database()).unwrap();
    // As in Spin: SQLite's own journal, and this table.
    connection
        .execute_batch(
            "CREATE TABLE IF NOT EXISTS spin_key_value (
                store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
                PRIMARY KEY (store, key));
             INSERT INTO spin_key_value VALUES ('default', 'k', x'76616c7565'),
                ('other', 'k', x'00');",
        )
        .unwrap();
    drop(connection);
    let host = Host::start(application.options()).await.unwrap();
    let answer = get(host.local_addr(), "/stores/default/get/k").await;
    assert_eq!(answer.text(), "value");
}

#[tokio::test]
async fn stores_are_where_the_runtime_configuration_says() {
    let application = Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/...'\ncomponent = 'probe'\n\
         [component.probe]\nsource = '{}'\nkey_value_stores = ['users', 'cache', 'default']\n",
        probe_path()
    ));
    let config = application.directory().join("runtime.toml");
    std::fs::write(
        &config,
        "[key_value_store.users]\ntype = 'spin'\npath = 'data/users.db'\n\
         [key_value_store.cache]\ntype = 'spin'\n",
    )
    .unwrap();
    let host = Host::start(UpOptions {
        runtime_config_file: Some(config),
        ..application.options()
    })
    .await
    .unwrap();
    for label in ["users", "cache", "default"] {
        let path = format!("/stores/{label}/set/k");
        assert_eq!(put(host.local_addr(), &path, label).await.text(), "Ok(())");
    }
    for label in ["users", "cache", "default"] {
        let path = format!("/stores/{label}/get/k");
        assert_eq!(get(host.local_addr(), &path).await.text(), label);
    }
    assert!(application.directory().join("data/users.db").exists());
    host.shutdown().await.unwrap();
}

#[tokio::test]
async fn two_hosts_run_side_by_side() {
    let (one, _first) = start().await;
    let (two, _second) = start().await;
    put(one.local_addr(), "/stores/default/set/k", "one").await;
    put(two.local_addr(), "/stores/default/set/k", "two").await;
    assert_eq!(
        get(one.local_addr(), "/stores/default/get/k").await.text(),
        "one"
    );
    assert_eq!(
        get(two.local_addr(), "/stores/default/get/k").await.text(),
        "two"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_increments_at_once_none_is_lost() {
    let (host, _application) = start().await;
    let address = host.local_addr();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            tokio::spawn(async move {
                let mut client = Client::connect(address).await;
                for _ in 0..25 {
                    client.get("/atomics/increment/n/1").await;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    assert_eq!(
        get(address, "/atomics/increment/n/0").await.text(),
        "Ok(200)"
    );
}
