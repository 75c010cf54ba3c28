//! Has tonic make a client of the proto files.

fn main() -> anyhow::Result<()> {
    let root = "../../proto";
    println!("cargo::rerun-if-changed={root}");
    let files = [
        "edgeusers/v1/users.proto",
        "google/rpc/status.proto",
        "grpc/health/v1/health.proto",
        "grpc/reflection/v1/reflection.proto",
    ];
    let set = protox::compile(files, [root])?;
    tonic_prost_build::configure()
        .build_server(false)
        .include_file("packages.rs")
        .compile_fds(set)?;
    Ok(())
}
