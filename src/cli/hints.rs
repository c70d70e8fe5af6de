//! What to do next, for every failure that has an answer. Looks around, changes nothing.

use std::io;
use std::path::{Path, PathBuf};

use msgarchive::archive::{self, ArchiveError};
use msgarchive::compare::CompareError;
use msgarchive::disk::DiskError;
use msgarchive::disk::archive_folder::is_archive;
use msgarchive::doctor::work_list::WorkListError;
use msgarchive::pipeline::ExportError;
use msgarchive::pipeline::select::NoMatch;
use msgarchive::pipeline::writer::WriteError;
use msgarchive::schedule::{self, ScheduleError};
use msgarchive::source::SourceError;

use msgarchive::storage::StorageError;
use msgarchive::verify::VerifyError;

use super::Failure;

/// The next steps, the likeliest first; empty where there is nothing to say.
pub fn hints(failure: &Failure) -> Vec<String> {
    match failure {
        Failure::Source(error)
        | Failure::Export(ExportError::Source(error))
        | Failure::Compare(CompareError::Source(error))
        | Failure::Storage(StorageError::Source(error)) => for_source(error),
        Failure::Export(ExportError::Write(WriteError::Disk(error))) => for_disk(error),
        Failure::Archive(ArchiveError::Source(error)) => for_source(error),
        Failure::Archive(ArchiveError::NoMatch(error)) => for_no_match(error),
        Failure::Archive(error)
        | Failure::Verify(VerifyError::Archive(error))
        | Failure::Storage(StorageError::Archive(error)) => for_archive(error),
        Failure::Unread { .. } | Failure::Verify(VerifyError::Read { .. }) => vec![
            "see whether the disk is connected and well, and run it again: nothing says that it is damaged. Of a disk \
             that fails, copy what it still gives up, and verify the copy"
                .into(),
        ],
        Failure::Verify(VerifyError::Neither { .. }) => {
            vec!["give the folder that `msgarchive archive` or `msgarchive export` made".into()]
        }
        Failure::Export(ExportError::NoMatch(error))
        | Failure::Compare(CompareError::NoMatch(error))
        | Failure::Storage(StorageError::NoMatch(error)) => for_no_match(error),
        Failure::WorkList(WorkListError::Foreign { .. }) => {
            vec!["choose a folder of its own for the list with --attachments DIR".into()]
        }
        Failure::WorkList(WorkListError::Disk(error)) => for_disk(error),
        Failure::SameSource { .. } => {
            vec!["name two different ones; `msgarchive sources` lists what is on this machine".into()]
        }
        Failure::NothingSelected { known } => known.clone(),
        Failure::Export(ExportError::Interrupted) | Failure::Compare(CompareError::Interrupted) => {
            vec!["nothing was written; run it again at any time".into()]
        }
        Failure::Export(ExportError::Unbalanced { .. }) => {
            vec!["this is a fault of msgarchive; nothing was written. Please report it".into()]
        }
        Failure::Usage(_) => vec!["--help shows every option".into()],
        Failure::NoLibrary { looked_at, backups } => for_no_library(looked_at, backups),
        Failure::Schedule(error) => for_schedule(error),
        Failure::Scheduled { reason } => for_scheduled(reason),
        Failure::NoHome => vec!["name the library with --source PATH, or set HOME".into()],
        Failure::Contacts(_) => {
            vec!["--contacts none goes on without names; --contacts also takes a .vcf file".into()]
        }
        _ => Vec::new(),
    }
}

