# Everything a person does with this repository, on a machine that has rustup, make and a C compiler.

LISTEN ?= 127.0.0.1:3000
AUTH ?= off
SECONDS ?= 60
EXAMPLES ?= 20000
ROUNDS ?= 5
COMPONENT = target/wasm32-wasip1/release/edge_users.wasm
GROUPS_COMPONENT = target/wasm32-wasip1/release/edge_users_groups.wasm
RPC_COMPONENT = target/wasm32-wasip1/release/edge_users_rpc.wasm
SCIM_COMPONENT = target/wasm32-wasip1/release/edge_users_scim.wasm
ADMIN_COMPONENT = target/wasm32-wasip1/release/edge_users_admin.wasm
HOST = target/host/edge-host
REDOCLY = 2.77.0

# A version whose checks and configuration are known.
CARGO_DENY = 0.20.2

# Native code is built with one profile and the same features, so that nothing is compiled twice.
NATIVE = --profile host --workspace

# The conversations that any service can have.
URL_TESTS = bulk_delete:: description:: emails:: export:: finding:: group_files:: groups:: idempotency:: import:: json:: limits:: negotiation:: patch:: \
	preconditions:: search:: tracing:: upserts:: users::

.PHONY: help run test test-url simulate torture fleet fleet-torture fuzz fuzz-parsers browser interop check-deploy lint-api audit bench costs service components programs build check target size

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: service ## Build what is missing and serve on 127.0.0.1:3000 to everybody (LISTEN=address:port, AUTH=token)
	@examples/run $(LISTEN) $(AUTH)

test: check build ## Check format and lints, run all tests
	cargo test $(NATIVE)

test-url: ## Run the tests that need only a URL: URL=http://…, and EDGE_USERS_TOKEN; they leave users behind there
	@test -n "$(URL)" || { echo "usage: make test-url URL=http://127.0.0.1:3000"; exit 2; }
	EDGE_USERS_URL=$(URL) cargo test $(NATIVE) --test conversations -- $(URL_TESTS) --skip not_by_url
	@test -z "$$EDGE_USERS_TOKEN" || { echo "SKIPPED: the tests of procedure calls, which send no token"; exit 0; }; \
	EDGE_USERS_URL=$(URL) cargo test $(NATIVE) --test rpc -- --skip not_by_url

simulate: ## Run the service through 200,000 simulated schedules of requests, failures and crashes
	cargo test $(NATIVE) --test simulation -- --ignored --skip seed --nocapture

torture: build ## Load, kill and restart the service for 60 s (SECONDS=n SEED=n), then check every promise
	TORTURE_SECONDS=$(SECONDS) TORTURE_SEED=$(SEED) \
		cargo test $(NATIVE) --test torture -- --ignored --nocapture every_promise_is_kept

fleet: service ## Serve from three hosts on one Redis behind nginx, on 127.0.0.1:3000 (LISTEN=127.0.0.1:port)
	@examples/fleet $(LISTEN)

fleet-torture: build ## Do the same to a fleet, to its Redis as well, and restart its hosts one by one (SECONDS=n SEED=n)
	TORTURE_SECONDS=$(SECONDS) TORTURE_SEED=$(SEED) \
		cargo test $(NATIVE) --test torture -- --ignored --nocapture a_fleet

fuzz: build ## Send 20,000 requests made by Schemathesis from the description (EXAMPLES=n SEED=n); needs python3
	@EXAMPLES=$(EXAMPLES) SEED=$(SEED) tests/fuzz/run

interop: build ## Generate clients from the description and talk to the service with them; needs python3 and node
	@tests/interop/run

browser: build ## Use the page for administrators in headless Chromium; needs chromium, chromium-driver and npm
	@command -v chromedriver >/dev/null || { echo "SKIPPED: the page in a browser, for it needs chromium and chromium-driver"; exit 0; }; \
	tests/browser/install && \
	cargo fmt --manifest-path tests/browser/Cargo.toml --check && \
	cargo clippy --manifest-path tests/browser/Cargo.toml --target-dir target/browser --tests -- -D warnings && \
	cargo test --manifest-path tests/browser/Cargo.toml --target-dir target/browser -- --test-threads 2

check-deploy: ## Check what deploy/ has for systemd, Docker and Kubernetes; needs python3
	@tests/deploy/run

lint-api: build ## Check the description of the interface with Redocly's linter; needs node
	target/host/examples/openapi > target/openapi.json
	npx --yes @redocly/cli@$(REDOCLY) lint --extends recommended target/openapi.json

fuzz-parsers: target ## Send the parsers what is nearly right for 60 s (SECONDS=n)
	FUZZ_SECONDS=$(SECONDS) cargo test $(NATIVE) --test parsers -- --ignored

audit: ## Check dependencies: advisories, licences, sources (builds cargo-deny if it is not installed)
	@PATH="$$PATH:$(CURDIR)/target/tools/bin"; \
	command -v cargo-deny >/dev/null || \
		cargo install --locked --version $(CARGO_DENY) --root target/tools cargo-deny || exit; \
	if cargo deny --workspace fetch 2>/dev/null; then cargo deny --workspace check; else \
		echo "SKIPPED: advisories, for they come from the network"; \
		cargo deny --workspace --offline check bans licenses sources; fi

bench: SECONDS = 1
bench: build ## Measure the service beside others for some 12 minutes, write bench/RESULTS.md (ROUNDS=n SECONDS=n)
	cargo build --target wasm32-wasip1 --release -p edge-users-floor-fixed -p edge-users-floor-one-read
	cargo build --release --manifest-path bench/native/Cargo.toml --target-dir target/bench/native
	@target/host/edge-users-bench --rounds $(ROUNDS) --seconds $(SECONDS)

costs: target ## Record what requests cost in instructions and store operations: bench/costs.toml
	cargo build --target wasm32-wasip1 --release -p edge-users-component -p edge-users-groups-component
	RECORD_COSTS=1 cargo test $(NATIVE) --test costs

# Both at once: where one waits for its last crate, the other has work.
service: target
	@$(MAKE) --no-print-directory -j2 components programs

components:
	cargo build --target wasm32-wasip1 --release -p edge-users-component -p edge-users-groups-component -p edge-users-rpc-component -p edge-users-scim-component -p edge-users-admin-component

programs:
	cargo build $(NATIVE) --bin edge-host --bin edge-users

build: target ## Build the components, the embedded host, the client and all other programs
	cargo build --target wasm32-wasip1 --release -p edge-users-component -p edge-users-groups-component -p edge-users-rpc-component -p edge-users-scim-component -p edge-users-admin-component -p edge-users-greeting -p edge-host-probe -p edge-host-probe-concurrent
	cargo build $(NATIVE) --bins --examples

check: target
	cargo fmt --all --check
	cargo clippy --target wasm32-wasip1 --release -p edge-users -p edge-users-component -p edge-users-groups-component -p edge-users-rpc-component -p edge-users-scim-component -p edge-users-admin-component -p edge-users-greeting -p edge-host-probe -p edge-host-probe-concurrent -- -D warnings
	cargo clippy $(NATIVE) --all-targets -- -D warnings

target:
	@test -d "$$(rustc --print target-libdir --target wasm32-wasip1)" || rustup target add wasm32-wasip1

size: build ## Show the sizes of the components in bytes
	@wc -c $(COMPONENT) $(GROUPS_COMPONENT) $(RPC_COMPONENT) $(SCIM_COMPONENT) $(ADMIN_COMPONENT)
