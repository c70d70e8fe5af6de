use std::time::SystemTime;

use tempfile::TempDir;

use std::collections::BTreeMap;
use std::io::Write;

use super::*;

fn out() -> (TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let out = home.path().join("out");
    (home, out)
}

fn put(staging: &Staging, path: &str, text: &str) -> FileRecord {
    let mut file = staging.create(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.finish().unwrap()
}

/// An export of these files, with the manifest that names them.
fn export(out: &Path, files: &[(&str, &str)]) {
    let staging = Staging::begin(out, Others::Refused).unwrap();
    fill(&staging, files);
    staging.publish(rank).unwrap();
}

fn fill(staging: &Staging, files: &[(&str, &str)]) {
    let written: Vec<_> = files.iter().map(|(p, t)| put(staging, p, t)).collect();
    let list = |records: &[FileRecord]| -> Vec<_> {
        records
            .iter()
            .map(|r| serde_json::json!({"path": r.path, "bytes": r.bytes, "sha256": r.sha256}))
            .collect()
    };
    let manifest = serde_json::json!({
        "tool": "msgarchive 0.0.0", "files": list(&written), "kept": list(&staging.kept(&written)),
    });
    put(staging, MANIFEST, &manifest.to_string());
}

fn rank(path: &str) -> u8 {
    if path == MANIFEST { 2 } else { 1 }
}

/// Every file with its text, hidden folders too.
fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_str().unwrap().replace('\\', "/");
                found.insert(name, fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    found.remove(MANIFEST);
    found
}

fn names(folder: &Path) -> Vec<String> {
    tree(folder).into_keys().collect()
}

#[test]
fn a_file_is_hashed_while_it_is_written() {
    let (_home, out) = out();
    let staging = Staging::begin(&out, Others::Refused).unwrap();
    let record = put(&staging, "a/b.txt", "abc");
    assert_eq!(record.path, "a/b.txt");
    assert_eq!(record.bytes, 3);
    assert_eq!(record.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    // Small, large and buffer-sized pieces make the same file as one piece.
    let text: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
    let mut whole = staging.create("whole").unwrap();
    whole.write_all(&text).unwrap();
    let mut pieces = staging.create("pieces").unwrap();
    let mut rest = &text[..];
    for size in [1, 10, 131_071, 1, 131_072, 200_000, 3].iter().cycle() {
        let (piece, tail) = rest.split_at((*size).min(rest.len()));
        pieces.put(piece).unwrap();
        rest = tail;
        assert_eq!(pieces.position() as usize, text.len() - rest.len());
        if rest.is_empty() {
            break;
        }
    }
    let (whole, pieces) = (whole.finish().unwrap(), pieces.finish().unwrap());
    assert_eq!((whole.bytes, &whole.sha256), (pieces.bytes, &pieces.sha256));
    assert_eq!(fs::read(staging.root().join("pieces")).unwrap(), text);
    let copy = hash_file(&staging.root().join("pieces")).unwrap();
    assert_eq!(hexadecimal(&copy.sha256), pieces.sha256);
}

#[test]
fn nothing_is_seen_before_it_is_published_and_everything_after() {
    let (home, out) = out();
    let staging = Staging::begin(&out, Others::Refused).unwrap();
    fill(&staging, &[("a.txt", "a"), ("attachments/x/1.bin", "1")]);
    assert!(names(&out).iter().all(|n| n.starts_with(PREFIX)));
    staging.publish(rank).unwrap();
    drop(staging);
    assert_eq!(names(&out), ["a.txt", "attachments/x/1.bin"]);
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3, "nothing hidden stays");
    drop(home);
}

#[cfg(unix)]
#[test]
fn files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, out) = out();
    export(&out, &[("attachments/x/1.bin", "1")]);
    let mode = |p: &str| fs::metadata(out.join(p)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(""), 0o700);
    assert_eq!(mode("attachments"), 0o700);
    assert_eq!(mode("attachments/x"), 0o700);
    assert_eq!(mode("attachments/x/1.bin"), 0o600);
    assert_eq!(mode(MANIFEST), 0o600);
}

