//! How the archive spells a row of a source: handles by their row ids here, a GUID where it has none; and what is hashed of
//! it.
//!
//! **Must never**: look into the archive. A row is spelled by what it says, so that any thread can do it.

use rusqlite::types::ValueRef;

use super::fingerprint::Fingerprints;
use super::kind::Kind;
use super::places::number;
use super::row::{self, RowHash};
use super::scan::Wanted;
use super::visit::{Ids, Visit};
use crate::disk::hexadecimal;

/// A row as the archive spells it.
pub struct Spelled<'v> {
    /// The columns of [`Spelling::wanted`].
    pub values: Vec<ValueRef<'v>>,
    /// What the archive vouches for.
    pub hash: RowHash,
}

impl<'v> Spelled<'v> {
    /// Lets the row be known by this.
    pub fn rename(&mut self, guid: &'v [u8], spelling: &Spelling<'_>) {
        spelling.set_guid(&mut self.values, guid);
        self.hash = spelling.hash(&self.values);
    }

    /// Lets the row refer to other messages: by positions.
    pub fn refer(&mut self, referred: &'v [(usize, String)], spelling: &Spelling<'_>) {
        for (at, reference) in referred {
            if let Some(value) = self.values.get_mut(*at) {
                *value = ValueRef::Text(reference.as_bytes());
            }
        }
        if !referred.is_empty() {
            self.hash = spelling.hash(&self.values);
        }
    }
}

/// Spells the rows of one kind of one source.
pub struct Spelling<'h> {
    pub kind: Kind,
    source: i64,
    pub wanted: Wanted,
    /// Positions in `wanted` of what a row is known by.
    pub key: Vec<Option<usize>>,
    /// Positions of the columns that name a handle.
    naming_handles: Vec<usize>,
    /// Where the handles of the source are in the archive.
    handles: &'h Ids,
    hashed: Vec<bool>,
    /// Positions of the columns that make the fingerprint.
    watched: Vec<usize>,
    fingerprints: Fingerprints,
}

impl<'h> Spelling<'h> {
    /// `handles`: where those of the source are in the archive.
    pub fn new(kind: Kind, wanted: Wanted, visit: Visit<'_>, handles: &'h Ids) -> Spelling<'h> {
        let position = |name: &&str| wanted.lower.iter().position(|own| own == name);
        let (watched, fingerprints) = wanted.fingerprints(visit.archive);
        Spelling {
            kind,
            source: visit.source,
            key: kind.key().iter().map(position).collect(),
            naming_handles: kind.refers_to_handles().iter().filter_map(position).collect(),
            handles,
            hashed: wanted.lower.iter().map(|name| !kind.unhashed().contains(&name.as_str())).collect(),
            watched,
            fingerprints,
            wanted,
        }
    }

    /// The fingerprint of a row as the source has it.
    pub fn fingerprint(&self, values: &[ValueRef<'_>]) -> i64 {
        let watched = self.watched.iter().filter_map(|at| values.get(*at)).enumerate();
        watched.fold(0, |sum, (at, value)| sum.wrapping_add(self.fingerprints.of(at, *value)))
    }

    /// Spells a row that is spelled as the source does, and does `with` it.
    pub fn spell<R>(&self, values: Vec<ValueRef<'_>>, with: impl FnOnce(&Spelled<'_>) -> R) -> R {
        // Of a GUID that is made here, too.
        let mut values: Vec<ValueRef<'_>> = values;
        self.translate(&mut values);
        let own_guid = self.guid_of_its_own(&values);
        if let Some(guid) = &own_guid {
            self.set_guid(&mut values, guid.as_bytes());
        }
        with(&Spelled { hash: self.hash(&values), values })
    }

    /// Names handles by their row ids here.
    fn translate(&self, values: &mut [ValueRef<'_>]) {
        for at in &self.naming_handles {
            let Some(value) = values.get_mut(*at) else { continue };
            let handle = number(*value);
            if handle > 0 {
                let known = self.handles.get(&handle).copied();
                *value = ValueRef::Integer(known.unwrap_or_else(|| dangling(self.source, handle)));
            }
        }
    }

    /// What the row is known by, where that is one thing.
    pub fn guid<'v>(&self, values: &[ValueRef<'v>]) -> Option<ValueRef<'v>> {
        let [at] = *self.key else { return None };
        at.and_then(|at| values.get(at)).copied()
    }

    fn set_guid<'v>(&self, values: &mut [ValueRef<'v>], guid: &'v [u8]) {
        if let [Some(at)] = *self.key
            && let Some(value) = values.get_mut(at)
        {
            *value = ValueRef::Text(guid);
        }
    }

    /// A GUID for a row that has none, made of what is in it: so it is the same the next time.
    fn guid_of_its_own(&self, values: &[ValueRef<'_>]) -> Option<String> {
        if self.kind == Kind::Handle {
            return None;
        }
        let has_one = matches!(self.guid(values), Some(ValueRef::Text(guid)) if !guid.is_empty());
        (!has_one).then(|| format!("{MADE_HERE}{}", hexadecimal(&self.material_hash(values))))
    }

    fn hash(&self, values: &[ValueRef<'_>]) -> RowHash {
        self.hash_where(values, &self.hashed)
    }

    /// Of what matters: two states of a row that have the same are one.
    pub fn material_hash(&self, values: &[ValueRef<'_>]) -> RowHash {
        self.hash_where(values, &self.wanted.material)
    }

    fn hash_where(&self, values: &[ValueRef<'_>], taken: &[bool]) -> RowHash {
        let columns = self.wanted.lower.iter().zip(values).zip(taken);
        row::hash(columns.filter(|(_, taken)| **taken).map(|((name, value), _)| (name.as_str(), *value)))
    }
}

/// Beyond all row ids of ours.
pub const BEYOND: i64 = 1 << 60;

/// What a GUID begins with that is made for a row which has none.
const MADE_HERE: &str = "msgarchive-";

/// Whether a GUID was made for a row which had none. It is made of what the row said then.
pub fn is_made_here(guid: &[u8]) -> bool {
    guid.starts_with(MADE_HERE.as_bytes())
}

/// A number that is no row id of ours, for one that a source's row names and has not.
pub fn dangling(source: i64, rowid: i64) -> i64 {
    BEYOND | (source & 0xffff) << 40 | rowid & 0xff_ffff_ffff
}

/// Such a number.
pub fn is_dangling(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Integer(BEYOND..))
}
