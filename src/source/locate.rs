//! Where an attachment's bytes lie: the paths in the database, mapped to where the library really is.
//!
//! A path in a database is hostile. `..` is never followed. A path that names something below `Library/Messages` or
//! `Library/SMS`, in any of its forms (`messages-format.md` 1.5), is looked for below the attachments' root. Any other
//! absolute path is believed only in this machine's own library, where Messages wrote it; in a copy it would
//! make an export take in whatever file of this machine its maker named. Nothing but files and folders is ever
//! taken, and no link that leaves the root.

use std::borrow::Cow;
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fmt::Debug;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use unicode_normalization::UnicodeNormalization;

use crate::disk::{is_gone, twice};
use crate::source::{Content, OutOfReach};

/// Where to look.
#[derive(Debug, Clone)]
pub(in crate::source) struct Roots {
    /// The folder with `Attachments` and `StickerCache`.
    root: PathBuf,
    /// The user's home, where the source is this machine's own library.
    home: Option<PathBuf>,
    /// Folders that content may lie in, links followed.
    allowed: Vec<PathBuf>,
    /// What the library's files lie in, where that is no folder.
    store: Option<Arc<dyn FileStore>>,
}

/// What was found at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::source) struct Located {
    pub content: Content,
    /// Not all of it is there.
    pub incomplete: bool,
}

impl From<Content> for Located {
    /// All of it.
    fn from(content: Content) -> Located {
        Located { content, incomplete: false }
    }
}

impl Located {
    /// What could not be looked at; `None` where that says that nothing is there.
    pub fn out_of_reach(path: &Path, error: &io::Error) -> Option<Located> {
        OutOfReach::because(path, error).map(|what| Content::OutOfReach(what).into())
    }
}

/// Files of a library that do not lie in a folder under their own names.
pub(in crate::source) trait FileStore: Debug + Send + Sync {
    /// The file or bundle with this path below the library, such as `Attachments/0a/10/X/a.jpg`; no name of it is `..`.
    fn find(self: Arc<Self>, path: &str) -> Option<Located>;
    /// The paths of all files in one of the library's folders, such as `Parts`; sorted.
    fn list(&self, folder: &str) -> Vec<String>;
}

impl Roots {
    /// `home`: only where the source is this machine's own library.
    pub fn new(root: &Path, home: Option<PathBuf>) -> Roots {
        let attachments = root.join("Attachments");
        // The folder itself was given for the one that holds it.
        let root = match root.parent() {
            Some(parent) if root.ends_with("Attachments") && !attachments.is_dir() => parent,
            _ => root,
        };
        let mut allowed = vec![root.to_owned()];
        if home.is_some() {
            // People move these to a bigger disk and leave a link.
            allowed.extend(["Attachments", "StickerCache"].map(|name| root.join(name)));
        }
        Roots {
            root: root.to_owned(),
            home,
            allowed: allowed.iter().filter_map(|folder| folder.canonicalize().ok()).collect(),
            store: None,
        }
    }

    /// Everything is in this store.
    pub fn of_store(store: Arc<dyn FileStore>) -> Roots {
        Roots { root: PathBuf::new(), home: None, allowed: Vec::new(), store: Some(store) }
    }

    /// The paths of all files two folders down in one of the library's, such as `Parts/0a/10/1-0.jpg`; sorted. No links
    /// are followed.
    pub fn list(&self, folder: &str) -> Vec<String> {
        if let Some(store) = &self.store {
            return store.list(folder);
        }
        let entries = |below: &str, folders: bool| {
            let entries = fs::read_dir(self.root.join(below)).into_iter().flatten().flatten();
            let wanted = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir() == folders));
            let names = wanted.filter_map(|entry| entry.file_name().into_string().ok());
            let mut paths: Vec<String> = names.map(|name| format!("{below}/{name}")).collect();
            paths.sort_unstable();
            paths
        };
        let first = entries(folder, true);
        let second = first.iter().flat_map(|first| entries(first, true));
        second.flat_map(|second| entries(&second, false)).collect()
    }
}

