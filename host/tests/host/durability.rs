//! Answered writes survive every failure of the host.

use std::process::Command;

use crate::support::{Application, Client, Program, edge_host, get, request};

#[tokio::test]
async fn a_killed_host_loses_nothing_that_it_answered() {
    let application = Application::probe("");
    let mut program = Program::start(&application, &[]);
    let address = program.address();
    // Several at once, so that many writes share a commit, and one that is killed in
    // the middle of it.
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            tokio::spawn(async move {
                let mut client = Client::connect(address).await;
                let mut answered = 0;
                for number in 0_u32.. {
                    let path = format!("/stores/default/set/{writer}-{number}");
                    let set = request("PUT", &path, &number.to_string());
                    match client.try_send(set).await {
                        Ok(answer) if answer.text() == "Ok(())" => answered += 1,
                        _ => break,
                    }
                }
                answered
            })
        })
        .collect();
    let mut client = Client::connect(address).await;
    while client.get("/stores/default/exists/3-50").await.text() != "Ok(true)" {}
    program.signal("KILL");
    program.wait();
    let mut answered = Vec::new();
    for writer in writers {
        answered.push(writer.await.unwrap());
    }

    let program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    for (writer, answered) in answered.into_iter().enumerate() {
        assert!(answered > 0);
        for number in 0..answered {
            let path = format!("/stores/default/get/{writer}-{number}");
            assert_eq!(client.get(&path).await.text(), number.to_string(), "{path}");
        }
    }
}

#[tokio::test]
async fn a_store_that_cannot_be_written_is_told_and_reported_with_its_name() {
    let application = Application::probe("");
    // No file may grow beyond a megabyte or half of one, as on a disk that is full.
    let script = "trap '' XFSZ; ulimit -f 1024; exec \"$0\" up --listen 127.0.0.1:0";
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .arg(edge_host().get_program())
        .current_dir(application.directory());
    let mut program = Program::spawn(command);
    let mut client = Client::connect(program.address()).await;
    let set = |key: u32| {
        let path = format!("/stores/default/set/{key}");
        request("PUT", &path, &"x".repeat(50_000))
    };
    let mut answers = Vec::new();
    for key in 0..30 {
        answers.push(client.send(set(key)).await.text().to_owned());
    }
    let kept = answers.iter().take_while(|answer| *answer == "Ok(())");
    let kept = kept.count();
    assert!((1..30).contains(&kept), "{answers:?}");
    for answer in &answers[kept..] {
        assert!(answer.starts_with("Err(Error::Other("), "{answer}");
    }
    // Present values can still be read, and the failures are one line.
    let last = format!("/stores/default/exists/{}", kept - 1);
    assert_eq!(client.get(&last).await.text(), "Ok(true)");
    let line = program.wait_for_log("cannot write to the key-value store ");
    assert!(line.contains("sqlite_key_value.db: "), "{line}");
    program.signal("TERM");
    assert_eq!(program.wait().code(), Some(0));
    let log = program.rest_of_log();
    assert_eq!(log.len(), 1, "{log:#?}");
}

#[tokio::test]
async fn a_killed_instance_takes_nothing_with_it() {
    let application = Application::probe("");
    let program = Program::start(&application, &[]);
    let mut client = Client::connect(program.address()).await;
    client
        .send(request("PUT", "/stores/default/set/k", "kept"))
        .await;
    assert_eq!(client.get("/trap").await.status, 500);
    let answer = get(program.address(), "/stores/default/get/k").await;
    assert_eq!(answer.text(), "kept");
}