/// A hint as a sentence of its own.
pub fn sentence(hint: String) -> String {
    let mut letters = hint.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// For a source that cannot be opened or read.
pub fn for_source(error: &SourceError) -> Vec<String> {
    match error {
        SourceError::NotFound { path } => nearby(path.parent())
            .map(|found| vec![format!("there is a Messages database at {}", found.display())])
            .unwrap_or_else(|| vec!["`msgarchive sources` lists what is on this machine".into()]),
        SourceError::Forbidden { path, source } => for_forbidden(path, source),
        SourceError::NoDatabase { path } => match nearby(Some(path)).or_else(|| beside_stores(path)) {
            Some(found) => vec![format!("did you mean {}?", found.display())],
            None if holds_pages(path) => vec![
                "pages and texts of other programs, such as imessage-exporter, say too little to be read back: give the \
                 library or backup that they were made from"
                    .into(),
                "of exports, those can be read back that `msgarchive export --format jsonl` made".into(),
            ],
            None => vec![
                "a Messages folder holds chat.db (a Mac) or sms.db (an iPhone or iPad); \
                 `msgarchive sources` lists what is on this machine"
                    .into(),
            ],
        },
        SourceError::SeveralBackups { backups, .. } => backups
            .iter()
            .map(|backup| format!("name one of them: {}", backup.display()))
            .chain(["`msgarchive sources` says which device and day each is of".into()])
            .collect(),
        SourceError::IncompleteBackup { .. } => {
            vec!["make the backup again, or copy its folder again, whole".into()]
        }
        SourceError::NoMessages { .. } => vec![
            "a backup has messages where Messages is not in iCloud, or its device keeps a copy; \
             `msgarchive sources` lists other sources"
                .into(),
        ],
        SourceError::PasswordNeeded { .. } => vec![
            "give it with --password-file FILE, in MSGARCHIVE_PASSWORD, or run this in a terminal to be asked".into(),
        ],
        SourceError::WrongPassword { .. } => vec![
            "it is the password that was chosen for backups in Finder or iTunes: perhaps years ago, and on another \
             device; neither the passcode nor that of the Apple Account"
                .into(),
            "on the Mac that made it, Keychain Access may know it: search for \"iOS Backup\"".into(),
        ],
        SourceError::KeyBag { .. } => vec!["copy Manifest.plist of the backup again, or make the backup again".into()],
        SourceError::UnsupportedKeyBag { .. } => vec![
            "it may be whole: a newer version of msgarchive may know it, and a device can be restored from it".into(),
        ],
        SourceError::Empty { .. } => vec!["copy it again, together with the -wal file beside it".into()],
        SourceError::NotADatabase { .. } | SourceError::NotMessages { .. } => {
            vec!["give the Messages folder, or the chat.db or sms.db in it".into()]
        }
        SourceError::NotYet { .. } => vec!["`msgarchive history DIR` lists its runs: --as-of the first of them, or later".into()],
        SourceError::NoPast { .. } => vec!["--as-of is for what `msgarchive archive` made".into()],
        SourceError::Export { .. } => vec![
            "`msgarchive verify DIR` says which of its files are not what they were; copy those again, or export again".into(),
        ],
        SourceError::NoLines { .. } => vec![
            "PDF, CSV and text are for people, and say less than can be read back: export its source once more with \
             --format jsonl, into another folder"
                .into(),
            "where the source is no more, this is what is left: `msgarchive verify DIR` says whether it is whole".into(),
        ],
        SourceError::OnlyExported { .. } => vec![
            "it can be exported, listed and compared, and read together with others: msgarchive export --source LIBRARY \
             --source EXPORT"
                .into(),
            "for the rest, name a library, a backup or an archive".into(),
        ],
        SourceError::Odd { .. } => {
            vec!["another program made it, or mended it: name the library or the backup that it was made of".into()]
        }
        SourceError::WithoutGuids { .. } => vec![
            "export it, which needs no GUIDs: msgarchive export --format pdf,jsonl; or restore it to a device with \
             iOS 6 or later, which gives every message one, and archive that"
                .into(),
        ],
        SourceError::Locked { path, .. } => vec![match path.parent().and_then(archive::holder) {
            Some(run) => {
                format!("a run of `msgarchive archive` is adding to it ({run}); wait until that is done, and run this again")
            }
            None => "close the program that uses it and run this again, or copy the folder elsewhere and export the \
                     copy"
                .into(),
        }],
        SourceError::Damaged { path, .. } | SourceError::Database { path, .. }
            if path.parent().is_some_and(|folder| is_archive(folder).unwrap_or(false)) =>
        {
            for_damaged_archive()
        }
        SourceError::Damaged { path, .. } | SourceError::Database { path, .. } => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            vec![
                format!("copy it again from where it came from: {name}, {name}-wal and {name}-shm belong together"),
                format!(
                    "or let SQLite rescue what is left: sqlite3 {name} .recover | sqlite3 rescued.db; \
                     then --source rescued.db"
                ),
            ]
        }
        SourceError::Changed { .. } => vec!["run it again; nothing was written".into()],
        SourceError::Io { .. } => {
            vec!["see whether the disk that it lies on is connected and well, and run it again".into()]
        }
        SourceError::Snapshot { .. } => {
            vec!["a private copy needs as much free space in the temporary folder (TMPDIR) as the database takes".into()]
        }
        _ => Vec::new(),
    }
}

