//! What is in the server, and what the operations make of it.

use std::collections::HashMap;
use std::fs;

use edge_host::{Host, UpOptions};

use super::Setting;
use crate::support::{Application, Client, RedisServer, get, probe_path, put, request};

#[tokio::test]
async fn values_are_in_the_form_of_spin() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let (redis, host) = (&setting.redis, setting.host().await);
    let mut client = Client::connect(host.local_addr()).await;
    let set = request("PUT", "/stores/default/set/k", "value");
    assert_eq!(client.send(set).await.text(), "Ok(())");
    assert_eq!(redis.send("GET k").unwrap(), "$5\r\nvalue\r\n");
    assert_eq!(redis.send("TTL k").unwrap(), ":-1\r\n");
    // A counter is the decimal text that INCRBY makes.
    assert_eq!(client.get("/atomics/increment/n/5").await.text(), "Ok(5)");
    assert_eq!(client.get("/atomics/increment/n/-7").await.text(), "Ok(-2)");
    assert_eq!(redis.send("GET n").unwrap(), "$2\r\n-2\r\n");
    assert_eq!(client.get("/stores/default/get/n").await.text(), "-2");
    // A swap leaves a value like any other.
    client.get("/atomics/swap/k/-/swapped").await;
    assert_eq!(redis.send("GET k").unwrap(), "$7\r\nswapped\r\n");
    // There is nothing else, and what another wrote is read.
    assert_eq!(redis.send("DBSIZE").unwrap(), ":2\r\n");
    redis.send("SET other spin").unwrap();
    assert_eq!(client.get("/stores/default/get/other").await.text(), "spin");
    redis.send("SET n 41").unwrap();
    assert_eq!(client.get("/atomics/increment/n/1").await.text(), "Ok(42)");
}

#[tokio::test]
async fn all_operations_are_there_through_both_interfaces() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let host = setting.host().await;
    let mut client = Client::connect(host.local_addr()).await;
    for (path, answer) in [
        ("/stores/default/get/a", "Ok(None)"),
        ("/stores/default/exists/a", "Ok(false)"),
        ("/stores/default/set-many/c/b/a", "Ok(())"),
        ("/stores/default/exists/a", "Ok(true)"),
        (
            "/stores/default/get-many/c/missing/a/c",
            "Ok([(\"a\", Some([97])), (\"c\", Some([99]))])",
        ),
        ("/stores/default/get-many", "Ok([])"),
        ("/stores/default/list-keys", "Ok([\"a\", \"b\", \"c\"])"),
        ("/spin-stores/default/get/b", "b"),
        ("/spin-stores/default/exists/b", "Ok(true)"),
        ("/spin-stores/default/delete/b", "Ok(())"),
        ("/spin-stores/default/get/b", "Ok(None)"),
        ("/spin-stores/default/get-keys", "Ok([\"a\", \"c\"])"),
        ("/stores/default/delete-many/a/x", "Ok(())"),
        ("/stores/default/list-keys", "Ok([\"c\"])"),
        ("/stores/default/delete/c", "Ok(())"),
        ("/stores/default/delete/c", "Ok(())"),
        ("/stores/default/list-keys", "Ok([])"),
    ] {
        assert_eq!(client.get(path).await.text(), answer, "{path}");
    }
    // Bytes that are no text, and none at all.
    let value = [0, 255, b'\r', b'\n', 0];
    setting
        .redis
        .send("SET bytes \"\\x00\\xff\\r\\n\\x00\"")
        .unwrap();
    assert_eq!(client.get("/stores/default/get/bytes").await.body, value);
    let set = request("PUT", "/stores/default/set/empty", "");
    assert_eq!(client.send(set).await.text(), "Ok(())");
    assert_eq!(client.get("/stores/default/get/empty").await.text(), "");
    let exists = client.get("/stores/default/exists/empty").await;
    assert_eq!(exists.text(), "Ok(true)");
}