#[test]
fn dropping_leaves_nothing() {
    let (home, out) = out();
    let deep = out.join("a/b");
    let staging = Staging::begin(&deep, Others::Refused).unwrap();
    let file = staging.create("x/half").unwrap();
    put(&staging, "whole", "whole");
    let half = staging.root().join("x/half");
    assert!(half.exists());
    drop(file);
    assert!(!half.exists(), "a file that is not finished goes");
    drop(staging);
    assert!(!out.exists(), "and so does the folder made for it");

    export(&out, &[("a.txt", "old")]);
    let before = tree(&out);
    let staging = Staging::begin(&out, Others::Refused).unwrap();
    put(&staging, "a.txt", "new");
    drop(staging);
    assert_eq!(tree(&out), before);
    drop(home);
}

#[test]
fn a_later_run_replaces_what_is_ours_and_keeps_the_rest_listed() {
    let (_home, out) = out();
    export(&out, &[("a.txt", "1"), ("b.txt", "1")]);
    export(&out, &[("a.txt", "2"), ("a.csv", "2")]);
    assert_eq!(tree(&out)["a.txt"], "2");
    assert_eq!(names(&out), ["a.csv", "a.txt", "b.txt"]);
    // A third one does not take b.txt for somebody's.
    export(&out, &[("a.pdf", "3")]);
    assert_eq!(names(&out), ["a.csv", "a.pdf", "a.txt", "b.txt"]);
    let staging = Staging::begin(&out, Others::Refused).unwrap();
    let kept: Vec<_> = staging.kept(&[]).into_iter().map(|f| f.path).collect();
    assert_eq!(kept, ["a.csv", "a.pdf", "a.txt", "b.txt"]);
    fs::remove_file(out.join("b.txt")).unwrap();
    assert_eq!(staging.kept(&[]).len(), 3, "what is gone is not kept");
}

#[test]
fn foreign_files_are_refused_and_never_touched() {
    let (_home, out) = out();
    export(&out, &[("a.txt", "1")]);
    fs::write(out.join(".DS_Store"), "").unwrap();
    Staging::begin(&out, Others::Refused).unwrap();
    fs::create_dir_all(out.join("mine/empty")).unwrap();
    Staging::begin(&out, Others::Refused).unwrap();
    fs::write(out.join("mine/thesis.txt"), "precious").unwrap();
    let refused = Staging::begin(&out, Others::Refused).unwrap_err();
    assert!(matches!(&refused, DiskError::Foreign { path, .. } if path == "mine/thesis.txt"), "{refused}");
    // With leave they stay, even where one is in the way.
    let staging = Staging::begin(&out, Others::Allowed).unwrap();
    put(&staging, "b.txt", "2");
    put(&staging, "mine/thesis.txt", "2");
    let refused = staging.publish(rank).unwrap_err();
    assert!(matches!(refused, DiskError::InTheWay { .. }), "{refused}");
    drop(staging);
    assert_eq!(names(&out), [".DS_Store", "a.txt", "mine/thesis.txt"]);
    assert_eq!(tree(&out)["mine/thesis.txt"], "precious");
}

/// Whoever puts files beside an export that is kept up must not stop it; where there is none, they are asked first.
#[test]
fn files_of_others_hold_up_only_what_begins() {
    let (_home, out) = out();
    fs::create_dir(&out).unwrap();
    fs::write(out.join("mine.txt"), "precious").unwrap();
    for refused in [Staging::begin(&out, Others::BesideAnExport).map(drop), Staging::may_begin(&out)] {
        assert!(
            matches!(&refused, Err(DiskError::NoExport { path, .. }) if path == "mine.txt"),
            "{refused:?}"
        );
    }
    assert_eq!(names(&out), ["mine.txt"]);
    fs::remove_file(out.join("mine.txt")).unwrap();
    export(&out, &[("a.txt", "1"), ("b/c.txt", "1")]);
    assert_eq!(OthersFiles::beside(&out).unwrap(), OthersFiles::default());

    fs::create_dir_all(out.join("b/empty")).unwrap();
    fs::write(out.join(".DS_Store"), "").unwrap();
    for path in ["b/d.txt", "b/empty/e.txt", "mine.txt"] {
        fs::write(out.join(path), "precious").unwrap();
    }
    Staging::may_begin(&out).unwrap();
    let staging = Staging::begin(&out, Others::BesideAnExport).unwrap();
    put(&staging, "a.txt", "2");
    let others = OthersFiles { count: 3, first: "b/d.txt".into() };
    assert_eq!(staging.others().unwrap(), others);
    assert_eq!(OthersFiles::beside(&out).unwrap(), others);
    staging.publish(rank).unwrap();
    drop(staging);
    assert_eq!(names(&out), [".DS_Store", "a.txt", "b/c.txt", "b/d.txt", "b/empty/e.txt", "mine.txt"]);
    // In the way of a file none of them is written over.
    let staging = Staging::begin(&out, Others::BesideAnExport).unwrap();
    put(&staging, "mine.txt", "2");
    assert!(matches!(staging.publish(rank), Err(DiskError::InTheWay { .. })));
    drop(staging);
    assert_eq!(tree(&out)["mine.txt"], "precious");
}

