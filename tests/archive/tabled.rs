//! What an archive knows of a message stands in a table, too: what became of it, and what it was before.

use rusqlite::{Connection, params};
use serde_json::Value;

use super::add;
use super::device::{DAY, Device};
use crate::program::Program;
use crate::support::typedstream::AttributedString;
use crate::support::{Schema, tree};

const START: i64 = 700_000_000;
/// What a spreadsheet would run, and what a reader of tables may stumble over.
const HOSTILE: &str = "=HYPERLINK(\"x\"), he \"said\",\r\nand\n-2";

/// A Mac and a phone to which everything happened, and their archive, in which somebody forged a row.
fn archived() -> Program {
    let program = Program::new();
    let mut mac = Device::new(&program.path().join("mac"), Schema::MACOS_26);
    let mut phone = Device::new(&program.path().join("phone"), Schema::MACOS_26);
    for (at, guid) in
        ["altered", "author", "gone", "part", "purged", "forged", "unsent", "well"].iter().enumerate()
    {
        mac.receive(guid, 0, START + 60 * at as i64, if *guid == "altered" { HOSTILE } else { "some words" });
    }
    phone.receive("first", 0, START, "so that the row ids are others");
    phone.receive("elsewhere", 0, START + 900, "not I");
    mac.receive("elsewhere", 0, START + 900, "I did it");
    let archive = program.path().join("archive");
    let night = |mac: &Device, day: i64| {
        add(&archive, &[&mac.folder, &phone.folder], START + day * DAY).unwrap();
    };
    night(&mac, 1);
    mac.run("UPDATE message SET text = 'mild words' WHERE guid = 'altered'", []);
    mac.run("UPDATE message SET is_from_me = 1 WHERE guid = 'author'", []);
    mac.remove("gone", true, "deleted");
    mac.recently_delete("purged", START + DAY + 60);
    mac.unsend("unsent", START + DAY + 120);
    mac.run(
        "INSERT INTO recoverable_message_part (chat_id, message_id, part_index, delete_date, part_text)
         SELECT chat_id, message_id, 1, ?1, ?2 FROM chat_message_join JOIN message ON message.ROWID = message_id
         WHERE guid = 'part'",
        params![(START + DAY + 180) * 1_000_000_000, AttributedString::plain(" that went").encode()],
    );
    night(&mac, 2);
    mac.remove("purged", true, "recently_deleted");
    mac.remove("forged", true, "deleted");
    night(&mac, 3);
    let db = Connection::open(archive.join("chat.db")).unwrap();
    assert_eq!(db.execute("UPDATE message SET text = '@forged' WHERE guid = 'forged'", []).unwrap(), 1);
    program
}

fn export(program: &Program, more: &[&str]) -> Vec<(String, String)> {
    let arguments = ["export", "-s", "archive", "-f", "csv,jsonl", "-o", "out", "--contacts", "none"];
    program.run(&[&arguments[..], more].concat()).with_code(3);
    let files = tree::files(&program.path().join("out"));
    files.into_iter().map(|(path, bytes)| (path, String::from_utf8(bytes).unwrap())).collect()
}

/// Of every message, its row and its line: they say the same.
#[test]
fn a_table_says_what_json_lines_say() {
    let program = archived();
    let mut told = Vec::new();
    for (path, lines) in export(&program, &[]) {
        let Some(name) = path.strip_suffix(".jsonl").filter(|name| *name != "conversations") else {
            continue;
        };
        let table = std::fs::read(program.path().join("out").join(format!("{name}.csv"))).unwrap();
        let mut table = csv::Reader::from_reader(&*table);
        let header = table.headers().unwrap().clone();
        let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), lines.len());
        for (row, line) in rows.iter().zip(&lines) {
            let cell = |name: &str| &row[header.iter().position(|column| column == name).unwrap()];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            assert_eq!(cell("guid"), text(&line["guid"]));
            let deleted = &line["deleted"];
            for (column, key) in [
                ("deletion_reason", "reason"),
                ("date_deleted", "date"),
                ("date_last_seen", "last_seen"),
                ("date_gone", "gone"),
            ] {
                assert_eq!(cell(column), text(&deleted[key]), "{column} of {line}");
            }
            let extent = match (deleted.is_null(), deleted["part"] == true) {
                (true, _) => "",
                (false, true) => "part",
                (false, false) => "all",
            };
            assert_eq!(cell("deleted"), extent);
            let is_guessed = if deleted["guessed"] == true { "true" } else { "" };
            assert_eq!(cell("deletion_guessed"), is_guessed, "{line}");
            assert_eq!(cell("unsent"), text(&line["unsent"]));
            let when = line["parts"].as_array().unwrap().iter().filter(|part| part["type"] == "unsent");
            assert_eq!(cell("date_unsent"), when.map(|part| text(&part["date"])).max().unwrap_or_default());
            for column in ["altered", "was", "damaged"] {
                let array = Some(cell(column)).filter(|cell| !cell.is_empty());
                let array = array.map(|cell| serde_json::from_str::<Value>(cell).unwrap());
                assert_eq!(array.as_ref(), line.get(column), "{column} of {line}");
            }
            told.push(
                ["guid", "status", "deleted", "deletion_reason", "unsent"].map(|name| cell(name).to_owned()),
            );
        }
    }
    told.sort();
    let told: Vec<[&str; 5]> = told.iter().map(|row| [0, 1, 2, 3, 4].map(|i| &*row[i])).collect();
    assert_eq!(
        told,
        [
            ["altered", "altered", "", "", ""],
            ["author", "altered", "", "", ""],
            ["elsewhere", "differs", "", "", ""],
            ["first", "", "", "", ""],
            ["forged", "deleted;damaged", "all", "deleted", ""],
            ["gone", "deleted", "all", "deleted", ""],
            ["part", "deleted", "part", "recently_deleted", ""],
            ["purged", "deleted", "all", "recently_deleted", ""],
            ["unsent", "unsent", "", "", "all"],
            ["well", "", "", "", ""],
        ]
    );
}

/// None of the new cells begins as a formula does, whatever a message said.
#[test]
fn a_spreadsheet_runs_nothing_of_what_a_message_was() {
    let program = archived();
    let files = export(&program, &["--excel"]);
    let (_, table) =
        files.iter().find(|(_, text)| text.contains("HYPERLINK") && text.starts_with('\u{feff}')).unwrap();
    let mut table = csv::Reader::from_reader(table.trim_start_matches('\u{feff}').as_bytes());
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    for cell in rows.iter().flatten() {
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell:?}");
    }
    let column = table.headers().unwrap().iter().position(|name| name == "altered").unwrap();
    let altered = rows.iter().find(|row| &row[2] == "altered").unwrap();
    assert_eq!(serde_json::from_str::<Vec<String>>(&altered[column]).unwrap(), [HOSTILE]);
}
