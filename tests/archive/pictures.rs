//! The attachments of a device: their files come, go, come again, and are others then.

use std::fs;
use std::path::PathBuf;

use rusqlite::params;

use super::device::Device;

impl Device {
    /// An attachment of a message; its file comes later.
    pub fn attach(&self, guid: &str, name: &str) {
        self.run(
            "INSERT INTO attachment (guid, original_guid, filename, transfer_name, mime_type, ck_sync_state) \
             VALUES (?1, ?1, ?2, ?3, 'image/png', 1)",
            params![
                format!("at_0_{guid}"),
                format!("{}/Attachments/0a/{guid}/{name}", self.schema.home()),
                name
            ],
        );
        self.share(guid, guid);
    }

    /// A message carries the attachment that was made for another one, too: a sticker that is sent again.
    pub fn share(&self, guid: &str, of: &str) {
        self.run(
            "INSERT OR IGNORE INTO message_attachment_join (message_id, attachment_id) \
             SELECT m.ROWID, a.ROWID FROM message m, attachment a WHERE m.guid = ?1 AND a.guid = 'at_0_' || ?2",
            [guid, of],
        );
    }

    pub fn download(&self, guid: &str, name: &str, bytes: &[u8]) {
        let folder = self.folder.join(format!("Attachments/0a/{guid}"));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
        self.run(
            "UPDATE attachment SET transfer_state = 5, total_bytes = ?2 WHERE guid = 'at_0_' || ?1",
            params![guid, bytes.len() as i64],
        );
    }

    pub fn purge(&self, guid: &str, name: &str) {
        fs::remove_file(self.picture(guid, name)).unwrap();
        self.run("UPDATE attachment SET transfer_state = 0 WHERE guid = 'at_0_' || ?1", [guid]);
    }

    pub fn is_attached(&self, guid: &str) -> bool {
        let sql = "SELECT EXISTS (SELECT 1 FROM attachment WHERE guid = 'at_0_' || ?1)";
        self.db.query_row(sql, [guid], |row| row.get(0)).unwrap()
    }

    /// Where the file of an attachment is, if it is there.
    pub fn picture(&self, guid: &str, name: &str) -> PathBuf {
        self.folder.join(format!("Attachments/0a/{guid}/{name}"))
    }
}
