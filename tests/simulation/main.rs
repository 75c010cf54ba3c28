//! The service under every schedule and every fault: the real handlers on a
//! simulated store, several clients at once, one store operation at a time.
//!
//! - [`store`], [`backend`], [`operation`]: Spin's SQLite, Redis and DynamoDB stores, as they behave
//! - [`transcript`]: the store and its operations, as people read them
//! - [`client`]: the store, the clock and the random numbers as the service sees them
//! - [`automaton`]: what the service does next, as far as it was seen before
//! - [`conditions`]: clocks that differ, a slow store, late reads; and what is promised under them
//! - [`scheduler`], [`choice`]: runs clients as it is told, and lets operations fail and instances die
//! - [`observer`], [`violation`]: promises that hold after every single write, and a broken one
//! - [`request`], [`history`]: the requests of clients, the answers, and their times
//! - [`model`], [`linearizability`]: a directory that serves one request after the other, and
//!   whether it can explain the answers
//! - [`scenario`]: the requests of each client, and the judgement at the end
//! - [`meetings`], [`repeats`], [`explore`], [`pairs`]: every order of a few requests' steps, with every fault
//! - [`usernames`]: the same for users who want a username, or an email and a username
//! - [`upserts`]: the same for users who are changed if they are there, and made otherwise
//! - [`scim`]: the same for changes by SCIM beside changes by REST
//! - [`names`]: the same for searches by name, with a small index
//! - [`sorting`]: the same for lists of everyone in the order of names, and the reverse of it
//! - [`updates`]: the same for lists of everyone in the order of last changes, and the reverse of it
//! - [`words`]: the same for searches by words, while the first of them makes the index
//! - [`external_ids`]: the same for users with one external id
//! - [`attributes`]: the same for values in attributes
//! - [`groups`], [`group_words`]: the same for groups, and who is in them; for searches for groups
//! - [`many`]: searches among thousands
//! - [`random`]: many requests, in random order, with random faults
//! - [`scripts`], [`leftovers`]: runs with fixed steps
//! - [`contention`]: long changes beside short ones
//! - [`forgotten`]: no part of a name stays in the index after its user
//! - [`sabotage`], [`saboteur`], [`broken`]: every deliberate fault is noticed
//! - [`counts`]: how many store operations each request makes

mod attributes;
mod automaton;
mod backend;
mod broken;
mod choice;
mod client;
mod conditions;
mod contention;
mod counts;
mod explore;
mod external_ids;
mod forgotten;
mod group_words;
mod groups;
mod history;
mod leftovers;
mod linearizability;
mod many;
mod meetings;
mod model;
mod names;
mod observer;
mod operation;
mod pairs;
mod promises;
mod random;
mod repeats;
mod request;
mod sabotage;
mod saboteur;
mod scenario;
mod scheduler;
mod scim;
mod scripts;
mod sorting;
mod store;
mod transcript;
mod updates;
mod upserts;
mod usernames;
mod violation;
mod words;
