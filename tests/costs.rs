//! What requests cost on every machine alike, in WebAssembly instructions and store
//! operations, held to what `bench/costs.toml` records. Each is answered by a new
//! instance, as on Spin, and `/healthz` tells what that alone costs.
//!
//! `make costs` records what they cost now: that is for a change which is worth what
//! it costs, or which makes something cheaper.

mod support;

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use edge_host::{Host, UpOptions, VariableSource};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use support::{Answer, Send, Service, path, root, start_host_with, variable};

/// How far instructions may be from what is recorded, unnoticed.
const TOLERANCE: f64 = 0.05;

/// How far instructions differ from run to run: times and random numbers have more digits or
/// fewer. So close to what is recorded, the record stays, and is the same each time.
const NOISE: f64 = 0.01;

/// How often each request is made. Some take a little more than others, as a number
/// in them has more digits: the one in the middle counts.
const TIMES: usize = 9;

/// How long an instance may take to go.
const INSTANCE_TIME_LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Costs {
    request: Vec<Cost>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cost {
    name: String,
    instructions: u64,
    store_operations: u64,
}

impl Cost {
    /// How many more instructions it takes than another, as a part of those.
    fn change_from(&self, was: &Cost) -> f64 {
        self.instructions as f64 / was.instructions as f64 - 1.0
    }
}

fn file() -> PathBuf {
    root().join("bench/costs.toml")
}

#[test]
fn a_request_costs_what_is_recorded() {
    let measured = measure();
    let text = std::fs::read_to_string(file()).expect("costs are recorded");
    let recorded: Costs = toml::from_str(&text).expect("the file is well-formed");
    if std::env::var_os("RECORD_COSTS").is_some() {
        record(measured, &recorded);
        return;
    }
    let names = |costs: &Costs| Vec::from_iter(costs.request.iter().map(|cost| cost.name.clone()));
    assert_eq!(names(&recorded), names(&measured));
    for (is, was) in measured.request.iter().zip(&recorded.request) {
        let change = is.change_from(was);
        assert!(
            change.abs() <= TOLERANCE && is.store_operations == was.store_operations,
            "{}: {} instructions and {} store operations, {} and {} are recorded ({:+.1} %); \
             if it has to be so, record it: make costs",
            is.name,
            is.instructions,
            is.store_operations,
            was.instructions,
            was.store_operations,
            change * 100.0,
        );
    }
}

/// Writes what was measured, but for what is as it was.
fn record(mut measured: Costs, recorded: &Costs) {
    for cost in &mut measured.request {
        let mut before = recorded.request.iter();
        if let Some(was) = before.find(|was| was.name == cost.name)
            && cost.change_from(was).abs() <= NOISE
        {
            cost.instructions = was.instructions;
        }
    }
    let text = toml::to_string(&measured).expect("costs are a table");
    let head = "# What requests cost, on every machine alike. Written by `make costs`;\n\
                # tests/costs.rs holds the service to it.\n\n";
    std::fs::write(file(), format!("{head}{text}")).expect("the file can be written");
}

fn measure() -> Costs {
    let mut request = measure_users();
    request.extend(measure_lists());
    Costs { request }
}

/// What is done with users where there is no index but that of names.
fn measure_users() -> Vec<Cost> {
    let meter = Meter::start(Vec::new());
    let service = &meter.service;
    let profile = |number: usize| {
        let (name, email) = (
            format!("User {number:07}"),
            format!("user{number:07}@example.com"),
        );
        json!({ "name": name, "email": email })
    };
    let users: Vec<String> = (100..200)
        .map(|number| path(&service.create(profile(number))))
        .collect();
    // The first delete sets up the ledger, the first pages settle what was created.
    service.delete(&users[99]);
    for _ in 0..10 {
        service.get("/users?limit=100");
    }
    let tag = |user: &str| {
        let answer = service.get(user);
        answer.header("etag").expect("a user has a tag").to_owned()
    };
    let tags: Vec<String> = users[..20].iter().map(|user| tag(user)).collect();
    let conditional = |method, number: usize, header| {
        let request = service.request(method, &users[number]);
        request.header(header, &tags[number])
    };
    vec![
        meter.cost("/healthz", 200, &|_| service.get("/healthz")),
        meter.cost("get by id", 200, &|_| service.get(&users[50])),
        meter.cost("get by id, Connect", 200, &|_| {
            let id = users[50].trim_start_matches("/users/");
            let request = service.request("POST", "/edgeusers.v1.UserService/GetUser");
            request.json(&json!({ "id": id })).answer_of_call()
        }),
        meter.cost("get by id, 404", 404, &|_| service.get("/users/1000000")),
        meter.cost("get by id, 304", 304, &|number| {
            conditional("GET", number, "if-none-match").answer()
        }),
        meter.cost("get by email", 200, &|_| {
            service.get("/users?email=user0000150@example.com")
        }),
        meter.cost("page of 50", 200, &|_| service.get("/users?limit=50")),
        meter.cost("create", 201, &|number| {
            service.post("/users", profile(1000 + number))
        }),
        meter.cost("update of the name, If-Match", 200, &|number| {
            let renamed = json!({ "name": format!("Renamed {number:07}") });
            conditional("PATCH", number, "if-match")
                .header("content-type", "application/merge-patch+json")
                .body(renamed.to_string())
                .answer()
        }),
        meter.cost("update, If-Match", 200, &|number| {
            let visited = json!({ "attributes": { "visits": 1_000_000 + number } });
            conditional("PATCH", 10 + number, "if-match")
                .header("content-type", "application/merge-patch+json")
                .body(visited.to_string())
                .answer()
        }),
        // Users of various leaves of the index of names. The delete of a user whose name is the bound
        // of a leaf takes some eleven store operations more, which few users of a leaf are.
        meter.cost("delete", 204, &|number| {
            service.delete(&users[55 + 5 * number])
        }),
    ]
}

/// Searches, and groups.
fn measure_lists() -> Vec<Cost> {
    let meter = Meter::start(vec![variable("indexed_attributes", "team")]);
    let service = &meter.service;
    let users: Vec<Value> = (100..200)
        .map(|number| {
            let name = format!("Ada {number} Lovelace");
            service.create(json!({ "name": name, "attributes": { "team": "blue" } }))
        })
        .collect();
    let id = |number: usize| &users[number]["id"];
    let group = service.post("/groups", json!({ "name": "Staff" }));
    assert_eq!(group.status, 201, "{}", group.body);
    let group = group.header("location").expect("a location");
    let members = format!("{group}/members");
    let add = json!({ "add": Vec::from_iter((0..80).map(id)) });
    assert_eq!(service.post(&members, add).status, 200);
    for number in 10..50 {
        let group = service.post("/groups", json!({ "name": format!("Team {number}") }));
        assert_eq!(group.status, 201, "{}", group.body);
    }
    let by_word = "/users?q=lovelace&limit=20";
    let groups_by_word = "/groups?q=team&limit=20";
    let by_attribute = "/users?attributes.team=blue&limit=20";
    let sorted = "/users?sort=name&limit=50";
    // The first ones make the indexes.
    for path in [by_word, by_attribute, sorted, groups_by_word] {
        for _ in 0..10 {
            service.get(path);
        }
    }
    vec![
        meter.cost("find 20 by a word", 200, &|_| service.get(by_word)),
        meter.cost("find 20 by an attribute", 200, &|_| {
            service.get(by_attribute)
        }),
        meter.cost("page of 50, sorted by name", 200, &|_| service.get(sorted)),
        meter.cost("get a group", 200, &|_| service.get(group)),
        meter.cost("find 20 groups by a word", 200, &|_| {
            service.get(groups_by_word)
        }),
        meter.cost("add a member", 204, &|number| {
            let path = format!("{members}/{}", id(80 + number));
            service.put(&path, Value::Null)
        }),
        meter.cost("list 50 members", 200, &|_| {
            service.get(&format!("{members}?limit=50"))
        }),
    ]
}

struct Meter {
    service: Service,
    host: Host,
}

impl Meter {
    fn start(variables: Vec<VariableSource>) -> Meter {
        let host = start_host_with(UpOptions {
            count_instructions: true,
            state_dir: Some(PathBuf::new()),
            // As Spin has it. It also makes the instructions of each request known.
            max_instance_reuse_count: 1,
            variables,
            ..UpOptions::default()
        });
        let service = Service::of(&host);
        Meter { service, host }
    }

    /// What a request costs that is answered with that status. It is told how often it
    /// was made before.
    fn cost(&self, name: &str, status: u16, request: &dyn Fn(usize) -> Answer) -> Cost {
        let costs = (0..TIMES).map(|number| {
            let operations = self.host.store_operations();
            let instructions = self.instructions();
            let answer = request(number);
            assert_eq!(answer.status, status, "{name}: {}", answer.body);
            let operations = self.host.store_operations() - operations;
            // The instance goes right after it has answered.
            let deadline = Instant::now() + INSTANCE_TIME_LIMIT;
            while self.instructions() == instructions {
                assert!(Instant::now() < deadline, "{name}: its instance stays");
                sleep(Duration::from_millis(1));
            }
            (self.instructions() - instructions, operations.total())
        });
        let (mut instructions, mut operations): (Vec<_>, Vec<_>) = costs.unzip();
        instructions.sort();
        operations.sort();
        Cost {
            name: name.to_owned(),
            instructions: instructions[TIMES / 2],
            store_operations: operations[TIMES / 2],
        }
    }

    fn instructions(&self) -> u64 {
        self.host.instructions().expect("they are counted")
    }
}
