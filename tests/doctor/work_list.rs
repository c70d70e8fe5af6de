//! The list of what is only in iCloud, and what a second run ticks off.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::{ANA, Home, as_json, check, year};
use crate::support::{Library, Schema};

/// Three attachments that are only in iCloud, and one that is lost.
fn library() -> Library {
    let mut library = year(Schema::MACOS_15);
    let ben = library.handle("ben@example.com", "iMessage");
    let group = library.group(&[ben], "=1+1</title><script>alert(1)</script>\u{1b}[31m");
    let add = |library: &mut Library, chat, name: &str, cloud: bool| {
        let attachment = library.attachment(name).size(52_000_000);
        let attachment = if cloud { attachment.in_icloud() } else { attachment }.id();
        let message = library.message(chat).at("2023-11-13T11:00:00.5Z").attachment(attachment);
        message.raw("ck_sync_state", 1).raw("ck_record_id", "r");
    };
    add(&mut library, ANA, "film.mov", true);
    add(&mut library, group, "-2+3.heic", true);
    add(&mut library, group, "<b>.pdf", true);
    add(&mut library, group, "lost.pdf", false);
    library
}

struct Listing {
    home: Home,
}

impl Listing {
    fn run(&self, now: &str) -> Value {
        let mut command = self.home.program.command(&["doctor", "--json", "--attachments", "list"]);
        as_json(&crate::program::ran(command.env("SOURCE_DATE_EPOCH", now).output().unwrap()))
    }

    fn counts(&self, now: &str) -> [u64; 4] {
        let object = self.run(now);
        let counts = ["to_fetch", "bytes", "arrived", "gone"];
        counts.map(|key| object["work_list"][key].as_u64().unwrap())
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.home.program.path().join(format!("list/only-in-icloud.{extension}"))
    }

    fn read(&self, extension: &str) -> String {
        fs::read_to_string(self.path(extension)).unwrap()
    }

    /// As Messages does: the file comes, and the row says so.
    fn download(&self, name: &str) {
        let db = rusqlite::Connection::open(self.home.library().join("chat.db")).unwrap();
        let sql = "SELECT filename FROM attachment WHERE transfer_name = ?1";
        let path: String = db.query_row(sql, [name], |row| row.get(0)).unwrap();
        let path = self.home.program.home().join(path.strip_prefix("~/").unwrap());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "here it is").unwrap();
    }
}

#[test]
fn a_second_run_ticks_off_what_has_arrived() {
    let listing = Listing { home: Home::of(&library()) };
    assert_eq!(listing.counts("1700000000"), [3, 156_000_000, 0, 0]);
    let text = listing.read("txt");
    assert!(
        text.contains("[ ] 13 November 2023  film.mov  52.0 MB\n      sms://open?message-guid="),
        "{text}"
    );
    assert!(!text.contains("lost.pdf"), "what is not in iCloud cannot be fetched from it");

    listing.download("film.mov");
    assert_eq!(listing.counts("1700100000"), [2, 104_000_000, 1, 0]);
    assert!(
        listing.read("txt").contains("[x] 13 November 2023  film.mov  52.0 MB  arrived by 16 November 2023")
    );
    assert!(listing.read("html").contains("33 % have arrived"));

    // What is gone from the library is gone; what has arrived keeps its day.
    listing.home.change(
        "DELETE FROM message_attachment_join WHERE attachment_id =
        (SELECT ROWID FROM attachment WHERE transfer_name = '<b>.pdf')",
    );
    assert_eq!(listing.counts("1701000000"), [1, 52_000_000, 1, 1]);
    assert!(listing.read("txt").contains("film.mov  52.0 MB  arrived by 16 November 2023"));
    assert!(listing.read("txt").contains("[-] 13 November 2023  <b>.pdf  52.0 MB  gone by 26 November 2023"));

    listing.download("-2+3.heic");
    assert_eq!(listing.counts("1702000000"), [0, 0, 2, 1]);
    assert!(listing.read("html").contains("Nothing is only in iCloud"));
}

#[test]
fn hostile_names_stay_names() {
    let listing = Listing { home: Home::of(&library()) };
    listing.run("1700000000");
    let page = listing.read("html");
    assert!(!page.contains("<script") && !page.contains("<b>.pdf") && !page.contains('\u{1b}'), "{page}");
    assert_eq!(page.matches("href=\"sms://open?message-guid=").count(), 3);
    let table = listing.read("csv");
    assert_eq!(table.lines().count(), 4);
    assert!(table.contains(",'-2+3.heic,") && table.contains(",'=1+1</title>"), "{table}");
}

#[test]
fn the_same_bytes_whatever_the_number_of_workers() {
    let listing = Listing { home: Home::of(&library()) };
    let run = |jobs: &str| {
        let ran = listing.home.program.run(&["doctor", "--attachments", "list", "--jobs", jobs]).with_code(3);
        assert!(
            ran.out.contains("Only in iCloud: 3 to fetch (156 MB). list/only-in-icloud.html\n"),
            "{}",
            ran.out
        );
        ["txt", "csv", "html"].map(|extension| listing.read(extension))
    };
    assert_eq!(run("1"), run("8"));
}

#[cfg(unix)]
#[test]
fn the_list_is_for_its_owner() {
    use std::os::unix::fs::PermissionsExt as _;
    let listing = Listing { home: Home::of(&library()) };
    listing.run("1700000000");
    for extension in ["txt", "csv", "html"] {
        assert_eq!(fs::metadata(listing.path(extension)).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_others_wrote_is_left_alone() {
    let home = Home::of(&library());
    let listing = Listing { home };
    fs::create_dir(listing.home.program.path().join("list")).unwrap();
    for extension in ["csv", "txt", "html"] {
        fs::write(listing.path(extension), "mine").unwrap();
        let ran = listing.home.program.run(&["doctor", "--attachments", "list"]).with_code(1);
        assert!(ran.err.contains("is no list that msgarchive made"), "{}", ran.err);
        assert_eq!(listing.read(extension), "mine");
        fs::remove_file(listing.path(extension)).unwrap();
    }
    let library = listing.home.library();
    let library = library.to_str().unwrap();
    let two = ["doctor", "--attachments", "list", "--source", library, "--source", library];
    let ran = listing.home.program.run(&two).with_code(2);
    assert!(ran.err.contains("--attachments is for one source"), "{}", ran.err);
}

#[test]
fn a_library_that_cannot_be_read_leaves_the_list_as_it_is() {
    let listing = Listing { home: Home::of(&library()) };
    listing.run("1700000000");
    let before = listing.read("csv");
    fs::write(listing.home.library().join("chat.db"), "").unwrap();
    let object = listing.run("1700100000");
    assert_eq!(check(&object, "readable")["status"], "problem");
    assert!(object["work_list"].is_null());
    assert_eq!(listing.read("csv"), before);
    let old = Listing { home: Home::of(&year(Schema::OSX_10_10)) };
    let ran = old.home.program.run(&["doctor", "--attachments", "list"]);
    assert!(ran.out.contains("No list was written"), "{}", ran.out);
    assert!(!old.path("csv").exists());
}