#[tokio::test]
async fn a_long_list_of_keys_is_whole() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let host = setting.host().await;
    // More than the server looks at in one go.
    let fill = "EVAL 'for i = 1, 5000 do redis.call(\"SET\", \"key/\" .. i, i) end' 0";
    assert_eq!(setting.redis.send(fill).unwrap(), "$-1\r\n");
    let keys = get(host.local_addr(), "/stores/default/list-keys").await;
    let mut expected: Vec<_> = (1..=5000).map(|number| format!("key/{number}")).collect();
    expected.sort();
    assert_eq!(keys.text(), format!("Ok({expected:?})"));
}

#[tokio::test]
async fn a_swap_happens_if_nothing_was_written_since() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let host = setting.host().await;
    let mut client = Client::connect(host.local_addr()).await;
    setting.redis.send("SET k a").unwrap();
    for (path, answer) in [
        ("/atomics/swap/k/-/b", "Ok(Some([97])), swapped"),
        (
            "/atomics/swap/k/c/d",
            "Ok(Some([98])), failed, now Ok(Some([99]))",
        ),
        // Nothing was there, and something is.
        (
            "/atomics/swap/new/c/d",
            "Ok(None), failed, now Ok(Some([99]))",
        ),
        ("/atomics/swap/newer/-/d", "Ok(None), swapped"),
    ] {
        assert_eq!(client.get(path).await.text(), answer, "{path}");
    }
    for (key, value) in [("k", "c"), ("new", "c"), ("newer", "d")] {
        let path = format!("/stores/default/get/{key}");
        assert_eq!(client.get(&path).await.text(), value);
    }
}

/// The outcome of a swap that the probe tells: the value that it read, and whether it swapped.
fn outcome(answer: &str) -> (String, bool) {
    let (read, outcome) = answer.split_once("])), ").expect("it read a value");
    let bytes = read.strip_prefix("Ok(Some([").unwrap().split(", ");
    let bytes = bytes.map(|byte| byte.parse().unwrap()).collect();
    (String::from_utf8(bytes).unwrap(), outcome == "swapped")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_hosts_that_swap_each_learns_the_truth() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    setting.redis.send("SET k first").unwrap();
    let mut hosts = Vec::new();
    for _ in 0..3 {
        hosts.push(setting.host().await);
    }
    let clients: Vec<_> = (0..12)
        .map(|client| {
            let address = hosts[client % 3].local_addr();
            tokio::spawn(async move {
                let mut connection = Client::connect(address).await;
                let mut outcomes = Vec::new();
                for number in 0..40 {
                    let value = format!("{client}-{number}");
                    let answer = connection.get(&format!("/atomics/swap/k/-/{value}")).await;
                    let (read, swapped) = outcome(answer.text());
                    outcomes.push((value, read, swapped));
                }
                outcomes
            })
        })
        .collect();
    let mut successors = HashMap::new();
    let (mut won, mut lost) = (0, 0);
    for client in clients {
        for (value, read, swapped) in client.await.unwrap() {
            if swapped {
                won += 1;
                let second = successors.insert(read.clone(), value);
                assert_eq!(second, None, "two swaps replaced {read}");
            } else {
                lost += 1;
            }
        }
    }
    // The swaps that were reported as done are those that were done, in one chain.
    let mut last = "first".to_owned();
    for _ in 0..won {
        last = successors.remove(&last).expect("a swap that replaced it");
    }
    let value = get(hosts[0].local_addr(), "/stores/default/get/k").await;
    assert_eq!(value.text(), last);
    assert!(won > 0 && lost > 0, "{won} won, {lost} lost");
}

