//! Makes types of the proto files, and of each file its descriptor.
//!
//! The types of the service also get the attributes by which serde makes JSON of them as
//! protobuf's JSON mapping has it: names in lower camel case, 64-bit integers as strings, no
//! members that have their defaults. What is read may have either spelling of a name.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::Context;
use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet};

const FILES: [&str; 4] = [
    "edgeusers/v1/users.proto",
    "google/rpc/status.proto",
    "grpc/health/v1/health.proto",
    "grpc/reflection/v1/reflection.proto",
];

const V1ALPHA: &str = "grpc/reflection/v1alpha/reflection.proto";

/// The packages whose messages have a JSON mapping here.
const WITH_JSON: [&str; 2] = ["edgeusers.v1", "grpc.health.v1"];

fn main() -> anyhow::Result<()> {
    for folder in ["edgeusers", "google", "grpc"] {
        println!("cargo::rerun-if-changed={folder}");
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").context("cargo sets OUT_DIR")?);
    let derived = derive_v1alpha(&out)?;
    let files = FILES.into_iter().map(PathBuf::from);
    let files = files.chain([derived.join(V1ALPHA)]);
    let set = protox::compile(files, [Path::new("."), &derived])?;
    write_descriptors(&set, &out)?;

    let mut config = prost_build::Config::new();
    config
        .extern_path(".google.protobuf.Struct", "crate::Struct")
        .btree_map(["."])
        .skip_debug(["."])
        .disable_comments(["."])
        .include_file("packages.rs");
    for file in &set.file {
        if WITH_JSON.contains(&file.package()) {
            // What has a oneof is mapped in src/json.rs.
            let messages = file.message_type.iter();
            for message in messages.filter(|message| !has_oneof(message)) {
                map_to_json(&mut config, file, message);
            }
        }
    }
    // The same messages are sent by either name.
    let files = set.file.into_iter();
    let file = files.filter(|file| file.package() != "grpc.reflection.v1alpha");
    config.compile_fds(FileDescriptorSet {
        file: file.collect(),
    })?;
    Ok(())
}

/// Writes the older version of the reflection protocol.
fn derive_v1alpha(out: &Path) -> anyhow::Result<PathBuf> {
    let v1 = fs::read_to_string("grpc/reflection/v1/reflection.proto")?;
    let root = out.join("proto");
    let path = root.join(V1ALPHA);
    fs::create_dir_all(path.parent().context("it is in a folder")?)?;
    let package = "package grpc.reflection.v1";
    let v1alpha = v1.replace(&format!("{package};"), &format!("{package}alpha;"));
    fs::write(path, v1alpha)?;
    Ok(root)
}

/// Writes the descriptor of each file that the reflection service knows: those of services, and
/// the files that they import.
fn write_descriptors(set: &FileDescriptorSet, out: &Path) -> anyhow::Result<()> {
    let mut list = String::from("&[\n");
    for file in &set.file {
        if file.package() == "google.rpc" || needed_by_it_alone(file.name()) {
            continue;
        }
        let path = out.join(format!("{}.bin", file.name().replace('/', "-")));
        let bare = FileDescriptorProto {
            source_code_info: None,
            ..file.clone()
        };
        fs::write(&path, bare.encode_to_vec())?;
        writeln!(list, "    File {{")?;
        writeln!(list, "        name: {:?},", file.name())?;
        writeln!(list, "        imports: &{:?},", file.dependency)?;
        writeln!(list, "        symbols: &{:?},", symbols(file))?;
        writeln!(list, "        descriptor: include_bytes!({path:?}),")?;
        writeln!(list, "    }},")?;
    }
    list.push_str("]\n");
    fs::write(out.join("files.rs"), list)?;
    Ok(())
}

fn needed_by_it_alone(name: &str) -> bool {
    matches!(
        name,
        "google/protobuf/any.proto" | "google/protobuf/duration.proto"
    )
}

/// The names that a file declares and that clients ask for: services, their methods, messages and
/// enumerations.
fn symbols(file: &FileDescriptorProto) -> Vec<String> {
    let package = file.package();
    let mut symbols = Vec::new();
    for service in &file.service {
        let name = format!("{package}.{}", service.name());
        let methods = service.method.iter();
        symbols.extend(methods.map(|method| format!("{name}.{}", method.name())));
        symbols.push(name);
    }
    for message in &file.message_type {
        add_symbols(&mut symbols, package, message);
    }
    for enumeration in &file.enum_type {
        symbols.push(format!("{package}.{}", enumeration.name()));
    }
    symbols.sort();
    symbols
}

fn add_symbols(symbols: &mut Vec<String>, scope: &str, message: &DescriptorProto) {
    let name = format!("{scope}.{}", message.name());
    for inner in &message.nested_type {
        add_symbols(symbols, &name, inner);
    }
    for enumeration in &message.enum_type {
        symbols.push(format!("{name}.{}", enumeration.name()));
    }
    symbols.push(name);
}

/// An optional field is in a oneof of its own, for older clients.
fn has_oneof(message: &DescriptorProto) -> bool {
    let mut oneofs = message.oneof_decl.iter();
    oneofs.any(|oneof| !oneof.name().starts_with('_'))
}

/// Gives a message what makes JSON of it.
fn map_to_json(
    config: &mut prost_build::Config,
    file: &FileDescriptorProto,
    message: &DescriptorProto,
) {
    let path = format!(".{}.{}", file.package(), message.name());
    let is_read = !message.name().ends_with("Response");
    let is_sent = !message.name().ends_with("Request");
    if is_sent {
        config.message_attribute(&path, "#[derive(serde::Serialize)]");
    }
    if is_read {
        config.message_attribute(&path, "#[derive(serde::Deserialize)]");
        config.message_attribute(&path, "#[serde(default, deny_unknown_fields)]");
    }
    config.message_attribute(&path, "#[serde(rename_all = \"camelCase\")]");
    for field in &message.field {
        let path = format!("{path}.{}", field.name());
        for attribute in json_attributes(field, is_read, is_sent) {
            config.field_attribute(&path, format!("#[serde({attribute})]"));
        }
    }
}

fn json_attributes(field: &FieldDescriptorProto, is_read: bool, is_sent: bool) -> Vec<String> {
    let mut attributes = Vec::new();
    if is_read && field.name().contains('_') {
        attributes.push(format!("alias = {:?}", field.name()));
    }
    let optional = field.proto3_optional();
    let repeated = field.label() == Label::Repeated;
    let codec = match (field.r#type(), repeated, optional) {
        (Type::Uint64, false, _) => Some("uint64"),
        (Type::Uint64, true, _) => Some("uint64s"),
        // An integer of 32 bits is written as serde does.
        (Type::Int32, ..) if is_read && !optional => Some("int32"),
        (Type::Enum, ..) => Some("serving_status"),
        (Type::Message, ..) => match field.type_name() {
            ".google.protobuf.Timestamp" => Some("timestamp"),
            ".google.protobuf.FieldMask" => Some("field_mask"),
            // It has a reader of its own.
            ".google.protobuf.Struct" => None,
            // A message is written as serde does. No request has many of one field.
            _ => (!repeated).then_some("message"),
        },
        _ => None,
    };
    if let Some(codec) = codec {
        if is_read {
            attributes.push(format!("deserialize_with = \"crate::json::{codec}::read\""));
        }
        if is_sent && !matches!(codec, "int32" | "message") {
            attributes.push(format!("serialize_with = \"crate::json::{codec}::write\""));
        }
    }
    if is_sent {
        attributes.push("skip_serializing_if = \"crate::json::is_default\"".to_owned());
    }
    attributes
}
