//! A library wrapped as a local backup of an iPhone, as Apple lays one out.

use std::fs;
use std::path::{Path, PathBuf};

use aes::Aes256;
use aes_kw::KwAes256;
use aes_kw::cipher::KeyInit as _;
use cbc::Encryptor;
use cbc::cipher::{Array, BlockModeEncrypt as _, KeyIvInit as _};
use plist::{Dictionary, Uid, Value};
use rusqlite::{Connection, params};
use sha1::{Digest as _, Sha1};
use sha2::Sha256;

/// How the backup is laid out.
#[derive(Debug, Clone, Copy, Default)]
pub struct Layout<'a> {
    /// Encrypted, with this password.
    pub password: Option<&'a str>,
    /// As until iOS 9: all files in one folder, listed in `Manifest.mbdb`.
    pub old: bool,
    /// The recorded sizes are off, as those of databases often are.
    pub wrong_sizes: bool,
}

const CLASS: u32 = 3;
const CLASS_KEY: [u8; 32] = [0x5a; 32];
const SALT: [u8; 20] = [7; 20];
const ROUNDS: u32 = 3;
const FIRST_SALT: [u8; 20] = [9; 20];
const FIRST_ROUNDS: u32 = 50;

/// A file of the device.
struct DeviceFile {
    domain: &'static str,
    path: String,
    bytes: Vec<u8>,
}

impl DeviceFile {
    fn id(&self) -> String {
        hexadecimal(&Sha1::digest(format!("{}-{}", self.domain, self.path)))
    }

    /// Any key will do, as long as each file has its own.
    fn key(&self) -> [u8; 32] {
        Sha256::digest(&self.path).into()
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Makes a backup of a library's folder, as it lies there (with `Preferences` in it), and an address book at `to`.
pub fn wrap(library: &Path, address_book: Option<&Path>, to: &Path, layout: Layout<'_>) {
    let database = ["chat.db", "sms.db"].into_iter().find(|name| library.join(name).exists()).unwrap();
    let mut files = vec![DeviceFile {
        domain: "HomeDomain",
        path: "Library/SMS/sms.db".into(),
        bytes: fs::read(library.join(database)).unwrap(),
    }];
    let log = fs::read(library.join(format!("{database}-wal"))).unwrap_or_default();
    if !log.is_empty() {
        files.push(DeviceFile { domain: "HomeDomain", path: "Library/SMS/sms.db-wal".into(), bytes: log });
    }
    if let Some(book) = address_book {
        let path = "Library/AddressBook/AddressBook.sqlitedb".into();
        files.push(DeviceFile { domain: "HomeDomain", path, bytes: fs::read(book).unwrap() });
        let log = fs::read(format!("{}-wal", book.display())).unwrap_or_default();
        if !log.is_empty() {
            let path = "Library/AddressBook/AddressBook.sqlitedb-wal".into();
            files.push(DeviceFile { domain: "HomeDomain", path, bytes: log });
        }
    }
    for file in files_below(&library.join("Preferences")) {
        let name = file.file_name().unwrap().to_str().unwrap();
        let path = format!("Library/Preferences/{name}");
        files.push(DeviceFile { domain: "HomeDomain", path, bytes: fs::read(&file).unwrap() });
    }
    for store in ["Attachments", "StickerCache", "Parts"] {
        for file in files_below(&library.join(store)) {
            let name = file.strip_prefix(library).unwrap().to_str().unwrap();
            let path = format!("Library/SMS/{name}");
            files.push(DeviceFile { domain: "MediaDomain", path, bytes: fs::read(&file).unwrap() });
        }
    }
    fs::create_dir_all(to).unwrap();
    for file in &files {
        let folder = if layout.old { to.to_owned() } else { to.join(&file.id()[..2]) };
        fs::create_dir_all(&folder).unwrap();
        let bytes = match layout.password {
            Some(_) => encrypted(&file.bytes, &file.key()),
            None => file.bytes.clone(),
        };
        fs::write(folder.join(file.id()), bytes).unwrap();
    }
    if layout.old {
        fs::write(to.join("Manifest.mbdb"), records(&files, layout)).unwrap();
    } else {
        let database = manifest(&files, layout);
        let bytes = match layout.password {
            Some(_) => encrypted(&database, &MANIFEST_KEY),
            None => database,
        };
        fs::write(to.join("Manifest.db"), bytes).unwrap();
    }
    property_lists(to, layout);
}

const MANIFEST_KEY: [u8; 32] = [0x77; 32];

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(files_below(&path)),
            false => files.push(path),
        }
    }
    files.sort();
    files
}