/// Looks paths up, listing a folder at most once.
#[derive(Debug)]
pub(in crate::source) struct Locator {
    roots: Roots,
    /// Folder → its entries, by folded name.
    listed: HashMap<PathBuf, HashMap<String, OsString>>,
    /// A folder right below a root that is not there.
    absent: Option<PathBuf>,
    /// Folders that no link leads to, from the root on.
    direct: HashSet<PathBuf>,
}

/// How many folders are remembered; then it starts afresh.
const REMEMBERED: usize = 1024;

impl Locator {
    pub fn new(roots: &Roots) -> Locator {
        Locator { roots: roots.clone(), listed: HashMap::new(), absent: None, direct: HashSet::new() }
    }

    /// The file that lies exactly where `attachment.filename` says, and what the system says of it, in one question. `None`
    /// says nothing: it may be a link, lie elsewhere, or be written otherwise.
    pub fn glance(&self, filename: &str) -> Option<(PathBuf, fs::Metadata)> {
        let place = place(filename).filter(|place| place.from == Origin::Library)?;
        if self.roots.store.is_some() {
            return None;
        }
        let mut exact = self.roots.root.clone();
        exact.extend(&place.names);
        let about = fs::symlink_metadata(&exact).ok().filter(fs::Metadata::is_file)?;
        Some((exact, about))
    }

    /// The bytes that `attachment.filename` names, where they are here, or should be and cannot be looked at.
    pub fn find(&mut self, filename: &str) -> Option<Located> {
        let place = place(filename)?;
        if let Some(store) = &self.roots.store {
            return Arc::clone(store).find(&place.names.join("/")).filter(|_| place.from == Origin::Library);
        }
        let root = match place.from {
            Origin::Library => self.roots.root.clone(),
            Origin::Home => self.roots.home.clone()?,
            Origin::Machine => self.roots.home.is_some().then(|| PathBuf::from("/"))?,
        };
        let mut exact = root.clone();
        exact.extend(&place.names);
        // In a copy without attachments, not every one of them is looked for.
        let first = root.join(place.names.first()?);
        if self.absent.as_ref() == Some(&first) {
            return None;
        }
        let below_root = place.from == Origin::Library;
        twice(|| self.look(&root, &exact, &place.names, below_root))
            .unwrap_or_else(|error| Located::out_of_reach(&exact, &error))
    }

    /// `below_root`: no link may lead out of the root.
    fn look(
        &mut self,
        root: &Path,
        exact: &Path,
        names: &[String],
        below_root: bool,
    ) -> io::Result<Option<Located>> {
        let (path, mut about) = match fs::symlink_metadata(exact) {
            Ok(about) => (exact.to_owned(), about),
            Err(error) if is_gone(&error) => match self.walk(root, names)? {
                Some(path) => {
                    let about = fs::symlink_metadata(&path)?;
                    (path, about)
                }
                None => return Ok(None),
            },
            Err(error) => return Err(error),
        };
        let is_link = about.is_symlink();
        if below_root && (is_link || !path.parent().is_some_and(|folder| self.is_direct(folder))) {
            let real = path.canonicalize()?;
            if !self.roots.allowed.iter().any(|root| real.starts_with(root)) {
                return Ok(None);
            }
        }
        if is_link {
            about = fs::metadata(&path)?;
        }
        Ok(if about.is_file() {
            let bytes = about.len();
            Some(Content::File { path, bytes }.into())
        } else if about.is_dir() {
            Some(Content::Folder { path }.into())
        } else {
            None
        })
    }

    /// No link is on the way from the root to this folder below it: what lies there lies below the root, and nothing has
    /// to be resolved to know. A library has a folder for each attachment, so they are asked for once each.
    fn is_direct(&mut self, folder: &Path) -> bool {
        if folder == self.roots.root {
            // One that is not there is no folder to lie in.
            return !self.roots.allowed.is_empty();
        }
        if self.direct.contains(folder) {
            return true;
        }
        let is_direct = fs::symlink_metadata(folder).is_ok_and(|about| about.is_dir())
            && folder.parent().is_some_and(|parent| self.is_direct(parent));
        if is_direct {
            if self.direct.len() >= REMEMBERED {
                self.direct.clear();
            }
            self.direct.insert(folder.to_owned());
        }
        is_direct
    }