#[tokio::test]
async fn two_hosts_on_one_server_see_the_same_at_once() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let (one, two) = (setting.host().await, setting.host().await);
    for number in 0..50 {
        let value = number.to_string();
        put(one.local_addr(), "/stores/default/set/k", &value).await;
        let answer = get(two.local_addr(), "/stores/default/get/k").await;
        assert_eq!(answer.text(), value);
    }
    // One that stops leaves the other alone.
    one.shutdown().await.unwrap();
    let answer = get(two.local_addr(), "/stores/default/get/k").await;
    assert_eq!(answer.text(), "49");
}

#[tokio::test]
async fn a_value_of_another_type_is_an_error_and_stays() {
    let Some(setting) = Setting::new(&[]) else {
        return;
    };
    let host = setting.host().await;
    let mut client = Client::connect(host.local_addr()).await;
    setting.redis.send("RPUSH list one two").unwrap();
    setting.redis.send("SET text x").unwrap();
    let most = i64::MAX;
    setting.redis.send(&format!("SET most {most}")).unwrap();
    for (path, error) in [
        ("/stores/default/get/list", "WRONGTYPE"),
        ("/stores/default/get-many/list/text", "WRONGTYPE"),
        ("/atomics/increment/list/1", "WRONGTYPE"),
        ("/atomics/increment/text/1", "not an integer"),
        ("/atomics/increment/most/1", "overflow"),
        ("/atomics/swap/list/-/v", "WRONGTYPE"),
    ] {
        let answer = client.get(path).await;
        assert!(answer.text().contains("Error::Other("), "{}", answer.text());
        assert!(answer.text().contains(error), "{}", answer.text());
    }
    let list = setting.redis.send("LRANGE list 0 -1").unwrap();
    assert_eq!(list, "*2\r\n$3\r\none\r\n$3\r\ntwo\r\n");
    assert_eq!(client.get("/stores/default/get/text").await.text(), "x");
}

#[tokio::test]
async fn stores_of_both_types_stand_in_one_file() {
    if !RedisServer::is_installed() {
        return;
    }
    let data = tempfile::tempdir().unwrap();
    let redis = RedisServer::start(data.path(), &[]);
    let application = Application::manifest(&format!(
        "[[trigger.http]]\nroute = '/...'\ncomponent = 'probe'\n\
         [component.probe]\nsource = '{}'\n\
         key_value_stores = ['default', 'file', 'same', 'third']\n",
        probe_path()
    ));
    let config = application.directory().join("runtime.toml");
    let url = redis.url();
    fs::write(
        &config,
        format!(
            "[key_value_store.default]\ntype = 'redis'\nurl = '{url}'\n\
             [key_value_store.same]\ntype = 'redis'\nurl = '{url}'\n\
             [key_value_store.third]\ntype = 'redis'\nurl = '{url}/3'\n\
             [key_value_store.file]\ntype = 'spin'\npath = 'file.db'\n"
        ),
    )
    .unwrap();
    let options = UpOptions {
        runtime_config_file: Some(config),
        key_values: vec![("given".to_owned(), "at the start".to_owned())],
        ..application.options()
    };
    let host = Host::start(options).await.unwrap();
    assert!(
        host.summary()
            .to_string()
            .contains(&format!("data to Redis at 127.0.0.1:{}.", redis.port()))
    );
    let mut client = Client::connect(host.local_addr()).await;
    for label in ["default", "file", "third"] {
        let set = request("PUT", &format!("/stores/{label}/set/k"), label);
        assert_eq!(client.send(set).await.text(), "Ok(())");
    }
    // A store is a database of the server: its label is no part of the keys, as in Spin.
    for (label, value) in [
        ("default", "default"),
        ("same", "default"),
        ("file", "file"),
        ("third", "third"),
    ] {
        let answer = client.get(&format!("/stores/{label}/get/k")).await;
        assert_eq!(answer.text(), value, "{label}");
    }
    let given = client.get("/stores/same/get/given").await;
    assert_eq!(given.text(), "at the start");
    assert_eq!(redis.send("DBSIZE").unwrap(), ":2\r\n");
    assert!(application.directory().join("file.db").exists());
}