/// macOS says "Operation not permitted" (`EPERM`) where Full Disk Access is missing, and "Permission denied"
/// (`EACCES`) where the file's own mode forbids it.
fn for_forbidden(path: &Path, source: &io::Error) -> Vec<String> {
    if source.raw_os_error() == Some(1) || (cfg!(target_os = "macos") && path.ends_with("Messages/chat.db")) {
        if std::env::var_os(schedule::SCHEDULED).is_some() {
            return vec![for_forbidden_at_night()];
        }
        let term_program = std::env::var("TERM_PROGRAM").ok();
        let program = terminal_program(term_program.as_deref());
        return vec![
            format!(
                "give {program} Full Disk Access: System Settings > Privacy & Security > Full Disk Access; \
                 then quit {program}, open it and run this again"
            ),
            "or drag the Messages folder (in ~/Library) to the Desktop in the Finder and export that copy with \
             --source ~/Desktop/Messages"
                .into(),
        ];
    }
    vec![format!("`ls -l {}` shows who may read it", path.display())]
}

/// What a scheduler starts stands for itself.
fn for_forbidden_at_night() -> String {
    let program =
        std::env::current_exe().map_or_else(|_| "msgarchive".into(), |path| path.display().to_string());
    format!(
        "give {program} Full Disk Access: System Settings > Privacy & Security > Full Disk Access > +; \
         then `msgarchive schedule run --through-scheduler`"
    )
}

/// A run that failed where nobody looked on.
pub fn for_scheduled(reason: &str) -> Vec<String> {
    let log = "`msgarchive schedule status` names the log, which has all that the run said".into();
    match reason.contains("Operation not permitted") {
        true => vec![for_forbidden_at_night(), log],
        false => vec![log],
    }
}

fn for_schedule(error: &ScheduleError) -> Vec<String> {
    match error {
        ScheduleError::NotInstalled => vec!["`msgarchive schedule install --archive DIR` installs one".into()],
        ScheduleError::Job { .. } => {
            vec!["`msgarchive schedule install` writes it anew, `msgarchive schedule remove` takes it away".into()]
        }
        ScheduleError::Busy => vec!["wait until it is done; `msgarchive schedule status` says how it went".into()],
        ScheduleError::Marks => vec![
            "take out what is left of it with `crontab -e`: two comments that name msgarchive, and the line between \
             them"
                .into(),
        ],
        ScheduleError::NoRequests => {
            vec!["`msgarchive schedule run` does it now, but not in the surroundings that cron gives it".into()]
        }
        ScheduleError::Foreign { .. } => vec!["choose an empty or a new folder for the archive".into()],
        ScheduleError::Path { .. } => vec!["move it to a path without that".into()],
        ScheduleError::Start { .. } | ScheduleError::Refused { .. } => vec![
            "--system names another scheduler; `msgarchive schedule print` shows what would be done".into(),
        ],
        ScheduleError::NotBegun { .. } => vec![
            "if the program was moved, `msgarchive schedule install`, as before, names it where it is".into(),
        ],
        ScheduleError::OnBattery => {
            vec!["plug it in and run this again; `msgarchive schedule run` does it now all the same".into()]
        }
        ScheduleError::NotStarted { .. } => {
            vec!["`msgarchive schedule status` says later whether it has begun; a machine on battery waits".into()]
        }
        ScheduleError::Disk(error) => for_disk(error),
        _ => Vec::new(),
    }
}

/// Full Disk Access belongs to the app that started the shell, not to this program.
fn terminal_program(term_program: Option<&str>) -> &str {
    match term_program {
        Some("Apple_Terminal") => "Terminal",
        Some("iTerm.app") => "iTerm",
        Some("vscode") => "Visual Studio Code",
        Some("WezTerm") => "WezTerm",
        Some("ghostty") => "Ghostty",
        _ => "your terminal app",
    }
}

fn for_no_library(looked_at: &Path, backups: &[PathBuf]) -> Vec<String> {
    let mut hints = vec![format!(
        "looked for {}; name another Messages folder, chat.db or sms.db with --source PATH",
        looked_at.join("chat.db").display()
    )];
    if let Some(backup) = backups.first() {
        hints.push(format!("there is an unfinished backup at {}", backup.display()));
    }
    hints.push("--sample tries everything on the sample library built into the program".into());
    hints
}

