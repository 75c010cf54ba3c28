//! `ListUsers`: users by the page (AIP-132, AIP-158).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_users_proto::Message;
use edge_users_proto::edgeusers::v1::{BatchGetUsersResponse, ListUsersRequest, ListUsersResponse};
use serde::{Deserialize, Serialize};

use super::code::invalid;
use super::protocol::{Codec, Protocol};
use super::unary::{Answered, Reply, encode};
use super::user::message;
use crate::configuration::Configuration;
use crate::directory::{Error, Found, Gather, Order, Position};
use crate::folded_name::NamePrefix;
use crate::message::limits::MAX_PAGE_BYTES;
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::service::omissions::{known_total, log_unreadable};
use crate::service::resource::Call;
use crate::store::Store;
use crate::user::{Email, ExternalId, User, Username};

/// Where the next page begins. A client can't read it, and gives it back.
#[derive(Serialize, Deserialize)]
enum PageToken {
    After { id: u64, descending: bool },
    At(Position),
}

impl PageToken {
    fn write(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).expect("a token has string keys only"))
    }

    fn read(text: &str) -> Option<PageToken> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

/// Users, each written as soon as it is read: in memory a user may take a hundred times as much.
pub struct Gathered {
    codec: Codec,
    limit: usize,
    count: usize,
    /// In protobuf's binary form a message with all users; in JSON the elements of an array.
    bytes: Vec<u8>,
}

impl Gathered {
    /// None yet, and at most `limit`.
    pub fn new<S, P>(call: &Call<'_, S, P, ()>, limit: usize) -> Gathered {
        Gathered {
            codec: Protocol::of(&call.request).map_or(Codec::Proto, |protocol| protocol.codec),
            limit,
            count: 0,
            bytes: Vec::new(),
        }
    }

    /// The answer with these users, and what else `rest` says.
    pub fn finish<M: Message + Serialize>(mut self, rest: M) -> Reply<M> {
        let rest = encode(self.codec, &rest);
        match self.codec {
            // Messages that follow each other are one (Protocol Buffers, "Encoding").
            Codec::Proto => self.bytes.extend(rest),
            Codec::Json if self.count == 0 => self.bytes = rest,
            Codec::Json => {
                let separator = if rest == b"{}" { "" } else { "," };
                let users = [b"{\"users\":[", &*self.bytes, b"]", separator.as_bytes()];
                self.bytes = [&users.concat(), &rest[1..]].concat();
            }
        }
        Reply {
            answer: Answered::Encoded(self.bytes),
            created: None,
        }
    }
}

impl Gather for Gathered {
    fn push(&mut self, user: User) -> bool {
        let user = message(user);
        match self.codec {
            Codec::Proto => {
                let users = vec![user];
                let one = BatchGetUsersResponse { users };
                self.bytes.extend(one.encode_to_vec());
            }
            Codec::Json => {
                if self.count > 0 {
                    self.bytes.push(b',');
                }
                self.bytes.extend(encode(Codec::Json, &user));
            }
        }
        self.count += 1;
        true
    }

    fn is_full(&self) -> bool {
        self.count >= self.limit || self.bytes.len() >= MAX_PAGE_BYTES
    }
}

pub async fn list_users<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    request: ListUsersRequest,
) -> Result<Reply<ListUsersResponse>, Problem> {
    let mut gathered = Gathered::new(&call, limit(&call, &request)?);
    let ListUsersRequest {
        email,
        username,
        external_id,
        name_prefix,
        ..
    } = &request;
    let wanted = [
        ("email", email),
        ("username", username),
        ("external_id", external_id),
        ("name_prefix", name_prefix),
    ];
    let mut wanted = wanted
        .into_iter()
        .filter_map(|(member, value)| Some((member, value.as_deref()?)));
    let (first, second) = (wanted.next(), wanted.next());
    if let (Some((first, _)), Some((second, _))) = (first, second) {
        return Err(invalid(second, format!("does not go with {first}")));
    }
    let (next, total) = match first {
        None => by_id(&call, &request, &mut gathered).await?,
        Some(("email", email)) => {
            let email = Email::try_from(email.to_owned()).map_err(|rule| invalid("email", rule))?;
            let found = call.directory.find_by_email(&email);
            alone(&request, found, &mut gathered).await?
        }
        Some(("username", username)) => {
            let username = Username::try_from(username.to_owned())
                .map_err(|rule| invalid("username", rule))?;
            let found = call.directory.find_by_username(&username);
            alone(&request, found, &mut gathered).await?
        }
        Some(("external_id", id)) => by_external_id(&call, &request, id, &mut gathered).await?,
        Some((_, prefix)) => by_name(&call, &request, prefix, &mut gathered).await?,
    };
    Ok(gathered.finish(ListUsersResponse {
        users: Vec::new(),
        next_page_token: next.as_ref().map(PageToken::write).unwrap_or_default(),
        // The most that its type holds.
        total_size: total.map(|total| i32::try_from(total).unwrap_or(i32::MAX)),
    }))
}

