//! What was answered is there, whatever happens to the host.

use crate::support::{Application, Client, Program, get, request};

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
