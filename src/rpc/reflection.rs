//! `grpc.reflection.v1.ServerReflection`, and v1alpha: the proto files, for clients that have none.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use edge_users_proto::grpc::reflection::v1::server_reflection_request::MessageRequest as Ask;
use edge_users_proto::grpc::reflection::v1::server_reflection_response::MessageResponse as Told;
use edge_users_proto::grpc::reflection::v1::{
    ErrorResponse, ExtensionNumberResponse, FileDescriptorResponse, ListServiceResponse,
    ServerReflectionRequest, ServerReflectionResponse, ServiceResponse,
};
use edge_users_proto::{FILES, File};
use http::{HeaderMap, Method};

use super::code::Code;
use super::frame::Frames;
use super::stream::Stream;
use crate::auth::Permission;
use crate::message::body::{Body, Broken};
use crate::message::content::{Part, Parts};
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::service::bulk::{End, deadline};
use crate::service::resource::{Answer, Call, Operation, Resource, handled};
use crate::store::Store;
use crate::timestamp::Timestamp;

const SERVICES: [&str; 4] = [
    "edgeusers.v1.UserService",
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// How long the next question is waited for before the deadline is looked at.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(1);

pub const fn v1<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    resource("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
}

pub const fn v1alpha<S: Store, P: Platform, B: Body>() -> Resource<S, P, B> {
    resource("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
}

/// Everybody may read the files, like the description of the REST interface.
const fn resource<S: Store, P: Platform, B: Body>(path: &'static str) -> Resource<S, P, B> {
    Resource {
        path,
        is_counted: true,
        operations: &[Operation {
            method: Method::POST,
            permission: Permission::Public,
            change: None,
            accepts: &[],
            offers: &[],
            handler: |call| handled(std::future::ready(reflect(call))),
        }],
    }
}

fn reflect<'a, S: Store, P: Platform, B: Body + 'a>(
    call: Box<Call<'a, S, P, B>>,
) -> Result<Answer<'a>, Problem> {
    let stream = Stream::of(&call)?;
    let deadline = deadline(&call, stream.deadline());
    Ok(stream.respond(|stream| Reflection {
        platform: call.directory.platform,
        body: call.request.into_body(),
        frames: stream.frames(),
        deadline,
        is_over: false,
        stream,
    }))
}

/// Answers to questions as they come.
struct Reflection<'a, P, B> {
    platform: &'a P,
    body: B,
    frames: Frames,
    deadline: Timestamp,
    is_over: bool,
    stream: Stream,
}

impl<P: Platform, B: Body> Reflection<'_, P, B> {
    async fn part(&mut self, unsent: usize) -> Part {
        if self.is_over {
            return Part::End;
        }
        // Answers are many times as long as questions.
        if unsent > 0 && self.platform.now() < self.deadline {
            return Part::Later;
        }
        let mut bytes = Vec::new();
        if let Err(end) = self.answer(&mut bytes).await {
            self.is_over = true;
            let outcome = self.stream.outcome(end);
            self.stream.push_end(&mut bytes, outcome);
        }
        Part::Bytes(bytes)
    }

    /// Answers the next question, if there is one. Fails with what ends the call.
    async fn answer(&mut self, bytes: &mut Vec<u8>) -> Result<(), End> {
        let now = self.platform.now();
        if now >= self.deadline {
            return Err(End::TimeLimit(now));
        }
        let request = self.stream.next_binary(&mut self.frames);
        if let Some(request) = request.map_err(End::Problem)? {
            self.stream.push_binary(bytes, &answer(request));
            return Ok(());
        }
        match self.body.next_within(QUESTION_TIMEOUT).await {
            Some(Ok(arrived)) => self.frames.push(&arrived).map_err(End::Problem),
            Some(Err(Broken)) => Err(End::IncompleteBody),
            None => Err(self
                .frames
                .finish()
                .map_or_else(End::Problem, |()| End::Complete)),
        }
    }
}

impl<P: Platform, B: Body> Parts for Reflection<'_, P, B> {
    fn next(&mut self, unsent: usize) -> Pin<Box<dyn Future<Output = Part> + '_>> {
        Box::pin(self.part(unsent))
    }

    fn trailers(&mut self) -> Option<HeaderMap> {
        self.stream.trailers()
    }
}

fn answer(request: ServerReflectionRequest) -> ServerReflectionResponse {
    let told = match &request.message_request {
        Some(Ask::ListServices(_)) => services(),
        Some(Ask::FileByFilename(name)) => files(|file| file.name == name, name),
        Some(Ask::FileContainingSymbol(name)) => {
            files(|file| file.symbols.contains(&name.as_str()), name)
        }
        Some(Ask::FileContainingExtension(asked)) => not_found(&asked.containing_type),
        Some(Ask::AllExtensionNumbersOfType(name)) => {
            match FILES
                .iter()
                .any(|file| file.symbols.contains(&name.as_str()))
            {
                true => Told::AllExtensionNumbersResponse(ExtensionNumberResponse {
                    base_type_name: name.clone(),
                    extension_number: Vec::new(),
                }),
                false => not_found(name),
            }
        }
        None => error(
            Code::InvalidArgument,
            "The request asks for nothing.".to_owned(),
        ),
    };
    ServerReflectionResponse {
        valid_host: request.host.clone(),
        original_request: Some(request),
        message_response: Some(told),
    }
}

fn services() -> Told {
    let service = SERVICES.map(|name| ServiceResponse {
        name: name.to_owned(),
    });
    Told::ListServicesResponse(ListServiceResponse {
        service: service.into(),
    })
}

/// The file that is meant, and all files that it imports.
fn files(is_meant: impl Fn(&File) -> bool, name: &str) -> Told {
    let Some(file) = FILES.iter().find(|file| is_meant(file)) else {
        return not_found(name);
    };
    let mut names = vec![file.name];
    let mut next = 0;
    while let Some(name) = names.get(next) {
        let imports = FILES.iter().filter(|file| file.name == *name);
        let imports = imports.flat_map(|file| file.imports).copied();
        let new: Vec<_> = imports.filter(|import| !names.contains(import)).collect();
        names.extend(new);
        next += 1;
    }
    let descriptors = names.iter().filter_map(|name| {
        let file = FILES.iter().find(|file| file.name == *name)?;
        Some(file.descriptor.to_vec())
    });
    Told::FileDescriptorResponse(FileDescriptorResponse {
        file_descriptor_proto: descriptors.collect(),
    })
}

fn not_found(name: &str) -> Told {
    error(
        Code::NotFound,
        format!("Nothing here has the name {name:?}."),
    )
}

fn error(code: Code, error_message: String) -> Told {
    let error_code = code as i32;
    Told::ErrorResponse(ErrorResponse {
        error_code,
        error_message,
    })
}
