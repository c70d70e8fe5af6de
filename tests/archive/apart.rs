//! What is written lies apart from what is read, and from one another: an archive in no library, no backup and no other
//! archive, an export in none of these; whichever way their folders are named.

use std::fs;
use std::path::Path;

use super::crash::library_of;
use crate::program::Program;
use crate::support::backup::{Layout, wrap};
use crate::support::{Schema, tree};

const WHY: &str = "what is read is never written to";

/// A library with attachments, a backup of it, and two archives of it.
fn place() -> Program {
    let program = Program::in_memory();
    let path = |below: &str| program.path().join(below);
    fs::create_dir(path("Library")).unwrap();
    library_of(Schema::OSX_10_10, &path("Library/Messages"), 12);
    wrap(&path("Library/Messages"), None, &path("backup"), Layout::default());
    for archive in ["first", "second"] {
        program.run(&["archive", archive, "-s", "Library/Messages"]).with_code(0);
    }
    #[cfg(unix)]
    for (link, to) in [("to-library", "Library/Messages"), ("to-backup", "backup"), ("to-archive", "first")] {
        std::os::unix::fs::symlink(to, path(link)).unwrap();
    }
    program
}

/// Everything that is there but for who held a lock last.
fn files(place: &Path) -> Vec<(String, Vec<u8>)> {
    let folders = ["Library/Messages", "backup", "first", "second"];
    let mut files: Vec<_> = folders.iter().flat_map(|folder| tree::files(&place.join(folder))).collect();
    files.retain(|(path, _)| !path.starts_with("lock"));
    files
}

/// Each of these command lines is refused, with this word; and nothing at all is made.
#[track_caller]
fn are_refused(program: &Program, refused: &[(&str, &str)]) {
    let (was, folders) = (files(program.path()), names(program.path()));
    for (line, why) in refused {
        let arguments: Vec<&str> = line.split(' ').collect();
        let ran = program.run(&arguments);
        assert_eq!(ran.code, Some(1), "{line}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(why), "{line}: {}", ran.err);
        assert!(ran.err.contains("hint: choose a folder outside of it"), "{line}: {}", ran.err);
        assert!(files(program.path()) == was, "{line}: something was written");
        assert_eq!(names(program.path()), folders, "{line}");
    }
}

/// What lies in these folders, empty folders too.
fn names(place: &Path) -> Vec<String> {
    let mut names = Vec::new();
    for folder in ["", "Library/Messages", "Library/Messages/Attachments", "backup", "first", "second"] {
        let entries = fs::read_dir(place.join(folder)).unwrap().flatten();
        names.extend(entries.map(|entry| entry.path().display().to_string()));
    }
    names.sort();
    names
}

#[test]
fn an_archive_lies_in_nothing_that_is_read() {
    let program = place();
    let mut refused = vec![
        ("archive Library/Messages/mine -s Library/Messages", WHY),
        ("archive Library/Messages/mine/deep -s Library/Messages/chat.db", WHY),
        ("archive Library/Messages/Attachments/mine -s Library/Messages", WHY),
        ("archive new/../Library/Messages/mine -s Library/Messages", WHY),
        ("archive Library/Messages/mine -s Library/Messages --dry-run", WHY),
        ("archive Library/Messages/mine -s second -s Library/Messages", WHY),
        ("archive backup/mine -s backup", WHY),
        ("archive first/mine -s first", WHY),
        ("archive first/mine -s Library/Messages", "an archive holds nothing but what its runs put there"),
        ("archive first/Attachments/mine -s Library/Messages --dry-run", "an archive holds nothing but"),
    ];
    if cfg!(unix) {
        refused.extend([
            ("archive to-library/mine -s Library/Messages", WHY),
            ("archive Library/Messages/mine -s to-library", WHY),
            ("archive to-backup/mine -s backup", WHY),
            ("archive to-archive/mine -s Library/Messages", "an archive holds nothing but"),
        ]);
    }
    are_refused(&program, &refused);
}

#[test]
fn an_export_lies_in_nothing_that_is_read() {
    let program = place();
    let archive = "an archive holds nothing but what its runs put there";
    let mut refused = vec![
        ("export -f csv -s Library/Messages -o Library/Messages/out", WHY),
        ("export -f csv -s Library/Messages -o Library/Messages --into-existing", WHY),
        ("export -f csv -s backup -o backup/out", WHY),
        ("export -f csv -s second -s Library/Messages -o Library/Messages/out", WHY),
        ("export -f csv -s first -o first/out", WHY),
        ("export -f csv -s first -o first --into-existing", WHY),
        ("export -f csv -s Library/Messages -o first/out", archive),
        ("export -f csv -s Library/Messages -o first/Attachments/out --into-existing", archive),
    ];
    if cfg!(unix) {
        refused.extend([
            ("export -f csv -s Library/Messages -o to-library/out", WHY),
            ("export -f csv -s Library/Messages -o to-archive/out", archive),
        ]);
    }
    are_refused(&program, &refused);
}

/// Before anything is archived: a night that can only fail half the way is none.
#[test]
fn an_export_that_is_kept_up_lies_apart_from_its_archive() {
    let program = place();
    let archive = "an archive holds nothing but what its runs put there";
    are_refused(
        &program,
        &[
            ("archive new -s Library/Messages --export csv --out new/out", archive),
            ("archive new -s Library/Messages --export csv --out new", archive),
            ("archive first -s Library/Messages --export csv --out ./first/out", archive),
            ("archive first -s Library/Messages --export csv --out second/out", archive),
            ("archive first -s Library/Messages --export csv --out Library/Messages/out", WHY),
            ("archive first -s backup --export csv --out backup/out", WHY),
            ("archive out/new -s Library/Messages --export csv --out out", "an export holds nothing else"),
        ],
    );
}

/// A copy is its owner's, as is the folder that it is in.
#[test]
fn a_copy_of_a_library_may_have_all_beside_it() {
    let program = place();
    tree::copy(&program.path().join("Library/Messages"), &program.path().join("old"));
    for source in ["old", "old/chat.db"] {
        program.run(&["archive", "old/archive", "-s", source]).with_code(0);
        program.run(&["export", "-f", "csv", "-s", source, "-o", "old/out"]).with_code(0);
    }
    program.run(&["archive", "Library/archive", "-s", "Library/Messages"]).with_code(0);
    // It may be anybody's.
    fs::write(program.path().join("archive.json"), "{}").unwrap();
    program.run(&["export", "-f", "csv", "-s", "old", "-o", "out"]).with_code(0);
}