/// A folder of somebody's that cannot be looked into is one of the things that are his; one with our files has to be read.
#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_looked_into_is_somebody_elses() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, out) = out();
    export(&out, &[("a.txt", "1"), ("ours/b.txt", "1")]);
    let close = |folder: &str, mode: u32| {
        fs::set_permissions(out.join(folder), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(out.join(".Trashes")).unwrap();
    close(".Trashes", 0);
    if fs::read_dir(out.join(".Trashes")).is_err() {
        let others = OthersFiles { count: 1, first: ".Trashes".into() };
        assert_eq!(OthersFiles::beside(&out).unwrap(), others);
        close("ours", 0);
        assert!(matches!(OthersFiles::beside(&out), Err(DiskError::Read { .. })));
        close("ours", 0o700);
    } else {
        // Nothing keeps the superuser out; an empty folder is nothing.
        assert_eq!(OthersFiles::beside(&out).unwrap(), OthersFiles::default());
    }
    close(".Trashes", 0o700);
}

#[test]
fn what_is_stale_goes_with_the_last_file() {
    let (home, out) = out();
    export(&out, &[("a.txt", "1"), ("x/b.txt", "1"), ("x/y/c.txt", "1"), ("z/d.txt", "1")]);
    fs::write(out.join("x/mine.txt"), "precious").unwrap();
    let stale = ["x/b.txt", "x/y/c.txt", "x/mine.txt", "gone.txt", "../a.txt"].map(str::to_owned);
    let staging = Staging::begin(&out, Others::Allowed).unwrap();
    fill(&staging, &[("a.txt", "2"), ("z/d.txt", "2")]);
    assert_eq!(tree(&out)["x/b.txt"], "1");
    staging.publish_without(&stale, rank).unwrap();
    drop(staging);
    assert_eq!(names(&out), ["a.txt", "x/mine.txt", "z/d.txt"]);
    assert!(!out.join("x/y").exists(), "nor the folder that is empty now");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);

    // Not beyond a link that stands where a folder was.
    #[cfg(unix)]
    {
        let elsewhere = home.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("d.txt"), "precious").unwrap();
        fs::remove_dir_all(out.join("z")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, out.join("z")).unwrap();
        let staging = Staging::begin(&out, Others::Allowed).unwrap();
        fill(&staging, &[("a.txt", "3")]);
        staging.publish_without(&["z/d.txt".to_owned()], rank).unwrap();
        assert_eq!(fs::read_to_string(elsewhere.join("d.txt")).unwrap(), "precious");
    }
}

