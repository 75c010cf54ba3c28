//! Prints the description of the interface (OpenAPI 3.1), for linters and for
//! generators of clients.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    io::stdout().write_all(&edge_users::rest::DESCRIPTION)
}
