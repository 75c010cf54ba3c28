//! gRPC, by tonic.

use edge_host::UpOptions;
use edge_users_tonic::Message;
use edge_users_tonic::edgeusers::v1::import_users_response::Result as Outcome;
use edge_users_tonic::edgeusers::v1::user_service_client::UserServiceClient;
use edge_users_tonic::edgeusers::v1::*;
use edge_users_tonic::google::rpc::{BadRequest, ErrorInfo, RetryInfo, Status as Details};
use edge_users_tonic::grpc::health::v1::health_check_response::ServingStatus;
use edge_users_tonic::grpc::health::v1::health_client::HealthClient;
use edge_users_tonic::grpc::health::v1::{HealthCheckRequest, HealthListRequest};
use edge_users_tonic::grpc::reflection::v1::ServerReflectionRequest;
use edge_users_tonic::grpc::reflection::v1::server_reflection_client::ServerReflectionClient;
use edge_users_tonic::grpc::reflection::v1::server_reflection_request::MessageRequest as Ask;
use edge_users_tonic::grpc::reflection::v1::server_reflection_response::MessageResponse as Told;
use edge_users_tonic::prost_types::FileDescriptorProto;
use edge_users_tonic::tonic::codec::CompressionEncoding;
use edge_users_tonic::tonic::transport::Channel;
use edge_users_tonic::tonic::{Code, Request, Status, Streaming};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::support::{RUNTIME, new_email, new_state_dir, service, start_host_with, variable};

async fn channel() -> Channel {
    channel_to(service().url.clone()).await
}

async fn channel_to(url: String) -> Channel {
    let endpoint = Channel::from_shared(url).expect("a URL");
    endpoint.connect().await.expect("a connection")
}

async fn client() -> UserServiceClient<Channel> {
    UserServiceClient::new(channel().await)
}

fn named(name: &str) -> User {
    User {
        name: Some(name.to_owned()),
        ..User::default()
    }
}

/// The details of an error: its reason, and all of them.
fn details(status: &Status) -> (String, Details) {
    let details = Details::decode(status.details()).expect("a Status");
    assert_eq!(details.code, status.code() as i32);
    assert_eq!(details.message, status.message());
    let info = ErrorInfo::decode(&*details.details[0].value).expect("an ErrorInfo");
    assert_eq!(info.domain, "edge-users");
    (info.reason, details)
}

#[test]
fn calls_are_answered_and_fail_with_details() {
    RUNTIME.block_on(async {
        let mut client = client().await;
        let email = new_email();
        let user = User {
            email: Some(email.clone()),
            username: Some(email.clone()),
            external_id: Some("0815".to_owned()),
            active: Some(false),
            ..named("Ada \u{fe}")
        };
        let user = Some(user);
        let request = CreateUserRequest {
            user: user.clone(),
            request_id: String::new(),
        };
        let created = client.create_user(request.clone()).await.expect("a user");
        let created = created.into_inner().user.expect("a user");
        let id = created.id;
        assert_eq!(created.username(), email);
        assert_eq!(created.external_id(), "0815");
        assert_eq!(created.active, Some(false));
        let by_username = ListUsersRequest {
            username: Some(email.clone()),
            ..ListUsersRequest::default()
        };
        let found = client.list_users(by_username).await.expect("a list");
        assert_eq!(found.into_inner().users, std::slice::from_ref(&created));
        let got = client
            .get_user(GetUserRequest { id })
            .await
            .expect("a user");
        assert!(got.metadata().contains_key("x-request-id"));
        assert_eq!(got.into_inner().user, Some(created));

        let taken = client.create_user(request).await.unwrap_err();
        assert_eq!(taken.code(), Code::AlreadyExists);
        assert_eq!(details(&taken).0, "email-taken");
        let bad = User {
            email: Some("\u{fc}100%".to_owned()),
            ..User::default()
        };
        let request = CreateUserRequest {
            user: Some(bad),
            ..CreateUserRequest::default()
        };
        let refused = client.create_user(request).await.unwrap_err();
        let (reason, all) = details(&refused);
        assert_eq!(
            (refused.code(), &*reason),
            (Code::InvalidArgument, "invalid-user")
        );
        let bad = BadRequest::decode(&*all.details[1].value).expect("a BadRequest");
        let fields: Vec<_> = bad.field_violations.iter().map(|it| &*it.field).collect();
        assert_eq!(fields, ["user.name", "user.email"]);
        let gone = client.get_user(GetUserRequest { id: 1 << 33 }).await;
        assert_eq!(gone.unwrap_err().code(), Code::NotFound);

        let delete = |etag: &str| DeleteUserRequest {
            id,
            etag: etag.to_owned(),
        };
        let stale = client.delete_user(delete("\"0\"")).await.unwrap_err();
        assert_eq!(
            (stale.code(), &*details(&stale).0),
            (Code::Aborted, "precondition-failed")
        );
        client.delete_user(delete("")).await.expect("deleted");
    });
}

