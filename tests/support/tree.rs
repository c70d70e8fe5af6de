//! A whole folder as one text, for snapshots.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Every file below `folder` in the order of their paths: text in full, anything else as its size and a checksum.
pub fn print(folder: &Path) -> String {
    let mut out = String::new();
    for (path, bytes) in files(folder) {
        match std::str::from_utf8(&bytes) {
            Ok(text) if !text.contains('\0') => {
                let _ = writeln!(out, "=== {path}");
                out.push_str(text);
                if !text.ends_with('\n') {
                    out.push_str("\n(no newline at the end)\n");
                }
            }
            _ => {
                let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
                    (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
                });
                let _ = writeln!(out, "=== {path} ({} bytes, fnv {sum:016x})", bytes.len());
            }
        }
    }
    out
}

/// Every file's path below `folder`, with `/`, and content; sorted.
pub fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    files_but(folder, &[])
}

/// The same without some folders, which are not looked into.
pub fn files_but(folder: &Path, left_out: &[&str]) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    visit(folder, "", left_out, &mut found);
    found.sort();
    found
}

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(fs::copy(&path, &to).unwrap()),
        }
    }
}

fn visit(folder: &Path, prefix: &str, left_out: &[&str], found: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let entry = entry.expect("an entry");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().expect("a type").is_dir() {
            if !left_out.contains(&name.as_str()) {
                visit(&entry.path(), &format!("{name}/"), left_out, found);
            }
        } else {
            found.push((name, fs::read(entry.path()).expect("a readable file")));
        }
    }
}
