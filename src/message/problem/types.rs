//! The types of problems. Each has a page that says what happened and what the client can do
//! (RFC 9457, section 3.1.1).

use http::StatusCode;

/// A type of problems.
#[derive(Debug)]
pub struct ProblemType {
    /// The last segment of its URL, `/problems/{slug}`.
    pub slug: &'static str,
    pub status: StatusCode,
    pub title: &'static str,
    /// What happened.
    pub meaning: &'static str,
    /// What the client can do.
    pub remedy: &'static str,
}

/// Declares each type as a constant, and all of them as [`ALL`].
macro_rules! problem_types {
    ($($name:ident = $status:ident $slug:literal $title:literal, $meaning:literal, $remedy:literal;)*) => {
        $(pub const $name: &ProblemType = &ProblemType {
            slug: $slug,
            status: StatusCode::$status,
            title: $title,
            meaning: $meaning,
            remedy: $remedy,
        };)*

        /// Every type, ordered by status.
        pub const ALL: &[&ProblemType] = &[$($name),*];
    };
}

problem_types! {
    MALFORMED_TARGET = BAD_REQUEST "malformed-target" "Malformed target",
        "The target of the request is not a path.",
        "Send a path that begins with a slash, with anything unusual percent-encoded.";
    MALFORMED_HEADER = BAD_REQUEST "malformed-header" "Malformed header",
        "A header does not have the form that its standard requires.",
        "Correct the header that the detail names, or leave it out.";
    MALFORMED_JSON = BAD_REQUEST "malformed-json" "Malformed JSON",
        "The body is not JSON. The detail says where the error is.",
        "Send one JSON value, in UTF-8.";
    AMBIGUOUS_JSON = BAD_REQUEST "ambiguous-json" "Ambiguous JSON",
        "The body is JSON that programs read differently (RFC 7493): an object has a name twice, or a number is larger than any double. The list errors names the member, by its JSON Pointer.",
        "Correct the member in errors.";
    MALFORMED_PATCH = BAD_REQUEST "malformed-patch" "Malformed patch",
        "The body is JSON, but not a JSON Patch, which is an array of operations (RFC 6902).",
        "Correct the patch, or send a merge patch as application/merge-patch+json.";
    INCOMPLETE_BODY = BAD_REQUEST "incomplete-body" "Incomplete body",
        "The body ended before all of it had arrived. Nothing was changed.",
        "Send the request again.";
    INVALID_QUERY = BAD_REQUEST "invalid-query" "Invalid query",
        "A parameter of the query is unknown, is given twice, or has a value that breaks a rule. The detail names it.",
        "Correct the parameter, or leave it out.";
    AUTHENTICATION_REQUIRED = UNAUTHORIZED "authentication-required" "Authentication required",
        "The request has no token, and this resource requires one.",
        "Send the header Authorization: Bearer with a token. The operator makes tokens with edge-users token new; tokens of the issuer that the service trusts are accepted, too.";
    INVALID_TOKEN = UNAUTHORIZED "invalid-token" "Invalid token",
        "The token of the request is malformed, unknown or not valid now. The detail says why.",
        "Get a new token: from the operator, who makes one with edge-users token new, or from the issuer that the service trusts.";
    INSUFFICIENT_SCOPE = FORBIDDEN "insufficient-scope" "Insufficient scope",
        "The token is valid, but does not allow this request. The detail names the scope that is required.",
        "Use a token with that scope.";
    SWITCHED_OFF = FORBIDDEN "switched-off" "Switched off",
        "The token is that of a user who is switched off: its member active is false. Nothing was changed.",
        "Ask an administrator to switch the user on, or use a token with the scope read or write.";
    PROTECTED_MEMBER = FORBIDDEN "protected-member" "Protected member",
        "A user may not change this member of itself. The detail and the list errors name the member. Nothing was changed.",
        "Send the member as it is, or use a token with the scope write.";
    NOT_FOUND = NOT_FOUND "not-found" "Not found",
        "No resource has this path.",
        "See /docs for all paths.";
    USER_NOT_FOUND = NOT_FOUND "user-not-found" "User not found",
        "No user has this id: it was never given, or its user was deleted.",
        "Look the user up by email or username, or in the list of users.";
    GROUP_NOT_FOUND = NOT_FOUND "group-not-found" "Group not found",
        "No group has this id: it was never given, or its group was deleted.",
        "Look the group up by name, or in the list of groups.";
    METHOD_NOT_ALLOWED = METHOD_NOT_ALLOWED "method-not-allowed" "Method not allowed",
        "The resource exists, but does not have this method.",
        "Use one of the methods that the Allow header lists.";
    NOT_ACCEPTABLE = NOT_ACCEPTABLE "not-acceptable" "Not acceptable",
        "The resource has no representation with a media type that the Accept header allows.",
        "Send no Accept header, or one that allows the media type in the detail.";
    EMAIL_TAKEN = CONFLICT "email-taken" "Email taken",
        "Another user has this email. Emails that differ in case, in the form of characters or in how the domain is written are the same.",
        "Use another email, or change that user first.";
    USERNAME_TAKEN = CONFLICT "username-taken" "Username taken",
        "Another user has this username. Usernames that differ in case or in the form of characters are the same.",
        "Use another username, or change that user first.";
    SEVERAL_MATCHES = CONFLICT "several-matches" "Several matches",
        "Several users have this external id, so it does not say which of them is meant. Nothing was changed.",
        "Look at the users with GET /users?external_id=, and change one of them by its id. Give the others another external id.";
    GROUP_NAME_TAKEN = CONFLICT "group-name-taken" "Group name taken",
        "Another group has this name. Names that differ in case or in the form of characters are the same.",
        "Use another name, or look the group up by its name.";
    TOO_MANY_GROUPS = CONFLICT "too-many-groups" "Too many groups",
        "The user is in 1,000 groups, and a user can be in no more.",
        "Remove the user from another group first.";
    IDEMPOTENCY_IN_PROGRESS = CONFLICT "idempotency-in-progress" "Request in progress",
        "Another request with this Idempotency-Key runs, or died less than a minute ago.",
        "Repeat the request with the same key after the time in Retry-After.";
    PATCH_CONFLICT = CONFLICT "patch-conflict" "Patch conflict",
        "An operation of the patch can't be applied to the user as it is: its path doesn't exist, or its test failed. Nothing was changed.",
        "Get the user, and make a patch that fits it.";
    USER_GONE = GONE "user-gone" "User gone",
        "The user that was created with this Idempotency-Key has been deleted since.",
        "Choose a new key to create another user.";
    PRECONDITION_FAILED = PRECONDITION_FAILED "precondition-failed" "Precondition failed",
        "The resource is not in the state that If-Match or If-None-Match requires. Nothing was changed.",
        "Get the resource again, and repeat the change for its new version.";
    BODY_TOO_LARGE = PAYLOAD_TOO_LARGE "body-too-large" "Body too large",
        "The body has more bytes than the service reads.",
        "Send less. Many users at once go to /users/import, line by line.";
    TARGET_TOO_LONG = URI_TOO_LONG "target-too-long" "Target too long",
        "The path and the query have more bytes than the service reads.",
        "Ask for less at once.";
    UNSUPPORTED_MEDIA_TYPE = UNSUPPORTED_MEDIA_TYPE "unsupported-media-type" "Unsupported media type",
        "The body has a media type or a charset that the resource does not accept.",
        "Send a media type that the detail names, and name it in Content-Type.";
    UNSUPPORTED_CONTENT_CODING = UNSUPPORTED_MEDIA_TYPE "unsupported-content-coding" "Unsupported content coding",
        "The body is compressed, and the service accepts no compressed bodies.",
        "Send the body uncompressed, without Content-Encoding.";
    MISDIRECTED = MISDIRECTED_REQUEST "misdirected" "Misdirected request",
        "The service is open to everybody, so it answers only requests to localhost and to allowed names. The host name of the request is not one of them.",
        "Send the request to localhost. The operator can allow other names in the variable allowed_hosts, or set auth to token.";
    INVALID_USER = UNPROCESSABLE_ENTITY "invalid-user" "Invalid user",
        "Members of the user break a rule. The list errors names each member, by its JSON Pointer. Nothing was changed.",
        "Correct the members in errors.";
    INVALID_BATCH = UNPROCESSABLE_ENTITY "invalid-batch" "Invalid batch",
        "The body is not a list of users as the resource takes it, or an element of the list breaks a rule. The list errors names each, by its JSON Pointer. Nothing was changed.",
        "Correct the body as errors says.";
    INVALID_GROUP = UNPROCESSABLE_ENTITY "invalid-group" "Invalid group",
        "Members of the group, or of the changes of its users, break a rule. The list errors names each member, by its JSON Pointer. Nothing was changed.",
        "Correct the members in errors.";
    IDEMPOTENCY_KEY_REUSED = UNPROCESSABLE_ENTITY "idempotency-key-reused" "Idempotency-Key reused",
        "This Idempotency-Key was sent with another body in the last 24 hours. Nothing was changed.",
        "Choose a new key for each user, and repeat a request with the body that it had.";
    BODY_TOO_COMPLEX = UNPROCESSABLE_ENTITY "body-too-complex" "Body too complex",
        "The body has more levels, or more members and elements, than the service reads. Nothing was changed.",
        "Send less at once, or less nested.";
    PRECONDITION_REQUIRED = PRECONDITION_REQUIRED "precondition-required" "Precondition required",
        "This service changes and deletes users only with an If-Match header.",
        "Get the user, and send its ETag as If-Match.";
    TOO_MANY_REQUESTS = TOO_MANY_REQUESTS "too-many-requests" "Too many requests",
        "The client has made as many requests as it may in this minute. Nothing was changed.",
        "Repeat the request after the time in Retry-After. The header RateLimit says how many requests are left.";
    HEADER_TOO_LARGE = REQUEST_HEADER_FIELDS_TOO_LARGE "header-too-large" "Header too large",
        "The header fields have more bytes than the service reads.",
        "Send fewer or shorter header fields.";
    UNREADABLE = INTERNAL_SERVER_ERROR "unreadable" "Stored value unreadable",
        "The store has a value that this version of the service can't read. The value was not changed.",
        "Tell the operator: the log has the key of the value.";
    MISCONFIGURED = SERVICE_UNAVAILABLE "misconfigured" "Misconfigured",
        "A variable of the operator's configuration can't be read. Until it is corrected, the service answers no requests for users. /readyz names the variable and its rule.",
        "Tell the operator to correct the variable.";
    STORE_UNAVAILABLE = SERVICE_UNAVAILABLE "store-unavailable" "Store unavailable",
        "The store failed. A change may or may not have been made.",
        "Repeat the request after the time in Retry-After, or check whether the change was made.";
    KEYS_UNAVAILABLE = SERVICE_UNAVAILABLE "keys-unavailable" "Keys unavailable",
        "The keys of the issuer that the service trusts are not available, so its tokens can't be verified.",
        "Repeat the request after the time in Retry-After.";
    CONTENDED = SERVICE_UNAVAILABLE "contended" "Too many concurrent changes",
        "Too many requests changed the same user, email or username at the same time. This change may or may not have been made.",
        "Repeat the request after the time in Retry-After, or check whether the change was made.";
    INDEXING = SERVICE_UNAVAILABLE "indexing" "Index being made",
        "The index that this search needs is being made. The detail says how many users, or groups, it has so far. Each search goes on with it.",
        "Repeat the request after the time in Retry-After, until it is answered.";
    EXHAUSTED = INSUFFICIENT_STORAGE "exhausted" "Exhausted",
        "The directory, or this user, has reached a limit of the storage format.",
        "Tell the operator.";
}

impl ProblemType {
    /// The type of that slug.
    pub fn find(slug: &str) -> Option<&'static ProblemType> {
        ALL.iter().copied().find(|known| known.slug == slug)
    }

    /// Its URL, which is the path of its page.
    pub fn url(&self) -> String {
        format!("/problems/{}", self.slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_names_one_type() {
        for known in ALL {
            let found = ProblemType::find(known.slug).unwrap();
            assert_eq!((found.title, found.status), (known.title, known.status));
        }
    }
}
