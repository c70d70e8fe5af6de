//! Rows of `attachment`, with or without the file.

use std::fs;
use std::path::Path;

use super::chatdb::{AttachmentId, Cell, Columns, Library, mix, seconds};
use super::keyed;

#[derive(Debug, Clone)]
pub(super) struct AttachmentRow {
    pub(super) columns: Columns,
    pub(super) guid: String,
    /// The sender's name for it.
    pub(super) name: String,
    /// Below the folder of the database.
    path: String,
    bytes: Option<Vec<u8>>,
    /// Further files, by their place below the folder of the attachment's own.
    others: Vec<(String, Vec<u8>)>,
    /// True until something refers to the GUID, or the test chose it.
    pub(super) renamable: bool,
}

impl AttachmentRow {
    /// Writes the file, where there is one.
    pub(super) fn write(&self, folder: &Path) {
        if let Some(bytes) = &self.bytes {
            let path = folder.join(&self.path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
            fs::write(path, bytes).expect("a writable file");
        }
        for (name, bytes) in &self.others {
            let path = folder.join(&self.path).with_file_name("").join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
            fs::write(path, bytes).expect("a writable file");
        }
    }

    /// Its file is written with the library.
    pub(super) fn is_here(&self) -> bool {
        self.bytes.is_some()
    }

    pub(super) fn set(&mut self, column: &str, value: impl Into<Cell>) {
        self.columns.insert(column.to_owned(), value.into().0);
    }

    pub(super) fn rename(&mut self, guid: &str) {
        self.guid = guid.to_owned();
        self.set("guid", guid);
        self.set("original_guid", guid);
    }
}

/// Describes one attachment. Until [`bytes`](Self::bytes) is called its file is missing.
pub struct AttachmentBuilder<'l> {
    library: &'l mut Library,
    index: usize,
}

impl<'l> AttachmentBuilder<'l> {
    pub(super) fn new(library: &'l mut Library, name: &str) -> Self {
        let guid = library.guid();
        let index = library.attachments.len();
        // As Messages does: two hexadecimal digits, the lower one again in decimal.
        let bucket = mix(index as u64 + 77) & 0xff;
        let path = format!("Attachments/{bucket:02x}/{:02}/{guid}/{name}", bucket & 0xf);
        let mut row = AttachmentRow {
            columns: Columns::new(),
            guid: guid.clone(),
            name: name.to_owned(),
            path: path.clone(),
            bytes: None,
            others: Vec::new(),
            renamable: true,
        };
        row.rename(&guid);
        let (uti, mime) = type_of(name);
        row.set("filename", format!("{}/{path}", library.schema.home()));
        row.set("transfer_name", name);
        row.set("created_date", library.clock);
        row.set("start_date", library.clock);
        row.set("transfer_state", 5);
        row.set("total_bytes", 0);
        row.set("uti", uti);
        if !mime.is_empty() {
            row.set("mime_type", mime);
        }
        library.attachments.push(row);
        Self { library, index }
    }

    fn row(&mut self) -> &mut AttachmentRow {
        &mut self.library.attachments[self.index]
    }

    /// The file's content; written to `Attachments/…` with the library.
    pub fn bytes(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        self.row().set("total_bytes", bytes.len() as i64);
        self.row().bytes = Some(bytes);
        self
    }

    /// A file that has no row, in the folder of this one (or in a folder there).
    pub fn beside(mut self, name: &str, bytes: impl Into<Vec<u8>>) -> Self {
        self.row().others.push((name.to_owned(), bytes.into()));
        self
    }

    /// What the database says of the size.
    pub fn size(self, bytes: i64) -> Self {
        self.raw("total_bytes", bytes)
    }

    /// Synced to iCloud and not on this disk.
    pub fn in_icloud(self) -> Self {
        self.raw("transfer_state", 0).raw("ck_sync_state", 1)
    }

    /// Never downloaded, and not in iCloud: a transfer that ran out.
    pub fn expired(self) -> Self {
        self.raw("transfer_state", 0).raw("ck_sync_state", 0)
    }

    /// Of a balloon, not shown on its own.
    pub fn hidden(self) -> Self {
        self.raw("hide_attachment", 1)
    }

    /// A sticker, at this place on the bubble (fractions of its width).
    pub fn sticker(self, pack: &str, x: f64, y: f64) -> Self {
        self.raw("is_sticker", 1).raw("sticker_user_info", keyed::sticker_user_info(pack, x, y))
    }

    pub fn created(mut self, at: &str) -> Self {
        let (seconds, _) = seconds(at);
        self.row().set("created_date", seconds);
        self
    }

    /// The stored path, in any form; the file stays where it would have been.
    pub fn path(self, filename: &str) -> Self {
        self.raw("filename", filename)
    }

    /// The file's place below the folder of the database, for paths that lead elsewhere.
    pub fn stored_at(mut self, relative: &str) -> Self {
        relative.clone_into(&mut self.row().path);
        self
    }

    /// Chooses the GUID.
    pub fn guid(mut self, guid: &str) -> Self {
        self.row().rename(guid);
        self.row().renamable = false;
        self
    }

    /// Sets a column to anything.
    pub fn raw(mut self, column: &str, value: impl Into<Cell>) -> Self {
        self.row().set(column, value);
        self
    }

    pub fn id(self) -> AttachmentId {
        AttachmentId(self.index as i64 + 1)
    }
}

/// Apple's type identifier and the MIME type of a name; Messages knows none for some.
fn type_of(name: &str) -> (&'static str, &'static str) {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" => ("public.jpeg", "image/jpeg"),
        "png" => ("public.png", "image/png"),
        "heic" => ("public.heic", "image/heic"),
        "gif" => ("com.compuserve.gif", "image/gif"),
        "mov" => ("com.apple.quicktime-movie", "video/quicktime"),
        "mp4" => ("public.mpeg-4", "video/mp4"),
        "caf" => ("com.apple.coreaudio-format", ""),
        "m4a" => ("com.apple.m4a-audio", "audio/x-m4a"),
        "pdf" => ("com.adobe.pdf", "application/pdf"),
        "vcf" => ("public.vcard", "text/vcard"),
        "txt" => ("public.plain-text", "text/plain"),
        "pluginpayloadattachment" => ("dyn.age81a5dzq7y066dbtf0g82peqf4hk2pdrb00n5xy", ""),
        _ => ("public.data", ""),
    }
}
