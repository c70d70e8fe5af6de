//! The files of an archive beside its database, and its contents: whatever takes their place.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use super::add;
use super::damage::Kept;
use super::device::{DAY, Device};
use super::vouched::{Rich, failing};
use crate::program::Program;
use crate::support::Schema;

const START: i64 = 700_000_000;

/// What happens to a file.
#[derive(Debug, Clone)]
enum Harm {
    Flip {
        at: usize,
        bit: u8,
    },
    Cut(usize),
    Longer,
    Gone,
    /// Another file lies there, and it lies there.
    Swapped(PathBuf),
    /// It lies there under another name, too.
    Doubled,
    Folder,
    /// A link to the same bytes, within the archive or outside of it.
    #[cfg(unix)]
    Link {
        within: bool,
    },
    #[cfg(unix)]
    LinkToNothing,
}

/// What lies outside of the archive, and is nobody's business.
const OUTSIDE: &str = "outside";

impl Harm {
    /// All but flips and cuts.
    fn others() -> Vec<Harm> {
        let mut all = vec![Harm::Cut(0), Harm::Longer, Harm::Gone, Harm::Doubled, Harm::Folder];
        #[cfg(unix)]
        all.extend([Harm::Link { within: true }, Harm::Link { within: false }, Harm::LinkToNothing]);
        all
    }

    /// Does it to a file of an archive.
    fn to(&self, archive: &Path, file: &Path) {
        let path = archive.join(file);
        let mut bytes = fs::read(&path).unwrap();
        let outside = archive.with_file_name(OUTSIDE);
        fs::write(&outside, &bytes).unwrap();
        match self {
            Harm::Flip { at, bit } => {
                bytes[*at] ^= 1 << bit;
                fs::write(&path, bytes).unwrap();
            }
            Harm::Cut(length) => fs::write(&path, &bytes[..*length]).unwrap(),
            Harm::Longer => fs::write(&path, [&bytes[..], b"}"].concat()).unwrap(),
            Harm::Gone => fs::remove_file(&path).unwrap(),
            Harm::Swapped(other) => {
                let other = archive.join(other);
                fs::write(&path, fs::read(&other).unwrap()).unwrap();
                fs::write(other, bytes).unwrap();
            }
            Harm::Doubled => fs::write(path.with_extension("2.json"), bytes).unwrap(),
            Harm::Folder => {
                fs::remove_file(&path).unwrap();
                fs::create_dir(&path).unwrap();
                fs::write(path.join("somebody's"), "own").unwrap();
            }
            #[cfg(unix)]
            Harm::Link { within } => {
                fs::remove_file(&path).unwrap();
                let other = if *within { archive.join("another") } else { outside };
                fs::write(&other, bytes).unwrap();
                std::os::unix::fs::symlink(other, path).unwrap();
            }
            #[cfg(unix)]
            Harm::LinkToNothing => {
                fs::remove_file(&path).unwrap();
                std::os::unix::fs::symlink(archive.with_file_name("nothing"), path).unwrap();
            }
        }
    }
}

/// What is left behind that nobody may touch.
fn touched(archive: &Path, harm: &Harm, bytes: &[u8]) -> Option<String> {
    if fs::read(archive.with_file_name(OUTSIDE)).unwrap() != bytes {
        return Some("what a link led to was written to".into());
    }
    if archive.with_file_name("nothing").exists() {
        return Some("something was written where a link led".into());
    }
    let aside = || {
        fs::read_dir(archive.join("damaged")).is_ok_and(|mut aside| {
            aside.any(|folder| {
                fs::read(folder.unwrap().path().join("somebody's")).is_ok_and(|own| own == b"own")
            })
        })
    };
    (matches!(harm, Harm::Folder) && !aside()).then(|| "somebody's folder is gone".into())
}

/// The files beside the database.
fn files(kept: &Kept) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = ["archive.json", "schema.json", "README.txt"].map(PathBuf::from).into();
    files.extend(kept.records().iter().map(|path| path.strip_prefix(kept.path()).unwrap().to_owned()));
    files
}