fn for_archive(error: &ArchiveError) -> Vec<String> {
    match error {
        ArchiveError::NotAnArchive { .. } => {
            vec!["give the folder that `msgarchive archive` made; `msgarchive archive DIR` makes one".into()]
        }
        ArchiveError::Disk(error @ DiskError::Within { .. }) => for_disk(error),
        ArchiveError::Foreign { .. } => vec!["choose an empty or a new folder for the archive".into()],
        ArchiveError::NoDisk { .. } => {
            vec!["connect it, and run this again; where the archive is to be a new one, make that folder first".into()]
        }
        ArchiveError::Busy { .. } | ArchiveError::InUse { .. } => {
            vec!["wait until it is done, and run this again; nothing was changed".into()]
        }
        ArchiveError::NoLocks { .. } => vec![
            "two runs at once are kept apart by locks, which this disk or network share does not have: put the archive on a disk \
             of this computer, or see that the share is connected with locks"
                .into(),
        ],
        ArchiveError::Newer { .. } => vec!["use that version, or a later one".into()],
        ArchiveError::Itself { .. } => vec!["name another source with --source PATH".into()],
        ArchiveError::UnknownSource { .. } => {
            vec!["give the path as `msgarchive history DIR` has it, under Sources".into()]
        }
        ArchiveError::SourceIsThere { .. } => {
            vec!["leave out --gone, or --source; what is read now can be had again from there".into()]
        }
        ArchiveError::NoWord { .. } => {
            vec!["give a word, or how one begins: letters, digits or an emoji".into()]
        }
        ArchiveError::NoSuchMessage { .. } => {
            vec![
                "GUIDs are in the JSON of an export, and `msgarchive search DIR TEXT --guids` shows them"
                    .into(),
            ]
        }
        ArchiveError::Interrupted => vec![
            "what the archive had is as it was, and a new one has nothing yet; run it again at any time"
                .into(),
        ],
        ArchiveError::Damaged { .. } => for_damaged_archive(),
        error => error.of_the_disk().map(for_disk_of_archive).into_iter().collect(),
    }
}

/// It mends itself, as far as that can be.
fn for_damaged_archive() -> Vec<String> {
    vec![
        "run `msgarchive archive DIR` once more, with the sources that it is fed from, or with a copy of it as --source: what \
         can be read is kept, and what a source has is taken from there; nothing is deleted"
            .into(),
        "`msgarchive verify DIR` names what is damaged".into(),
    ]
}

/// Whatever a run got done before its disk failed, the next one goes on from there.
fn for_disk_of_archive(said: io::ErrorKind) -> String {
    match said {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space and run it again: nothing that the archive holds is lost"
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "see who may read and write there, and whether the disk may be written to at all; nothing that the archive \
             holds is lost"
        }
        _ => {
            "see whether the disk is connected and well, and run it again: it goes on from there. `msgarchive verify \
             --deep DIR` says whether all that the archive holds can be read"
        }
    }
    .into()
}

fn for_disk(error: &DiskError) -> Vec<String> {
    match error {
        DiskError::Foreign { .. } => vec![
            "choose an empty or a new folder with --out; `export --into-existing` leaves files of others untouched".into(),
        ],
        DiskError::NoExport { .. } => vec![
            "choose an empty or a new folder with --out, or move away what is there. Files that somebody puts beside an export \
             later are left untouched, and hold up nobody"
                .into(),
        ],
        DiskError::Within { .. } => vec!["choose a folder outside of it; nothing there was touched".into()],
        DiskError::InTheWay { .. } | DiskError::NotAFolder { .. } | DiskError::SymbolicLink { .. } => {
            vec!["move it away, or choose another folder with --out; nothing there was touched".into()]
        }
        DiskError::SetAside { kept, source } => {
            let mut hints = vec![format!(
                "what is missing of the export before is in {}, each file under its name. The next export into the same folder puts \
                 it back by itself; or move it back yourself, before you delete anything",
                kept.display()
            )];
            hints.extend(for_disk(source));
            hints
        }
        DiskError::Busy { .. } => vec!["wait until the other run is done, or choose another folder with --out".into()],
        DiskError::Write { source, .. } | DiskError::Read { source, .. } => match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                vec!["free some space, choose a folder on another disk with --out, or leave attachments out with \
                      --attachments none"
                    .into()]
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                vec!["choose a folder that you may read and write with --out".into()]
            }
            _ => vec![
                "see whether the disk is connected and well, and run it again; --out names a folder on another one".into(),
            ],
        },
        _ => Vec::new(),
    }
}