/// Where the next page begins, and how many users there are in all.
type Rest = (Option<PageToken>, Option<u64>);

async fn by_id<S: Store, P: Platform>(
    call: &Call<'_, S, P, ()>,
    request: &ListUsersRequest,
    gathered: &mut Gathered,
) -> Result<Rest, Problem> {
    let words = Vec::from_iter(request.order_by.split_whitespace());
    let order = match *words {
        [] | ["id"] => Order::Ascending,
        ["id", "desc"] => Order::Descending,
        _ => return Err(invalid("order_by", "must be id or id desc")),
    };
    let is_descending = order == Order::Descending;
    let after = match token(request)? {
        None => None,
        Some(PageToken::After { id, descending }) if descending == is_descending => Some(id),
        Some(_) => return Err(wrong_token()),
    };
    let page = call.directory.list(after, order, gathered).await?;
    let (platform, trace) = (call.directory.platform, &call.trace);
    let path = call.request.uri().path();
    log_unreadable(platform, trace, path, &page.unreadable);
    let next = page.next.map(|next| PageToken::After {
        id: next.get(),
        descending: is_descending,
    });
    Ok((next, known_total(platform, trace, path, page.total)?))
}

async fn by_name<S: Store, P: Platform>(
    call: &Call<'_, S, P, ()>,
    request: &ListUsersRequest,
    prefix: &str,
    gathered: &mut Gathered,
) -> Result<Rest, Problem> {
    check_unordered(request, "name_prefix")?;
    let prefix = NamePrefix::try_from(prefix).map_err(|rule| invalid("name_prefix", rule))?;
    let from = position(request, |position| position.is_within(&prefix))?;
    let found = call.directory.search(&prefix, from, gathered).await?;
    log_found(call, &found);
    Ok((found.next.map(PageToken::At), None))
}

async fn by_external_id<S: Store, P: Platform>(
    call: &Call<'_, S, P, ()>,
    request: &ListUsersRequest,
    external_id: &str,
    gathered: &mut Gathered,
) -> Result<Rest, Problem> {
    check_unordered(request, "external_id")?;
    let external_id = ExternalId::try_from(external_id.to_owned())
        .map_err(|rule| invalid("external_id", rule))?;
    let from = position(request, Position::is_of_ids)?;
    let is_first = from.is_none();
    let found = call
        .directory
        .find_by_external_id(&external_id, from, gathered)
        .await?;
    log_found(call, &found);
    let is_whole = is_first && found.next.is_none();
    let total = is_whole.then_some(gathered.count as u64);
    Ok((found.next.map(PageToken::At), total))
}

fn check_unordered(request: &ListUsersRequest, member: &str) -> Result<(), Problem> {
    match request.order_by.trim() {
        "" => Ok(()),
        _ => Err(invalid("order_by", format!("does not go with {member}"))),
    }
}

/// Where a search goes on, if `belongs` says that it is a position of this search.
fn position(
    request: &ListUsersRequest,
    belongs: impl Fn(&Position) -> bool,
) -> Result<Option<Position>, Problem> {
    match token(request)? {
        None => Ok(None),
        Some(PageToken::At(position)) if belongs(&position) => Ok(Some(position)),
        Some(_) => Err(wrong_token()),
    }
}

fn log_found<S: Store, P: Platform>(call: &Call<'_, S, P, ()>, found: &Found) {
    let path = call.request.uri().path();
    log_unreadable(
        call.directory.platform,
        &call.trace,
        path,
        &found.unreadable,
    );
}

/// The user that is looked up by its email or its username, if there is one.
async fn alone(
    request: &ListUsersRequest,
    found: impl Future<Output = Result<Option<User>, Error>>,
    gathered: &mut Gathered,
) -> Result<Rest, Problem> {
    if token(request)?.is_some() {
        return Err(wrong_token());
    }
    if let Some(user) = found.await? {
        gathered.push(user);
    }
    Ok((None, Some(gathered.count as u64)))
}

/// How many users the page may have (AIP-158: more than the most means the most).
fn limit<S, P>(call: &Call<'_, S, P, ()>, request: &ListUsersRequest) -> Result<usize, Problem> {
    let limit = match u64::try_from(request.page_size) {
        Ok(0) => call.configuration.page_size,
        Ok(limit) => limit.min(Configuration::MAX_PAGE_SIZE),
        Err(_) => return Err(invalid("page_size", "must not be negative")),
    };
    Ok(limit as usize)
}

fn token(request: &ListUsersRequest) -> Result<Option<PageToken>, Problem> {
    match &*request.page_token {
        "" => Ok(None),
        text => PageToken::read(text).map(Some).ok_or_else(wrong_token),
    }
}

fn wrong_token() -> Problem {
    let rule = "must be a next_page_token of a page with the same members";
    invalid("page_token", rule)
}