/// What is wrong with what becomes of an archive of which a file is harmed.
fn try_file(kept: &Kept, file: &Path, harm: &Harm) -> Option<String> {
    let copy = kept.copy();
    let wrong = |what: String| Some(format!("{} {harm:?}: {what}", file.display()));
    let before: Vec<Vec<u8>> =
        files(&copy).iter().map(|file| fs::read(copy.path().join(file)).unwrap()).collect();
    harm.to(&copy.path(), file);
    let Ok(found) = catch_unwind(AssertUnwindSafe(|| copy.found())) else {
        return wrong("verify panics".into());
    };
    // A second copy elsewhere is nobody's.
    let is_told = match harm {
        Harm::Gone | Harm::Folder => true,
        #[cfg(unix)]
        Harm::Link { .. } | Harm::LinkToNothing => true,
        Harm::Doubled => file.starts_with("runs"),
        _ => !says_the_same(&copy.path().join(file), &kept.path().join(file)),
    };
    let name = file.to_str().unwrap();
    if is_told && !found.iter().any(|line| line.contains(name) || matches!(harm, Harm::Doubled)) {
        return wrong(format!("is not told: {found:#?}"));
    }
    if catch_unwind(AssertUnwindSafe(|| copy.run(4))).is_err() {
        return wrong(format!("{found:#?}, and a run fails"));
    }
    let left = copy.found();
    if !left.is_empty() {
        return wrong(format!("{found:#?}, and after a run {left:#?}"));
    }
    for (file, before) in files(kept).iter().zip(&before) {
        let path = copy.path().join(file);
        let now = fs::read(&path).unwrap_or_default();
        // Without its first record nothing says any more when an archive was begun.
        let id = |about: &[u8]| serde_json::from_slice::<Value>(about).map(|about| about["id"].clone()).ok();
        let is_it = now == *before || file.ends_with("archive.json") && id(&now) == id(before);
        if !is_it || !fs::symlink_metadata(path).unwrap().is_file() {
            return wrong(format!(
                "{} is not what it was: {}",
                file.display(),
                String::from_utf8_lossy(&now)
            ));
        }
    }
    if is_told {
        let record: Value =
            serde_json::from_slice(&fs::read(copy.records().last().unwrap()).unwrap()).unwrap();
        if record["damage"].as_array().is_none_or(Vec::is_empty) {
            return wrong(format!("the record of the run says nothing of it: {record:#}"));
        }
    }
    touched(&copy.path(), harm, &before[files(kept).iter().position(|own| own == file).unwrap()])
        .and_then(wrong)
}

/// Two texts of JSON that say the same: but for the hash of that.
fn says_the_same(a: &Path, b: &Path) -> bool {
    let value = |path: &Path| {
        let mut value: Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        value.as_object_mut()?.retain(|name, _| !name.starts_with('s'));
        Some(value)
    };
    let of_the_archive = a.ends_with("archive.json");
    of_the_archive && value(a).is_some_and(|own| Some(own) == value(b))
}

fn all(
    kept: &Kept,
    flips: impl Fn(&Path, usize) -> Vec<(usize, u8)>,
    cuts: impl Fn(&Path, usize) -> Vec<usize>,
) -> Vec<(PathBuf, Harm)> {
    let mut all = Vec::new();
    let files = files(kept);
    for (at, file) in files.iter().enumerate() {
        let length = fs::metadata(kept.path().join(file)).unwrap().len() as usize;
        let flips = flips(file, length).into_iter().map(|(at, bit)| Harm::Flip { at, bit });
        let swaps = files[at + 1..].iter().cloned().map(Harm::Swapped);
        let harms =
            flips.chain(cuts(file, length).into_iter().map(Harm::Cut)).chain(swaps).chain(Harm::others());
        all.extend(harms.map(|harm| (file.clone(), harm)));
    }
    all
}