fn encrypted(plain: &[u8], key: &[u8; 32]) -> Vec<u8> {
    let padding = 16 - plain.len() % 16;
    let mut bytes = [plain, &vec![padding as u8; padding]].concat();
    let (blocks, _) = Array::slice_as_chunks_mut(&mut bytes);
    Encryptor::<Aes256>::new(key.into(), &Array::default()).encrypt_blocks(blocks);
    bytes
}

fn wrapped(by: &[u8; 32], key: &[u8; 32]) -> [u8; 40] {
    let mut wrapped = [0; 40];
    KwAes256::new(by.into()).wrap_key(key, &mut wrapped).unwrap();
    wrapped
}

/// The number of the class, and a key wrapped by the class's.
fn with_class(key: &[u8; 32]) -> Vec<u8> {
    [&CLASS.to_le_bytes()[..], &wrapped(&CLASS_KEY, key)].concat()
}

fn size(file: &DeviceFile, layout: Layout<'_>) -> i64 {
    let off = if layout.wrong_sizes { 8192 } else { 0 };
    (file.bytes.len() as i64 - off).max(0)
}

fn manifest(files: &[DeviceFile], layout: Layout<'_>) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Manifest.db");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(
        "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB);
         CREATE INDEX FilesDomainIdx ON Files(domain); CREATE INDEX FilesRelativePathIdx ON Files(relativePath);
         CREATE INDEX FilesFlagsIdx ON Files(flags); CREATE TABLE Properties (key TEXT PRIMARY KEY, value BLOB);
         INSERT INTO Files VALUES ('5a4935c78a5255723f707230a451d79c540d2741', 'HomeDomain', '', 2, NULL);",
    )
    .unwrap();
    for (number, file) in files.iter().enumerate() {
        // A regular file's flags are 1; other programs wrote 0, and its mode decides.
        let flags = if number % 3 == 1 { 0 } else { 1 };
        let row = params![file.id(), file.domain, file.path, flags, mb_file(number, file, layout)];
        db.execute("INSERT INTO Files VALUES (?1, ?2, ?3, ?4, ?5)", row).unwrap();
    }
    db.close().unwrap();
    fs::read(&path).unwrap()
}

fn mb_file(number: usize, file: &DeviceFile, layout: Layout<'_>) -> Vec<u8> {
    let dictionary = |entries: Vec<(&str, Value)>| {
        Value::Dictionary(
            entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Dictionary>(),
        )
    };
    let uid = |number| Value::Uid(Uid::new(number));
    let mut root = vec![
        ("Size", size(file, layout).into()),
        ("Mode", 0x81A4.into()),
        ("ProtectionClass", i64::from(CLASS).into()),
        ("RelativePath", uid(2)),
        ("$class", uid(3)),
    ];
    let class = dictionary(vec![("$classname", "MBFile".into())]);
    let mut objects = vec!["$null".into(), Value::Boolean(false), file.path.as_str().into(), class];
    if layout.password.is_some() {
        root.push(("EncryptionKey", uid(4)));
        objects.push(dictionary(vec![("NS.data", Value::Data(with_class(&file.key())))]));
    }
    // Some have one, as bytes or in a dictionary. What it is of is not known: it never fits here.
    let digest = Value::Data(vec![number as u8; 20]);
    if !number.is_multiple_of(3) {
        root.push(("Digest", uid(objects.len() as u64)));
        objects.push(if number % 3 == 1 { digest } else { dictionary(vec![("NS.data", digest)]) });
    }
    objects[1] = dictionary(root);
    let archive = dictionary(vec![
        ("$version", 100_000.into()),
        ("$archiver", "NSKeyedArchiver".into()),
        ("$top", dictionary(vec![("root", uid(1))])),
        ("$objects", Value::Array(objects)),
    ]);
    let mut bytes = Vec::new();
    archive.to_writer_binary(&mut bytes).unwrap();
    bytes
}

