use super::*;

async fn batches(file: &[u8]) -> Vec<Batch> {
    batches_of(Kind::Users, file).await
}

async fn batches_of(kind: Kind, mut file: &[u8]) -> Vec<Batch> {
    let mut batches = Vec::new();
    let mut next = 1;
    while let Some(batch) = Batch::read(&mut file, next, kind).await.unwrap() {
        next = batch.end();
        batches.push(batch);
    }
    batches
}

#[tokio::test]
async fn lines_are_numbered_and_blank_ones_are_settled() {
    let mut batches = batches(b"a\n\n \r\nb").await;
    assert_eq!(batches.len(), 1);
    let batch = &mut batches[0];
    assert_eq!((batch.end(), batch.bytes), (5, 7));
    assert_eq!(batch.send(), Some((1, b"a\n\n\nb\n".to_vec())));
}

#[tokio::test]
async fn a_byte_order_mark_at_the_beginning_of_the_file_is_left_out() {
    let line = "{\"name\":\"A\",\"email\":\"a@example.com\"}\n";
    let file = format!("\u{feff}{line}\u{feff}{line}");
    let mut batches = batches(file.as_bytes()).await;
    assert_eq!(batches[0].bytes, file.len() as u64);
    let sent = format!("{line}\u{feff}{line}");
    assert_eq!(batches[0].send(), Some((1, sent.into_bytes())));
    batches[0].end_request();
    // The first line has an email to look it up by.
    assert_eq!(batches[0].give_up_unrepeatable(), [2]);
    let mut other = Batch::read(&mut file.as_bytes(), 257, Kind::Users)
        .await
        .unwrap()
        .unwrap();
    let (_, body) = other.send().unwrap();
    assert_eq!(body, file.as_bytes());
}

#[tokio::test]
async fn a_file_is_cut_into_batches() {
    let file = b"{}\n".repeat(600);
    let batches = batches(&file).await;
    let ends: Vec<u64> = batches.iter().map(Batch::end).collect();
    assert_eq!(ends, [257, 513, 601]);
    assert_eq!(batches.iter().map(|batch| batch.bytes).sum::<u64>(), 1800);
}

#[tokio::test]
async fn long_lines_of_groups_make_short_batches() {
    let file = ("x".repeat(60_000) + "\n").repeat(12);
    for (kind, expected) in [(Kind::Users, &[13][..]), (Kind::Groups, &[6, 11, 13])] {
        let batches = batches_of(kind, file.as_bytes()).await;
        let ends: Vec<u64> = batches.iter().map(Batch::end).collect();
        assert_eq!(ends, expected);
    }
}

#[tokio::test]
async fn of_a_long_line_no_more_is_kept_than_the_service_refuses() {
    for length in [
        MAX_LINE - 1,
        MAX_LINE,
        MAX_LINE + 1,
        MAX_LINE + 2,
        5 * MAX_LINE,
    ] {
        let mut file = vec![b'x'; length];
        file.extend_from_slice(b"\nnext");
        let mut batches = batches(&file).await;
        let mut expected = vec![b'x'; length.min(MAX_LINE)];
        expected.extend_from_slice(b"\nnext\n");
        let (_, body) = batches[0].send().unwrap();
        assert!(body == expected, "{length}: {}", body.len());
        assert_eq!(batches[0].bytes, file.len() as u64);
    }
}

#[tokio::test]
async fn what_is_settled_is_not_sent_again() {
    let mut batch = batches(b"a\nb\nc\nd\n").await.remove(0);
    assert!(batch.settle(1) && batch.settle(3) && !batch.settle(3) && !batch.settle(9));
    assert_eq!(batch.unsettled(), 2);
    assert_eq!(batch.send(), Some((2, b"b\n\nd\n".to_vec())));
    batch.not_reached_from(0);
    assert_eq!(batch.give_up(), (vec![2, 4], vec![]));
    assert_eq!(batch.send(), None);
}

#[tokio::test]
async fn what_was_sent_is_in_doubt_until_the_answer_tells() {
    let mut batch = batches(b"1\n2\n3\n4\n5\n").await.remove(0);
    batch.send();
    assert!(batch.settle(1));
    batch.not_reached(3);
    batch.not_reached_from(5);
    assert!(batch.in_doubt(2).is_none());
    batch.end_request();
    assert_eq!(batch.all_in_doubt(), [2, 4]);
    // Nor does another request clear the doubt that it did not raise.
    batch.send();
    batch.not_reached_from(1);
    assert_eq!(batch.give_up(), (vec![3, 5], vec![2, 4]));
}

#[tokio::test]
async fn in_doubt_only_lines_with_an_email_are_sent_again() {
    let file =
        b"{\"name\":\"A\"}\n{\"name\":\"B\",\"email\":\"b@example.com\"}\n{\"name\":\"C\"}\n[]\n";
    let mut batch = batches(file).await.remove(0);
    assert!(batch.in_doubt(2).is_none());
    batch.send();
    batch.not_reached(3);
    batch.end_request();
    assert!(batch.in_doubt(2).is_some());
    assert_eq!(batch.give_up_unrepeatable(), [1]);
    let rest = file.splitn(2, |byte| *byte == b'\n').nth(1).unwrap();
    assert_eq!(batch.send(), Some((2, rest.to_vec())));
}

#[test]
fn a_line_is_repeatable_if_it_surely_has_an_email_or_a_username() {
    for (line, repeatable) in [
        (r#"{"name":"A","email":"a@example.com"}"#, true),
        (r#"{"name":"A","email":null}"#, false),
        (r#"{"name":"A","email":"x","email":null}"#, false),
        (r#"{"name":"A","email":null,"email":"x"}"#, false),
        (r#"{"name":"A","email":7}"#, false),
        (r#"{"name":"A","username":"a"}"#, true),
        (r#"{"name":"A","email":null,"username":"a"}"#, true),
        (r#"{"name":"A","username":null}"#, false),
        (r#"{"name":"A","username":"a","username":null}"#, false),
        (r#"{"name":"A""#, false),
        ("\u{feff}{\"name\":\"A\"}", false),
        ("7", true),
    ] {
        assert_eq!(is_repeatable(line.as_bytes()), repeatable, "{line}");
    }
}

#[tokio::test]
async fn the_last_line_of_an_export_is_no_user() {
    let complete = batches(b"{\"name\":\"A\"}\n{\"end\":\"complete\",\"users\":1}\n");
    let mut batch = complete.await.remove(0);
    assert_eq!((batch.unsettled(), batch.cut_off.take()), (1, None));
    let cut_off =
        batches(b"{\"end\":\"time-limit\",\"users\":0,\"next\":\"/users/export?after=0\"}");
    let batch = cut_off.await.remove(0);
    assert_eq!(
        (batch.unsettled(), batch.cut_off),
        (0, Some((1, "time-limit".to_owned())))
    );
    let user = batches(b"{\"end\":\"x\",\"name\":\"A\"}\n{\"end\":7}\n");
    assert_eq!(user.await[0].unsettled(), 2);
}