/// Every kind of it, and some of the bytes of each.
#[test]
fn files_that_are_damaged() {
    let kept = Kept::new();
    let flips = |_: &Path, length: usize| vec![(length / 3, 1), (length / 2, 4), (length - 9, 0)];
    let all = all(&kept, flips, |_, length| vec![length / 2]);
    let failing = failing(&all, |(file, harm)| try_file(&kept, file, harm));
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

/// Every byte, two bits of each; and every length. Of `schema.json`, which is long, every 29th.
#[test]
#[ignore = "takes an hour"]
fn files_that_are_damaged_every_one() {
    let kept = Kept::new();
    let step = |file: &Path| if file.ends_with("schema.json") { 29 } else { 1 };
    let flips = |file: &Path, length: usize| {
        (0..length)
            .step_by(step(file))
            .flat_map(|at| [(at, (at % 8) as u8), (at, ((at + 3) % 8) as u8)])
            .collect()
    };
    let cuts = |file: &Path, length: usize| (0..length).step_by(step(file)).collect();
    let all = all(&kept, flips, cuts);
    println!("{} cases", all.len());
    let failing =
        failing(&all, |(file, harm)| try_file(&kept, file, harm).inspect(|words| println!("{words}")));
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

/// A hash that has another name is not the hash of an archive that was made earlier, when there was none.
#[test]
fn the_name_of_the_hash_of_itself() {
    let kept = Kept::new();
    let about = fs::read_to_string(kept.path().join("archive.json")).unwrap();
    let at = about.find("sha256").unwrap();
    for at in at..at + "sha256".len() {
        let wrong = try_file(&kept, Path::new("archive.json"), &Harm::Flip { at, bit: 1 });
        assert_eq!(wrong, None);
        let copy = kept.copy();
        Harm::Flip { at, bit: 1 }.to(&copy.path(), Path::new("archive.json"));
        assert!(copy.found().iter().any(|line| line.contains("archive.json")), "{at}");
    }
}

/// Contents: those that are shown, films, and those that were shown once.
#[test]
fn contents_that_are_damaged() {
    let rich = Rich::new();
    let db = Connection::open(rich.archive().join("chat.db")).unwrap();
    let mut files = db.prepare("SELECT path FROM msgarchive_file ORDER BY path").unwrap();
    let files: Vec<PathBuf> = files
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .map(|path| path.unwrap().into())
        .collect();
    assert_eq!(files.len(), 4);
    let mut once = db
        .prepare(
            "SELECT path FROM msgarchive_former_content UNION SELECT film FROM msgarchive_former_content",
        )
        .unwrap();
    let once: Vec<String> = once.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(once.len(), 2);
    let mut all: Vec<(&PathBuf, Harm)> = Vec::new();
    for (at, file) in files.iter().enumerate() {
        let harms = Harm::others().into_iter().chain([Harm::Flip { at: 2, bit: 3 }, Harm::Cut(1)]);
        let swaps = files[at + 1..].iter().cloned().map(Harm::Swapped);
        all.extend(harms.filter(|harm| !matches!(harm, Harm::Doubled)).chain(swaps).map(|harm| (file, harm)));
    }
    let failing = failing(&all, |(file, harm)| {
        let copy = rich.copy();
        let wrong = |what: String| Some(format!("{} {harm:?}: {what}", file.display()));
        let before: Vec<Vec<u8>> =
            files.iter().map(|file| fs::read(copy.archive().join(file)).unwrap()).collect();
        harm.to(&copy.archive(), file);
        let same = files.iter().zip(&before).all(|(file, before)| {
            let path = copy.archive().join(file);
            fs::symlink_metadata(&path).is_ok_and(|about| about.is_file())
                && fs::read(path).unwrap() == *before
        });
        let found = copy.found();
        if found.iter().any(|line| line.starts_with("content: ") && line.contains(file.to_str().unwrap()))
            == same
        {
            return wrong(format!("is not told: {found:#?}"));
        }
        if let Err(error) = copy.run(5) {
            return wrong(format!("{found:#?}, and a run fails: {error:?}"));
        }
        let mut left = copy.found();
        // What was shown once no source shows any more: that goes on being told.
        left.retain(|line| !once.iter().any(|path| line.contains(path)));
        if !left.is_empty() {
            return wrong(format!("{found:#?}, and after a run {left:#?}"));
        }
        let at = files.iter().position(|own| own == *file).unwrap();
        if matches!(harm, Harm::Folder) {
            // It is no name that somebody would give to one.
            return None;
        }
        touched(&copy.archive(), harm, &before[at]).and_then(wrong)
    });
    assert!(failing.is_empty(), "{} of {}:\n{}", failing.len(), all.len(), failing.join("\n"));
}

/// What explains an archive to those who have nothing else is looked at, too; an earlier program had it otherwise.
#[test]
fn what_explains_an_archive_is_as_a_run_left_it() {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    mac.receive("A", 0, START, "hello");
    let archive = program.path().join("archive");
    add(&archive, &[&mac.folder], START + DAY).unwrap();
    let readme = archive.join("README.txt");
    let written = fs::read(&readme).unwrap();
    for other in ["", "There is nothing here."] {
        fs::write(&readme, other).unwrap();
        let told = program.run(&["verify", "archive"]).with_code(3).out;
        assert!(told.contains("README.txt"), "{told}");
        add(&archive, &[&mac.folder], START + DAY).unwrap();
        program.run(&["verify", "archive"]).with_code(0);
        assert_eq!(fs::read(&readme).unwrap(), written);
    }
}