    /// Name by name, by case and Unicode form as the folders have them.
    fn walk(&mut self, root: &Path, names: &[String]) -> io::Result<Option<PathBuf>> {
        let mut path = root.to_owned();
        for name in names {
            let exact = path.join(name);
            match fs::symlink_metadata(&exact) {
                Ok(_) => path = exact,
                Err(error) if is_gone(&error) => {
                    let Some(entry) = self.entries(&path)?.get(&fold(name)).cloned() else {
                        if path == root {
                            self.absent = Some(exact);
                        }
                        return Ok(None);
                    };
                    path.push(entry);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Some(path))
    }

    /// Of a folder that is not there, none.
    fn entries(&mut self, folder: &Path) -> io::Result<&HashMap<String, OsString>> {
        if self.listed.len() >= REMEMBERED && !self.listed.contains_key(folder) {
            self.listed.clear();
        }
        match self.listed.entry(folder.to_owned()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => Ok(unknown.insert(listed(folder)?)),
        }
    }
}

/// See [`Locator::listed`].
fn listed(folder: &Path) -> io::Result<HashMap<String, OsString>> {
    let mut entries = HashMap::new();
    let found = match fs::read_dir(folder) {
        Err(error) if is_gone(&error) => return Ok(entries),
        found => found?,
    };
    for entry in found {
        let name = entry?.file_name();
        // Of names that differ in case only, always the same one.
        let kept: &mut OsString =
            entries.entry(fold(&name.to_string_lossy())).or_insert_with(|| name.clone());
        if name < *kept {
            *kept = name;
        }
    }
    Ok(entries)
}

fn fold(name: &str) -> String {
    name.nfd().flat_map(char::to_lowercase).nfc().collect()
}

/// A stored path: from where, and the names on the way.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    from: Origin,
    names: Vec<String>,
}

#[derive(Debug, PartialEq, Eq)]
enum Origin {
    /// The folder with `Attachments`.
    Library,
    Home,
    /// The root of the file system.
    Machine,
}

fn place(filename: &str) -> Option<Place> {
    let path: Cow<str> = match filename.strip_prefix("file://") {
        Some(url) => percent_decoded(url.strip_prefix("localhost").unwrap_or(url)).into(),
        None => filename.into(),
    };
    let (mut from, path) = match path.strip_prefix("~/") {
        Some(path) => (Origin::Home, path),
        None if path.starts_with('/') => (Origin::Machine, &*path),
        None => (Origin::Library, &*path),
    };
    let mut names: Vec<String> =
        path.split('/').filter(|name| !matches!(*name, "" | ".")).map(str::to_owned).collect();
    let hostile =
        |name: &String| name == ".." || name.contains('\0') || cfg!(windows) && name.contains(['\\', ':']);
    if names.is_empty() || names.iter().any(hostile) {
        return None;
    }
    let below_library = names.windows(2).position(|pair| {
        matches!(pair, [library, store] if library == "Library" && (store == "Messages" || store == "SMS"))
    });
    if let Some(library) = below_library {
        names.drain(..library + 2);
        from = Origin::Library;
    }
    // What lies right below the library is a store, or the database itself.
    let fewest = if below_library.is_some() { 2 } else { 1 };
    (names.len() >= fewest).then_some(Place { from, names })
}

fn percent_decoded(url: &str) -> String {
    let mut bytes = Vec::with_capacity(url.len());
    let mut rest = url.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(byte));
        rest = match code {
            Some(_) => after.get(2..).unwrap_or_default(),
            None => after,
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_stored_form_leads_below_the_root() {
        for form in [
            "~/Library/Messages/Attachments/0a/10/X/a b.jpg",
            "~/Library/SMS/Attachments/0a/10/X/a b.jpg",
            "/var/mobile/Library/SMS/Attachments/0a/10/X/a b.jpg",
            "/private/var/mobile/Library/SMS/Attachments/0a/10/X/a b.jpg",
            "/Users/ana/Library/Messages/Attachments//0a/./10/X/a b.jpg",
            "file:///Users/ana/Library/Messages/Attachments/0a/10/X/a%20b.jpg",
            "file://localhost/Users/ana/Library/Messages/Attachments/0a/10/X/a%20b.jpg",
            "Library/SMS/Attachments/0a/10/X/a b.jpg",
            "Attachments/0a/10/X/a b.jpg",
        ] {
            let place = place(form).unwrap();
            assert_eq!(place.from, Origin::Library, "{form}");
            assert_eq!(place.names.join("/"), "Attachments/0a/10/X/a b.jpg", "{form}");
        }
        assert_eq!(place("/etc/passwd").unwrap().from, Origin::Machine);
        assert_eq!(place("~/Desktop/x").unwrap().from, Origin::Home);
    }

    #[test]
    fn nothing_climbs() {
        for hostile in [
            "",
            "/",
            "~/",
            "~/Library/Messages",
            "~/Library/Messages/Attachments",
            "~/Library/Messages/chat.db",
            "~/Library/Messages/../../.ssh/id",
            "Attachments/../../x",
            "file:///x/Library/Messages/%2e%2e/x",
            "Attachments/a\0b",
        ] {
            assert_eq!(place(hostile), None, "{hostile}");
        }
    }

    #[test]
    fn percent_signs_that_are_none_stay() {
        assert_eq!(percent_decoded("a%20b%zz%4"), "a b%zz%4");
        assert_eq!(percent_decoded("%C3%A9%"), "é%");
    }

    fn library() -> (tempfile::TempDir, Locator) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("Messages");
        fs::create_dir_all(root.join("Attachments/0a/10/X")).unwrap();
        let locator = Locator::new(&Roots::new(&root, None));
        (folder, locator)
    }

