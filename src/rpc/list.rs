//! `ListUsers`: users by the page (AIP-132, AIP-158).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_users_proto::edgeusers::v1::{ListUsersRequest, ListUsersResponse};
use serde::{Deserialize, Serialize};

use super::code::invalid;
use super::unary::Reply;
use super::user::message;
use super::users::log_unreadable;
use crate::configuration::Configuration;
use crate::directory::{Order, Position};
use crate::folded_name::NamePrefix;
use crate::message::problem::Problem;
use crate::platform::Platform;
use crate::service::resource::Call;
use crate::store::Store;
use crate::user::{Email, User};

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

/// A page of users, and what is said of them all.
struct Page {
    users: Vec<User>,
    next: Option<PageToken>,
    total: Option<u64>,
}

pub async fn list_users<S: Store, P: Platform>(
    call: Call<'_, S, P, ()>,
    request: ListUsersRequest,
) -> Result<Reply<ListUsersResponse>, Problem> {
    let page = match (&request.email, &request.name_prefix) {
        (None, None) => by_id(&call, &request).await?,
        (Some(email), None) => by_email(&call, &request, email).await?,
        (None, Some(prefix)) => by_name(&call, &request, prefix).await?,
        (Some(_), Some(_)) => return Err(invalid("name_prefix", "does not go with email")),
    };
    // The most that its type holds.
    let total = page
        .total
        .map(|total| i32::try_from(total).unwrap_or(i32::MAX));
    let next = page.next.as_ref().map(PageToken::write);
    Ok(ListUsersResponse {
        users: page.users.into_iter().map(message).collect(),
        next_page_token: next.unwrap_or_default(),
        total_size: total,
    }
    .into())
}

async fn by_id<S: Store, P: Platform>(
    call: &Call<'_, S, P, ()>,
    request: &ListUsersRequest,
) -> Result<Page, Problem> {
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
    let page = call
        .directory
        .list(after, limit(call, request)?, order)
        .await?;
    log_unreadable(call, &page.unreadable);
    Ok(Page {
        users: page.users,
        next: page.next.map(|next| PageToken::After {
            id: next.get(),
            descending: is_descending,
        }),
        total: Some(page.total),
    })
}

async fn by_name<S: Store, P: Platform>(
    call: &Call<'_, S, P, ()>,
    request: &ListUsersRequest,
    prefix: &str,
) -> Result<Page, Problem> {
    if !request.order_by.trim().is_empty() {
        return Err(invalid("order_by", "does not go with name_prefix"));
    }
    let prefix = NamePrefix::try_from(prefix).map_err(|rule| invalid("name_prefix", rule))?;
    let from = match token(request)? {
        None => None,
        Some(PageToken::At(position)) if position.is_within(&prefix) => Some(position),
        Some(_) => return Err(wrong_token()),
    };
    let found = call
        .directory
        .search(&prefix, from, limit(call, request)?)
        .await?;
    log_unreadable(call, &found.unreadable);
    Ok(Page {
        users: found.users,
        next: found.next.map(PageToken::At),
        total: None,
    })
}

async fn by_email<S: Store, P: Platform>(
    call: &Call<'_, S, P, ()>,
    request: &ListUsersRequest,
    email: &str,
) -> Result<Page, Problem> {
    if token(request)?.is_some() {
        return Err(wrong_token());
    }
    limit(call, request)?;
    let email = Email::try_from(email.to_owned()).map_err(|rule| invalid("email", rule))?;
    let users = Vec::from_iter(call.directory.find(&email).await?);
    let total = Some(users.len() as u64);
    let next = None;
    Ok(Page { users, next, total })
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
