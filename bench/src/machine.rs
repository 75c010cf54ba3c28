//! The machine and the versions of the programs.

use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::place::Place;

/// The machine, and the versions of everything.
pub struct Machine {
    pub date: String,
    /// Names and versions, in the order in which they are shown.
    pub facts: Vec<(&'static str, String)>,
}

impl Machine {
    /// The machine that this runs on.
    pub fn of(place: &Place) -> Result<Machine> {
        let processors = std::thread::available_parallelism()?;
        let model = field("/proc/cpuinfo", "model name").unwrap_or("unknown".to_owned());
        let memory = field("/proc/meminfo", "MemTotal").unwrap_or_default();
        let memory = memory.trim_end_matches("kB").trim().parse::<f64>();
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let mut facts = vec![
            ("processor", format!("{model}, {processors} of it")),
            (
                "memory",
                format!("{:.0} GiB", memory.unwrap_or_default() / f64::from(1 << 20)),
            ),
            ("kernel", format!("Linux {}", kernel.trim())),
            // The load of the machine; the benchmark itself makes it about 3.
            ("load average at the end", load.trim().to_owned()),
            ("code", commit(place)),
            ("rustc", first_line("rustc", &["--version"])),
            (
                "wrk",
                first_line(&place.wrk.to_string_lossy(), &["--version"]),
            ),
        ];
        if place.article.is_some() {
            facts.push(("go", first_line("go", &["version"])));
        }
        for (name, program) in [("wasmtime", &place.wasmtime), ("spin", &place.spin)] {
            if let Some(program) = program {
                let version = first_line(&program.to_string_lossy(), &["--version"]);
                facts.push((name, version));
            }
        }
        Ok(Machine {
            date: first_line("date", &["-u", "+%Y-%m-%d %H:%M UTC"]),
            facts,
        })
    }
}

/// The value of the first line `name: value` of a file.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn commit(place: &Place) -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(&place.root)
            .args(arguments)
            .output();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    // The benchmark's own files are no change of the code.
    let changes = git(&[
        "status",
        "--porcelain",
        "--",
        ":!bench/RESULTS.md",
        ":!bench/*.svg",
    ]);
    let changed = if changes.is_empty() { "" } else { ", changed" };
    format!("{}{changed}", git(&["rev-parse", "--short=12", "HEAD"]))
}

/// The first line that a program prints, wherever it does so.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        return "unknown".to_owned();
    };
    let printed = [output.stdout, output.stderr].concat();
    let printed = String::from_utf8_lossy(&printed);
    printed
        .lines()
        .next()
        .unwrap_or("unknown")
        .trim()
        .to_owned()
}