    #[test]
    fn finds_files_and_bundles_in_any_spelling() {
        let (folder, mut locator) = library();
        let x = folder.path().join("Messages/Attachments/0a/10/X");
        fs::write(x.join("Cafe\u{301}.JPG"), b"12345").unwrap();
        fs::create_dir(x.join("a.pages")).unwrap();
        let mut bytes = |name: &str| {
            locator
                .find(&format!("~/Library/Messages/Attachments/0A/10/X/{name}"))
                .map(|found| found.content.bytes())
        };
        assert_eq!(bytes("Cafe\u{301}.JPG"), Some(Some(5)));
        assert_eq!(bytes("café.jpg"), Some(Some(5)));
        assert_eq!(bytes("a.pages"), Some(None));
        assert_eq!(bytes("cafe.jpg"), None);
    }

    #[test]
    fn a_copy_names_no_file_of_this_machine() {
        let (folder, mut locator) = library();
        let outside = folder.path().join("secret");
        fs::write(&outside, b"secret").unwrap();
        assert_eq!(locator.find(outside.to_str().unwrap()), None);
        let root = folder.path().join("Messages");
        let mut live = Locator::new(&Roots::new(&root, Some(folder.path().to_owned())));
        assert!(live.find(outside.to_str().unwrap()).is_some());
        assert!(live.find("~/secret").is_some());
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out() {
        let (folder, mut locator) = library();
        fs::write(folder.path().join("secret"), b"secret").unwrap();
        let attachments = folder.path().join("Messages/Attachments");
        std::os::unix::fs::symlink(folder.path(), attachments.join("out")).unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), attachments.join("s")).unwrap();
        fs::write(attachments.join("real"), b"here").unwrap();
        std::os::unix::fs::symlink(attachments.join("real"), attachments.join("in")).unwrap();
        std::os::unix::fs::symlink(folder.path(), attachments.join("0a/10/X/out")).unwrap();
        fs::write(attachments.join("0a/10/X/a"), b"1").unwrap();
        // What is known of the folders on the way lets nothing out, either.
        for _ in 0..2 {
            assert!(locator.find("Attachments/0a/10/X/a").is_some());
            assert_eq!(locator.find("Attachments/0a/10/X/out/secret"), None);
            assert_eq!(locator.find("Attachments/out/secret"), None);
            assert_eq!(locator.find("Attachments/s"), None);
            assert!(locator.find("Attachments/in").is_some());
        }
    }

    #[test]
    fn the_attachments_folder_itself_will_do() {
        let (folder, _) = library();
        let x = folder.path().join("Messages/Attachments/0a/10/X");
        fs::write(x.join("a"), b"1").unwrap();
        let root = folder.path().join("Messages/Attachments");
        let mut locator = Locator::new(&Roots::new(&root, None));
        assert!(locator.find("~/Library/SMS/Attachments/0a/10/X/a").is_some());
    }
}