#[test]
fn messages_are_compressed_both_ways() {
    RUNTIME.block_on(async {
        let mut client = client()
            .await
            .send_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Gzip);
        let user = User {
            attributes_json: Some(format!(r#"{{"text":"{}"}}"#, "x".repeat(8000))),
            ..named("Long")
        };
        let request = CreateUserRequest {
            user: Some(user),
            ..CreateUserRequest::default()
        };
        let created = client.create_user(request).await.expect("a user");
        assert_eq!(created.metadata().get("grpc-encoding").unwrap(), "gzip");
        let text = created.into_inner().user.unwrap().attributes.unwrap();
        assert!(text.encoded_len() > 8000);
    });
}

#[test]
fn an_export_sends_every_user_in_order() {
    RUNTIME.block_on(async {
        let mut client = client().await;
        let mut ids = Vec::new();
        for n in 0..3 {
            let request = CreateUserRequest {
                user: Some(named(&format!("Exported {n}"))),
                ..CreateUserRequest::default()
            };
            let created = client.create_user(request).await.expect("a user");
            ids.push(created.into_inner().user.unwrap().id);
        }
        let after = ids[0] - 1;
        let stream = client.export_users(ExportUsersRequest { after }).await;
        let mut stream = stream.expect("a stream").into_inner();
        let mut exported = Vec::new();
        while let Some(next) = stream.message().await.expect("a message") {
            exported.push(next.user.expect("a user").id);
        }
        assert!(exported.is_sorted() && ids.iter().all(|id| exported.contains(id)));
        assert_eq!(exported[0], ids[0]);
        assert!(stream.trailers().await.expect("trailers").is_some());
    });
}

/// A call of `ImportUsers`, user by user.
struct ImportCall {
    sender: mpsc::Sender<ImportUsersRequest>,
    results: Streaming<ImportUsersResponse>,
}

impl ImportCall {
    async fn begin(client: &mut UserServiceClient<Channel>) -> ImportCall {
        let (sender, receiver) = mpsc::channel(1);
        let results = client.import_users(ReceiverStream::new(receiver)).await;
        let results = results.expect("a stream").into_inner();
        ImportCall { sender, results }
    }

    /// Sends a user, and waits for the result.
    async fn send(&mut self, user: Option<User>) -> Outcome {
        let sent = self.sender.send(ImportUsersRequest { user }).await;
        sent.expect("it is read");
        let result = self.results.message().await.expect("a message");
        result.expect("a result").result.expect("one of two")
    }
}

#[test]
fn an_import_answers_each_user_as_it_is_made() {
    RUNTIME.block_on(async {
        let mut client = client().await;
        let mut import = ImportCall::begin(&mut client).await;
        let email = new_email();
        let with_email = |name: &str| User {
            email: Some(email.clone()),
            ..named(name)
        };
        let mut ids = Vec::new();
        for (user, refused) in [
            (Some(with_email("First")), None),
            (Some(with_email("Second")), Some((6, "email-taken"))),
            (Some(named("")), Some((3, "invalid-user"))),
            (None, Some((3, "invalid-request"))),
            (Some(named("Last")), None),
        ] {
            // The next is sent when there is the result of this one.
            match (import.send(user).await, refused) {
                (Outcome::User(user), None) => ids.push(user.id),
                (Outcome::Error(error), Some((code, reason))) => {
                    assert_eq!((error.code, &*error.reason), (code, reason));
                    assert!(!error.message.is_empty());
                }
                (result, refused) => panic!("{result:?} is not {refused:?}"),
            }
        }
        drop(import.sender);
        assert!(import.results.message().await.expect("the end").is_none());
        assert!(ids[0] < ids[1]);
    });
}

#[test]
fn a_call_ends_when_the_client_has_no_more_time() {
    RUNTIME.block_on(async {
        let mut client = client().await;
        // It would go on for ever.
        let (_sender, receiver) = mpsc::channel::<ImportUsersRequest>(1);
        let mut request = Request::new(ReceiverStream::new(receiver));
        request
            .metadata_mut()
            .insert("grpc-timeout", "300m".parse().unwrap());
        let ended = match client.import_users(request).await {
            Ok(results) => results.into_inner().message().await.unwrap_err(),
            Err(ended) => ended,
        };
        assert_eq!(ended.code(), Code::DeadlineExceeded, "{ended:?}");
    });
}

#[test]
fn a_client_that_cancels_leaves_what_was_made() {
    RUNTIME.block_on(async {
        let mut client = client().await;
        let mut import = ImportCall::begin(&mut client).await;
        let result = import.send(Some(named("Kept"))).await;
        let Outcome::User(user) = result else {
            panic!("{result:?}");
        };
        drop(import);
        let id = user.id;
        client
            .get_user(GetUserRequest { id })
            .await
            .expect("the user");
    });
}

#[test]
fn health_is_told_of_the_services_that_there_are() {
    RUNTIME.block_on(async {
        let mut client = HealthClient::new(channel().await);
        let check = |service: &str| HealthCheckRequest {
            service: service.to_owned(),
        };
        for service in ["", "edgeusers.v1.UserService"] {
            let status = client.check(check(service)).await.expect("a status");
            assert_eq!(status.into_inner().status(), ServingStatus::Serving);
        }
        let unknown = client.check(check("nobody")).await.unwrap_err();
        assert_eq!(unknown.code(), Code::NotFound);
        let all = client.list(HealthListRequest {}).await.expect("statuses");
        assert_eq!(all.into_inner().statuses.len(), 2);
        let watched = client.watch(check("nobody")).await.expect("a stream");
        let first = watched.into_inner().message().await.expect("a message");
        assert_eq!(
            first.expect("a status").status(),
            ServingStatus::ServiceUnknown
        );
    });
}

#[test]
fn reflection_gives_the_files_of_all_services() {
    RUNTIME.block_on(async {
        let mut client = ServerReflectionClient::new(channel().await);
        let (sender, receiver) = mpsc::channel(1);
        let answers = client
            .server_reflection_info(ReceiverStream::new(receiver))
            .await;
        let mut answers = answers.expect("a stream").into_inner();
        let mut ask = async |question: Ask| {
            let request = ServerReflectionRequest {
                host: "h".to_owned(),
                message_request: Some(question.clone()),
            };
            sender.send(request.clone()).await.expect("it is read");
            let answer = answers
                .message()
                .await
                .expect("a message")
                .expect("an answer");
            assert_eq!(answer.original_request, Some(request));
            answer.message_response.expect("one of four")
        };
        let Told::ListServicesResponse(list) = ask(Ask::ListServices(String::new())).await else {
            panic!("no list");
        };
        assert_eq!(list.service.len(), 4);
        for service in list.service {
            let Told::FileDescriptorResponse(files) =
                ask(Ask::FileContainingSymbol(service.name.clone())).await
            else {
                panic!("no file of {}", service.name);
            };
            let files = files.file_descriptor_proto.iter();
            let files: Vec<_> = files
                .map(|file| FileDescriptorProto::decode(&**file).expect("a file"))
                .collect();
            let declares = files[0]
                .service
                .iter()
                .any(|it| service.name == format!("{}.{}", files[0].package(), it.name()));
            assert!(declares, "{}", service.name);
            // All that they import is there.
            for import in files.iter().flat_map(|file| &file.dependency) {
                assert!(files.iter().any(|file| file.name() == import), "{import}");
            }
        }
        let Told::FileDescriptorResponse(_) =
            ask(Ask::FileByFilename("edgeusers/v1/users.proto".to_owned())).await
        else {
            panic!("no file");
        };
        let Told::AllExtensionNumbersResponse(none) = ask(Ask::AllExtensionNumbersOfType(
            "edgeusers.v1.User".to_owned(),
        ))
        .await
        else {
            panic!("no numbers");
        };
        assert!(none.extension_number.is_empty());
        let Told::ErrorResponse(error) = ask(Ask::FileContainingSymbol("nobody".to_owned())).await
        else {
            panic!("no error");
        };
        assert_eq!(error.error_code, Code::NotFound as i32);
        drop(sender);
        assert!(answers.message().await.expect("the end").is_none());
    });
}

/// Tests that start a service of their own.
mod not_by_url {
    use super::*;

    #[test]
    fn a_stream_ends_at_the_operators_time_limit_and_says_so() {
        let host = start_host_with(UpOptions {
            variables: vec![variable("bulk_time_limit", "1")],
            state_dir: Some(new_state_dir()),
            ..UpOptions::default()
        });
        RUNTIME.block_on(async {
            let url = format!("http://{}", host.local_addr());
            let mut client = UserServiceClient::new(channel_to(url.clone()).await);
            let (_sender, receiver) = mpsc::channel::<ImportUsersRequest>(1);
            let results = client.import_users(ReceiverStream::new(receiver)).await;
            let ended = results
                .expect("a stream")
                .into_inner()
                .message()
                .await
                .unwrap_err();
            assert_eq!(
                (ended.code(), &*details(&ended).0),
                (Code::Aborted, "time-limit")
            );
            let mut health = HealthClient::new(channel_to(url).await);
            let watched = health.watch(HealthCheckRequest::default()).await;
            let mut watched = watched.expect("a stream").into_inner();
            let first = watched
                .message()
                .await
                .expect("a message")
                .expect("a status");
            assert_eq!(first.status(), ServingStatus::Serving);
            assert_eq!(watched.message().await.unwrap_err().code(), Code::Aborted);
        });
    }

    #[test]
    fn a_client_that_asks_too_often_is_told_when_to_come_back() {
        let host = start_host_with(UpOptions {
            variables: vec![variable("rate_limit", "3")],
            state_dir: Some(new_state_dir()),
            ..UpOptions::default()
        });
        RUNTIME.block_on(async {
            let url = format!("http://{}", host.local_addr());
            let mut client = UserServiceClient::new(channel_to(url).await);
            let mut last = None;
            for _ in 0..8 {
                last = client.get_user(GetUserRequest { id: 1 }).await.err();
            }
            let refused = last.expect("refused");
            let (reason, all) = details(&refused);
            assert_eq!(
                (refused.code(), &*reason),
                (Code::ResourceExhausted, "too-many-requests")
            );
            let retry = RetryInfo::decode(&*all.details[1].value).expect("a RetryInfo");
            let delay = retry.retry_delay.expect("a delay");
            assert!((1..=60).contains(&delay.seconds), "{delay:?}");
        });
    }
}