fn for_no_match(error: &NoMatch) -> Vec<String> {
    let all = "`msgarchive list` shows every conversation with its id";
    if error.is_title {
        return vec![format!("that is the name of a group: --conversation {:?} means it", error.query)];
    }
    if error.nearest.is_empty() {
        return vec![all.into()];
    }
    let quoted: Vec<String> = error.nearest.iter().map(|name| format!("{name:?}")).collect();
    vec![format!("the nearest are {}; {all}", quoted.join(", "))]
}

/// How many names of a folder are looked at.
const LOOKED_AT: usize = 1000;

/// It holds what programs export for people.
fn holds_pages(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(LOOKED_AT);
    let mut paths = entries.map(|entry| entry.path());
    paths.any(|path| ["html", "txt"].iter().any(|known| path.extension().is_some_and(|e| e == *known)))
}

/// The database beside the folder of attachments, where that was given.
fn beside_stores(folder: &Path) -> Option<PathBuf> {
    let stores = ["Attachments", "StickerCache", "Parts"];
    let parent = folder.parent().filter(|_| stores.iter().any(|store| folder.ends_with(store)))?;
    ["chat.db", "sms.db"].iter().map(|name| parent.join(name)).find(|path| path.is_file())
}

/// A Messages database in a folder, or where one usually lies below it.
fn nearby(folder: Option<&Path>) -> Option<PathBuf> {
    const USUAL: [&str; 8] = [
        "chat.db",
        "sms.db",
        "Messages/chat.db",
        "Library/Messages/chat.db",
        "SMS/sms.db",
        "Library/SMS/sms.db",
        "HomeDomain/Library/SMS/sms.db",
        "mobile/Library/SMS/sms.db",
    ];
    let folder = folder.filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    USUAL.iter().map(|below| folder.join(below)).find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forbidden(errno: i32) -> String {
        let error = SourceError::Forbidden {
            path: "/Users/ana/Library/Messages/chat.db".into(),
            source: io::Error::from_raw_os_error(errno),
        };
        for_source(&error).join("\n")
    }

    #[test]
    fn not_permitted_means_full_disk_access() {
        assert!(forbidden(1).contains("System Settings > Privacy & Security > Full Disk Access"));
    }

    #[cfg(not(target_os = "macos"))]
    #[test]
    fn denied_means_the_file_mode() {
        assert!(forbidden(13).contains("ls -l"));
    }

    #[test]
    fn at_night_the_program_itself_needs_access() {
        let hints = for_scheduled("cannot read chat.db: Operation not permitted (os error 1)").join("\n");
        let this = std::env::current_exe().unwrap();
        assert!(hints.contains(&format!("give {} Full Disk Access", this.display())), "{hints}");
        assert!(!for_scheduled("the disk is full").join("\n").contains("Full Disk Access"));
    }

    #[test]
    fn the_app_that_needs_access_is_named() {
        assert_eq!(terminal_program(Some("Apple_Terminal")), "Terminal");
        assert_eq!(terminal_program(None), "your terminal app");
    }

    #[test]
    fn a_folder_above_the_library_is_understood() {
        let home = tempfile::tempdir().unwrap();
        let library = home.path().join("Library/Messages");
        std::fs::create_dir_all(&library).unwrap();
        std::fs::write(library.join("chat.db"), "").unwrap();
        for given in [home.path().to_owned(), library.join("Attachments")] {
            let error = SourceError::NoDatabase { path: given };
            assert!(for_source(&error).concat().contains("Library/Messages/chat.db"));
        }
    }

    #[test]
    fn an_unknown_name_shows_the_nearest() {
        let error = NoMatch {
            option: "--only",
            query: "Anna".into(),
            nearest: vec!["Ana Abbott".into()],
            is_title: false,
        };
        assert!(for_no_match(&error).concat().contains("\"Ana Abbott\""));
    }

    #[test]
    fn a_group_is_no_person() {
        let error =
            NoMatch { option: "--only", query: "The Lunds".into(), nearest: Vec::new(), is_title: true };
        assert!(for_no_match(&error).concat().contains("--conversation \"The Lunds\""));
    }
}
