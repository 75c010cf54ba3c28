//! Failures of a Redis server, in words for the operator.

use redis::{ErrorKind, RedisError};

/// How an error of a server lists the arguments of a command that it doesn't know. They may be
/// users, which a log must not have.
const ARGUMENTS: &str = ", with args beginning with";

/// The words for an error.
pub fn describe(error: &RedisError) -> String {
    if error.kind() == ErrorKind::AuthenticationFailed {
        return "the user or the password in the url of the runtime configuration is refused"
            .to_owned();
    }
    if error.is_connection_dropped() && !error.is_connection_refusal() {
        return format!("the connection broke: {error}");
    }
    let Some(code) = error.code() else {
        return error.to_string();
    };
    let detail = error.detail().unwrap_or_default();
    let detail = detail.split(ARGUMENTS).next().unwrap_or_default();
    match code {
        "NOAUTH" => "the url of the runtime configuration lacks a password".to_owned(),
        "ERR" => detail.to_owned(),
        code => format!("{code} {detail}"),
    }
}

#[cfg(test)]
mod tests {
    use redis::{Value, parse_redis_value};

    use super::*;

    fn described(reply: &str) -> String {
        let reply: Value = parse_redis_value(format!("-{reply}\r\n").as_bytes()).unwrap();
        describe(&reply.extract_error().unwrap_err())
    }

    #[test]
    fn errors_of_a_server_are_told_as_it_told_them() {
        assert_eq!(
            described("WRONGTYPE Operation against a key holding the wrong kind of value"),
            "WRONGTYPE Operation against a key holding the wrong kind of value"
        );
        assert_eq!(
            described("ERR value is not an integer or out of range"),
            "value is not an integer or out of range"
        );
        assert!(described("NOAUTH Authentication required.").contains("lacks a password"));
    }

    #[test]
    fn the_arguments_of_a_command_are_left_out() {
        let reply = "ERR unknown command 'EVAL', with args beginning with: 'user/1' 'Ada' ";
        assert_eq!(described(reply), "unknown command 'EVAL'");
    }
}