fn records(files: &[DeviceFile], layout: Layout<'_>) -> Vec<u8> {
    let string = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes()[..], bytes].concat();
    let mut records = b"mbdb\x05\x00".to_vec();
    // A folder and a link, which are no files, and have no blobs.
    for (mode, path, to) in
        [(0x41ED_u16, "Library/SMS/Attachments", ""), (0xA1ED, "Library/SMS/Link", "../..")]
    {
        records.extend([string(b"MediaDomain"), string(path.as_bytes()), string(to.as_bytes())].concat());
        records.extend([0xff; 4]);
        records.extend(mode.to_be_bytes());
        records.extend([0; 8 + 4 + 4 + 3 * 4 + 8 + 2]);
    }
    for (number, file) in files.iter().enumerate() {
        records.extend(string(file.domain.as_bytes()));
        records.extend(string(file.path.as_bytes()));
        records.extend([0xff; 2]);
        records.extend(string(&[number as u8; 20]));
        match layout.password {
            Some(_) => records.extend(string(&with_class(&file.key()))),
            None => records.extend([0xff; 2]),
        }
        records.extend(0x81A4_u16.to_be_bytes());
        records.extend([0; 8 + 4 + 4 + 3 * 4]);
        records.extend((size(file, layout) as u64).to_be_bytes());
        // Some have properties, with and without a value.
        records.extend([CLASS as u8, (number % 3) as u8]);
        for property in 0..number % 3 {
            records.extend(string(b"com.example.property"));
            records.extend(if property == 0 { string(b"value") } else { vec![0xff; 2] });
        }
    }
    records
}

fn property_lists(to: &Path, layout: Layout<'_>) {
    let write = |name: &str, entries: Vec<(&str, Value)>| {
        let entries: Dictionary = entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Value::Dictionary(entries).to_file_binary(to.join(name)).unwrap();
    };
    let made = plist::Date::from_xml_format("2024-05-01T10:00:00Z").unwrap();
    write(
        "Info.plist",
        vec![
            ("Device Name", "Ana's iPhone".into()),
            ("Product Type", "iPhone14,5".into()),
            ("Product Version", "18.1".into()),
            ("Last Backup Date", made.into()),
        ],
    );
    write("Status.plist", vec![("SnapshotState", "finished".into()), ("Version", "3.3".into())]);
    let mut manifest = vec![("IsEncrypted", layout.password.is_some().into())];
    if let Some(password) = layout.password {
        manifest.push(("BackupKeyBag", Value::Data(key_bag(password, layout.old))));
        if !layout.old {
            manifest.push(("ManifestKey", Value::Data(with_class(&MANIFEST_KEY))));
        }
    }
    write("Manifest.plist", manifest);
}

fn key_bag(password: &str, old: bool) -> Vec<u8> {
    let tag =
        |name: &str, value: &[u8]| [name.as_bytes(), &(value.len() as u32).to_be_bytes(), value].concat();
    let number = |name: &str, value: u32| tag(name, &value.to_be_bytes());
    let mut secret = password.as_bytes().to_vec();
    let mut bag =
        [number("VERS", 5), number("TYPE", 1), tag("UUID", &[1; 16]), tag("HMCK", &[2; 40])].concat();
    bag.extend([number("WRAP", 1), tag("SALT", &SALT), number("ITER", ROUNDS)].concat());
    if !old {
        let mut first = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(&secret, &FIRST_SALT, FIRST_ROUNDS, &mut first);
        secret = first.to_vec();
        bag.extend([number("DPWT", 1), number("DPIC", FIRST_ROUNDS), tag("DPSL", &FIRST_SALT)].concat());
    }
    let mut key = [0; 32];
    pbkdf2::pbkdf2_hmac::<Sha1>(&secret, &SALT, ROUNDS, &mut key);
    bag.extend([tag("UUID", &[3; 16]), number("CLAS", CLASS), number("WRAP", 2), number("KTYP", 0)].concat());
    bag.extend(tag("WPKY", &wrapped(&key, &CLASS_KEY)));
    bag
}