#[test]
fn a_manifest_of_somebody_else_is_foreign() {
    let (_home, out) = out();
    fs::create_dir(&out).unwrap();
    fs::write(out.join(MANIFEST), r#"{"name": "an extension", "files": []}"#).unwrap();
    assert!(matches!(Staging::begin(&out, Others::Refused), Err(DiskError::Foreign { .. })));
    let staging = Staging::begin(&out, Others::Allowed).unwrap();
    put(&staging, MANIFEST, "{}");
    assert!(matches!(staging.publish(rank), Err(DiskError::InTheWay { .. })));
}

#[test]
fn a_folder_that_is_a_file_is_said_to_be_one() {
    let (_home, out) = out();
    fs::write(&out, "x").unwrap();
    assert!(matches!(Staging::begin(&out, Others::Allowed), Err(DiskError::NotAFolder { .. })));
    assert!(Staging::begin(&out.join("below"), Others::Allowed).is_err());
    assert_eq!(fs::read_to_string(&out).unwrap(), "x");
}

#[test]
fn a_folder_becomes_a_file_and_a_file_a_folder() {
    let (_home, out) = out();
    export(&out, &[("x/1", "1"), ("x/2", "1"), ("y", "1")]);
    export(&out, &[("x", "2"), ("y/1", "2")]);
    assert_eq!(names(&out), ["x", "y/1"]);
    export(&out, &[("x/1", "3"), ("y", "3")]);
    assert_eq!(names(&out), ["x/1", "y"]);
    // But not over the head of somebody's file.
    fs::write(out.join("x/mine"), "precious").unwrap();
    let staging = Staging::begin(&out, Others::Allowed).unwrap();
    put(&staging, "x", "4");
    assert!(matches!(staging.publish(rank), Err(DiskError::InTheWay { .. })));
    assert_eq!(names(&out).iter().filter(|n| !n.starts_with(PREFIX)).count(), 3);
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_a_symbolic_link() {
    use std::os::unix::fs::symlink;
    let (home, out) = out();
    let elsewhere = home.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join("a.txt"), "precious").unwrap();
    export(&out, &[("attachments/a.txt", "1"), ("b.txt", "1")]);

    fs::remove_dir_all(out.join("attachments")).unwrap();
    symlink(&elsewhere, out.join("attachments")).unwrap();
    fs::remove_file(out.join("b.txt")).unwrap();
    symlink(elsewhere.join("a.txt"), out.join("b.txt")).unwrap();
    for path in ["attachments/a.txt", "b.txt"] {
        let staging = Staging::begin(&out, Others::Allowed).unwrap();
        put(&staging, path, "2");
        let refused = staging.publish(rank).unwrap_err();
        assert!(matches!(refused, DiskError::SymbolicLink { .. }), "{refused}");
    }
    assert_eq!(fs::read_to_string(elsewhere.join("a.txt")).unwrap(), "precious");
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
}

#[test]
fn no_name_leaves_the_export() {
    let (_home, out) = out();
    let staging = Staging::begin(&out, Others::Refused).unwrap();
    for path in ["../x", "/x", "a/../../x", "a//b", ".", "", "a\\b", "c:x", "a/"] {
        assert!(matches!(staging.create(path), Err(DiskError::Name { .. })), "{path}");
    }
}

#[test]
fn a_killed_run_is_cleared_away_and_a_living_one_is_not() {
    let (_home, out) = out();
    let living = Staging::begin(&out, Others::Refused).unwrap();
    assert!(matches!(Staging::begin(&out, Others::Refused), Err(DiskError::Busy { .. })));
    put(&living, "a.txt", "1");
    drop(living);

    let dead = out.join(".msgarchive-abcDEF12");
    fs::create_dir_all(dead.join("out")).unwrap();
    fs::write(dead.join(LOCK), "4711").unwrap();
    fs::write(dead.join("out/half"), "half").unwrap();
    drop(Staging::begin(&out, Others::Refused).unwrap());
    assert!(!dead.exists());

    // Its guard does the same, and nothing else.
    fs::create_dir_all(dead.join("out")).unwrap();
    fs::write(dead.join(LOCK), "4711").unwrap();
    clear_away(&dead).unwrap();
    assert!(!dead.exists());
    clear_away(&dead).unwrap();
    let living = Staging::begin(&out, Others::Refused).unwrap();
    assert!(matches!(clear_away(living.hidden()), Err(DiskError::Busy { .. })));
    fs::create_dir_all(out.join("mine")).unwrap();
    assert!(matches!(clear_away(&out.join("mine")), Err(DiskError::Foreign { .. })));
    fs::remove_dir(out.join("mine")).unwrap();
    drop(living);

    // Only folders, only of our name, and only with what is ours in them.
    fs::create_dir(out.join(".msgarchive-settings")).unwrap();
    fs::write(out.join(".msgarchive-settings/mine"), "precious").unwrap();
    assert!(matches!(Staging::begin(&out, Others::Refused), Err(DiskError::Foreign { .. })));
    fs::create_dir(out.join(".msgarchive-mine")).unwrap();
    fs::write(out.join(".msgarchive-abcDEF12"), "a file").unwrap();
    assert!(matches!(Staging::begin(&out, Others::Refused), Err(DiskError::Foreign { .. })));
    drop(Staging::begin(&out, Others::Allowed).unwrap());
    assert_eq!(fs::read_dir(&out).unwrap().count(), 3);
    assert_eq!(tree(&out)[".msgarchive-settings/mine"], "precious");
}

#[test]
fn a_run_killed_while_it_published_leaves_no_foreigners() {
    let (_home, out) = out();
    export(&out, &[("a.txt", "1")]);
    // As it would look: some files in their place, a plan, no new manifest.
    let dead = out.join(".msgarchive-abcDEF12");
    fs::create_dir_all(&dead).unwrap();
    fs::write(dead.join(LOCK), "4711").unwrap();
    fs::write(dead.join(PLAN), r#"["a.txt","b.txt","c.txt","../d.txt"]"#).unwrap();
    fs::write(out.join("a.txt"), "newer").unwrap();
    fs::write(out.join("b.txt"), "new").unwrap();

    // The next run dies as well, before it publishes.
    let staging = Staging::begin(&out, Others::Refused).unwrap();
    assert_eq!(staging.others().unwrap(), OthersFiles::default());
    let plan = fs::read_to_string(staging.folder.path().join(PLAN)).unwrap();
    assert_eq!(plan, r#"["a.txt","b.txt"]"#);
    let kept = staging.kept(&[]);
    assert_eq!(kept.iter().map(|k| (&*k.path, k.bytes)).collect::<Vec<_>>(), [("a.txt", 5), ("b.txt", 3)]);
    drop(staging);
    fs::create_dir_all(&dead).unwrap();
    fs::write(dead.join(LOCK), "4711").unwrap();
    fs::write(dead.join(PLAN), plan).unwrap();

    export(&out, &[("c.csv", "3")]);
    assert_eq!(names(&out), ["a.txt", "b.txt", "c.csv"]);
    export(&out, &[("c.csv", "4")]);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_finished_is_taken_back() {
    use std::os::unix::fs::PermissionsExt;
    let (_home, out) = out();
    export(&out, &[("a.txt", "1"), ("m/x.txt", "1"), ("z/z.txt", "1")]);
    let before = tree(&out);
    let closed = out.join("z");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o500)).unwrap();
    if File::create(closed.join("probe")).is_ok() {
        // The superuser is not kept out: a mount point in the way would be needed.
        fs::remove_file(closed.join("probe")).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        let staging = Staging::begin(&out, Others::Refused).unwrap();
        fill(&staging, &[("a.txt", "2"), ("m/x.txt/y", "2"), ("n/y.txt", "2"), ("z/z.txt", "2")]);
        let mut moves = super::publish::Moves::new(&out, staging.aside("before").unwrap());
        for path in ["a.txt", "m/x.txt/y", "n/y.txt"] {
            moves.put(&staging.root().join(path), path).unwrap();
        }
        assert_eq!(tree(&out)["a.txt"], "2");
        moves.put(&staging.root().join("gone"), "z/z.txt").unwrap_err();
        assert!(moves.take_back());
    } else {
        let staging = Staging::begin(&out, Others::Refused).unwrap();
        fill(&staging, &[("a.txt", "2"), ("m/x.txt/y", "2"), ("n/y.txt", "2"), ("z/z.txt", "2")]);
        let failed = staging.publish(rank).unwrap_err();
        assert!(matches!(failed, DiskError::Write { .. }), "{failed}");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
    }
    assert_eq!(tree(&out), before);
    assert!(!out.join("n").exists());
}

/// A run that could publish only half, and take back nothing: `before` is where it had put the files of the export before.
fn half_published(out: &Path) -> PathBuf {
    let dead = out.join(".msgarchive-abcDEF12");
    let before = dead.join("aside/before");
    fs::create_dir_all(before.join("m")).unwrap();
    fs::create_dir_all(dead.join("aside/incoming")).unwrap();
    fs::create_dir_all(dead.join(TREE)).unwrap();
    fs::write(dead.join(TREE).join("b.txt"), "new").unwrap();
    fs::write(dead.join(LOCK), "").unwrap();
    fs::write(dead.join(PLAN), r#"["a.txt","b.txt","m/x.txt","manifest.json"]"#).unwrap();
    for path in ["a.txt", "m/x.txt", "manifest.json"] {
        fs::rename(out.join(path), before.join(path)).unwrap();
    }
    fs::remove_dir(out.join("m")).unwrap();
    fs::write(out.join("a.txt"), "new").unwrap();
    // As a lock that nobody holds is known.
    let old = SystemTime::now() - Duration::from_secs(3600);
    File::open(dead.join(LOCK)).unwrap().set_modified(old).unwrap();
    before
}

#[test]
fn what_was_put_aside_goes_back_where_nothing_is_in_its_place() {
    let (_home, out) = out();
    export(&out, &[("a.txt", "1"), ("m/x.txt", "1")]);
    let manifest = fs::read(out.join("manifest.json")).unwrap();
    let back = |was: &str| {
        assert_eq!(fs::read(out.join("manifest.json")).unwrap(), manifest, "{was}");
        assert_eq!(fs::read_to_string(out.join("m/x.txt")).unwrap(), "1", "{was}");
        assert_eq!(fs::read_to_string(out.join("a.txt")).unwrap(), "new", "{was}");
    };
    // By the program that waits beside a run; what has no place stays.
    let before = half_published(&out);
    clear_away(&out.join(".msgarchive-abcDEF12")).unwrap();
    back("cleared away");
    assert_eq!(fs::read_to_string(before.join("a.txt")).unwrap(), "1");
    assert!(!out.join(".msgarchive-abcDEF12/out").exists());
    assert!(!out.join(".msgarchive-abcDEF12/aside/incoming").exists());
    fs::remove_dir_all(out.join(".msgarchive-abcDEF12")).unwrap();
    // By the next run, which knows all of it for its own.
    half_published(&out);
    Staging::may_begin(&out).unwrap();
    back("asked");
    fs::remove_dir_all(out.join(".msgarchive-abcDEF12")).unwrap();
    half_published(&out);
    drop(Staging::begin(&out, Others::Refused).unwrap());
    back("begun");
    assert!(!out.join(".msgarchive-abcDEF12").exists());
    // Of a run that is done nothing is missing.
    let before = half_published(&out);
    fs::remove_file(out.join(".msgarchive-abcDEF12").join(PLAN)).unwrap();
    super::set_aside::put_back(&out.join(".msgarchive-abcDEF12"), &out).unwrap();
    assert!(before.join("m/x.txt").exists() && !out.join("m").exists());
}

#[test]
fn what_could_not_be_taken_back_is_kept_and_named() {
    let (_home, out) = out();
    export(&out, &[("a.txt", "1"), ("b.txt", "1")]);
    let staging = Staging::begin(&out, Others::Refused).unwrap();
    fill(&staging, &[("a.txt", "2"), ("b.txt", "2")]);
    let before = staging.aside("before").unwrap();
    let mut moves = super::publish::Moves::new(&out, before.clone());
    moves.put(&staging.root().join("a.txt"), "a.txt").unwrap();
    // Something that cannot be replaced by a file stands in its place.
    fs::remove_file(out.join("a.txt")).unwrap();
    fs::create_dir_all(out.join("a.txt/somebody's")).unwrap();
    assert!(!moves.take_back());
    staging.folder.stay();
    let hidden = staging.hidden().to_owned();
    drop(staging);
    assert_eq!(fs::read_to_string(before.join("a.txt")).unwrap(), "1");
    assert!(!hidden.join(TREE).exists(), "what was new goes");
    assert!(!super::in_use(&hidden));
}

#[test]
fn copies_are_hashed_and_errors_say_whose_they_are() {
    let (home, out) = out();
    let staging = Staging::begin(&out, Others::Refused).unwrap();
    let from = home.path().join("from");
    fs::write(&from, "abc").unwrap();
    let to = staging.path("a/to").unwrap();
    let copy = copy_hashed(&from, &to).unwrap();
    assert_eq!(copy, hash_file(&from).unwrap());
    assert_eq!(copy.bytes, 3);
    assert!(matches!(copy_hashed(&from, &to), Err(DiskError::Write { .. })), "it is there already");
    for missing in ["missing", "."] {
        let failed = copy_hashed(&home.path().join(missing), &staging.path("b").unwrap());
        assert!(matches!(failed, Err(DiskError::Read { .. })), "{missing}: {failed:?}");
        assert!(!staging.root().join("b").exists());
    }
    let mut reader: &[u8] = b"abc";
    let written = write_hashed(&mut reader, Path::new("memory"), &staging.path("d").unwrap()).unwrap();
    assert_eq!(written, copy);
    struct Broken;
    impl io::Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::InvalidData.into())
        }
    }
    let failed = write_hashed(&mut Broken, Path::new("blob"), &staging.path("e").unwrap());
    assert!(matches!(failed, Err(DiskError::Read { .. })), "{failed:?}");
    assert!(!staging.root().join("e").exists());

    let when = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    set_modified(&to, when);
    assert_eq!(fs::metadata(&to).unwrap().modified().unwrap(), when);
}
