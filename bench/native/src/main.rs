//! `GET /users/{id}` and `POST /users` as one would write them natively, on axum:
//! with SQLite, as durable as edge-host's store, or with a map in memory.
//!
//! - `user`: a user, and the members that clients set
//! - `sqlite`, `memory`: where the users are

mod memory;
mod sqlite;
mod user;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::{Json, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Router, serve};
use clap::Parser;
use serde_json::json;
use tokio::net::TcpListener;

use memory::Memory;
use sqlite::Sqlite;
use user::{NewUser, User};

#[derive(Parser)]
struct Arguments {
    /// Where to listen
    #[arg(long)]
    listen: SocketAddr,

    /// The SQLite file; without it, the users are in memory
    #[arg(long, value_name = "FILE")]
    database: Option<PathBuf>,

    /// How many users there are at least, before the first request
    #[arg(long, default_value_t = 0)]
    users: u64,
}

/// Where the users are.
enum Users {
    Memory(Memory),
    Sqlite(Sqlite),
}

/// Why there is no user to answer.
enum Refusal {
    EmailTaken,
    Failed(anyhow::Error),
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let users = match &arguments.database {
        Some(file) => Users::Sqlite(Sqlite::open(file, arguments.users)?),
        None => Users::Memory(Memory::with_users(arguments.users)),
    };
    let router = Router::new()
        .route("/users", post(create))
        .route("/users/{id}", get(read))
        .with_state(Arc::new(users));
    let listener = TcpListener::bind(arguments.listen).await?;
    let listener = listener.tap_io(|stream| {
        stream.set_nodelay(true).ok();
    });
    serve(listener, router).await?;
    Ok(())
}

async fn read(State(users): State<Arc<Users>>, Path(id): Path<u64>) -> Result<Response, Refusal> {
    let user = match users.as_ref() {
        Users::Memory(memory) => memory.get(id),
        // Right on this thread: it takes microseconds, all of it in memory.
        Users::Sqlite(sqlite) => sqlite.get(id).map_err(Refusal::Failed)?,
    };
    Ok(match user {
        Some(user) => Json(user).into_response(),
        None => problem(StatusCode::NOT_FOUND, "User not found"),
    })
}

async fn create(
    State(users): State<Arc<Users>>,
    Json(new): Json<NewUser>,
) -> Result<Response, Refusal> {
    if !(1..=200).contains(&new.name.trim().chars().count()) {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        return Ok(problem(status, "The name must have 1 to 200 characters"));
    }
    let user: User = match users.as_ref() {
        Users::Memory(memory) => memory.create(new)?,
        Users::Sqlite(sqlite) => sqlite.create(new).await?,
    };
    let location = [(header::LOCATION, format!("/users/{}", user.id))];
    Ok((StatusCode::CREATED, location, Json(user)).into_response())
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Refusal::EmailTaken => problem(StatusCode::CONFLICT, "Email taken"),
            Refusal::Failed(error) => {
                eprintln!("Error: {error:#}");
                problem(StatusCode::SERVICE_UNAVAILABLE, "The store failed")
            }
        }
    }
}

fn problem(status: StatusCode, title: &str) -> Response {
    let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
    let problem = json!({ "title": title, "status": status.as_u16() });
    (status, media_type, problem.to_string()).into_response()
}
