//! A damaged database, looked over: which pages it has, what leads to them, and what they are of.
//!
//! **Must never**: believe a tree more than the rows that a page has.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::ops::RangeInclusive;
use std::path::Path;

use super::order::in_order;
use super::pages::{Pages, Record, Sort};
use super::shapes::{Shape, of_sums};
use crate::archive::objects::{Noted, Object};
use crate::archive::row::Owned;
use crate::archive::sums::Sums;

/// Where SQLite keeps what a database is made of.
const SCHEMA: u32 = 1;

/// What a look at every page came to.
pub struct Survey {
    pub pages: Pages,
    /// What the database is made of.
    pub objects: Vec<Object>,
    sorts: Vec<Option<Sort>>,
    /// The pages that a page leads to, each with the highest row id that is there, where that is said.
    below: HashMap<u32, Vec<(u32, Option<i64>)>>,
    free: HashSet<u32>,
    /// The sums that runs wrote down, by table.
    sums: BTreeMap<String, Sums>,
    /// In whose tree a page is, and which row ids belong there.
    trees: HashMap<u32, (usize, RangeInclusive<i64>)>,
    /// Trees that lead to what cannot be theirs.
    broken: HashSet<usize>,
}

impl Survey {
    /// Looks at every page. `None`: there are none.
    ///
    /// # Errors
    /// The disk's.
    pub fn of(file: &Path, noted: &Noted) -> io::Result<Option<Survey>> {
        let noted = match noted {
            Noted::As(objects) => Some(objects),
            Noted::Never | Noted::Damaged => None,
        };
        let size = noted.and_then(|objects| usize::try_from(objects.page_size).ok());
        let Some(mut pages) = Pages::open(file, size)? else { return Ok(None) };
        let (mut sorts, mut below) = (Vec::new(), HashMap::new());
        let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
        for number in pages.numbers() {
            let page = pages.read(number)?;
            let sort = page.as_ref().and_then(|page| page.sort());
            sorts.push(sort);
            let Some((page, sort)) = page.zip(sort) else { continue };
            if matches!(sort, Sort::RowsBelow | Sort::KeysBelow) {
                below.insert(number, page.below());
            }
            if matches!(sort, Sort::Keys | Sort::KeysBelow) {
                for (table, about, sum) in pages.records(&page)?.iter().filter_map(of_sums) {
                    sums.entry(table).or_default().insert(about, sum);
                }
            }
        }
        let free = pages.free()?;
        let (trees, broken) = (HashMap::new(), HashSet::new());
        let mut survey = Survey { pages, objects: Vec::new(), sorts, below, free, sums, trees, broken };
        survey.objects = made_of(survey.schema()?, noted.map(|noted| &*noted.all).unwrap_or_default());
        Ok(Some(survey))
    }

    /// What the database says itself that it is made of.
    fn schema(&mut self) -> io::Result<Vec<Object>> {
        let mut objects = Vec::new();
        for (number, _) in self.tree(SCHEMA, true).0 {
            for Record { values, .. } in self.records(number)?.unwrap_or_default() {
                if let [Owned::Text(_), Owned::Text(_), Owned::Text(_), Owned::Integer(_), _] = &values[..] {
                    objects.push(Object::of(&values));
                }
            }
        }
        Ok(objects)
    }

    /// The pages of the tree that begins with one, with the row ids that belong there, and whether it leads to what cannot be of
    /// it.
    fn tree(&self, root: u32, has_rowids: bool) -> (Vec<(u32, RangeInclusive<i64>)>, bool) {
        let (mut pages, mut seen, mut is_broken) = (Vec::new(), HashSet::new(), false);
        let mut next = vec![(root, i64::MIN..=i64::MAX)];
        while let Some((number, rowids)) = next.pop() {
            let at = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
            let sort = at.and_then(|at| self.sorts.get(at).copied()).flatten();
            let is_of_it = match sort {
                Some(Sort::Rows | Sort::RowsBelow) => has_rowids,
                Some(Sort::Keys | Sort::KeysBelow) => !has_rowids,
                None => false,
            };
            if !is_of_it {
                is_broken = true;
            } else if seen.insert(number) {
                let mut lowest = *rowids.start();
                for (below, highest) in self.below.get(&number).into_iter().flatten() {
                    let highest = highest.unwrap_or(*rowids.end());
                    next.push((*below, lowest..=highest));
                    lowest = highest.saturating_add(1);
                }
                pages.push((number, rowids));
            }
        }
        (pages, is_broken)
    }

    /// Finds out in whose tree each page is.
    pub fn grow(&mut self, shapes: &[Shape]) {
        let roots: Vec<(usize, u32)> = self
            .objects
            .iter()
            .filter_map(|object| {
                let shape = shapes.iter().position(|shape| shape.name == object.name)?;
                Some((shape, u32::try_from(object.root).ok()?))
            })
            .collect();
        for (shape, root) in roots {
            let (pages, is_broken) = self.tree(root, shapes[shape].has_rowids);
            if is_broken {
                self.broken.insert(shape);
            }
            for (page, rowids) in pages {
                self.trees.entry(page).or_insert((shape, rowids));
            }
        }
    }

    /// The rows of a page; `None`: it has none, or they are gone, or say what the database is made of.
    pub fn records(&mut self, number: u32) -> io::Result<Option<Vec<Record>>> {
        let Some(page) = self.pages.read(number)? else { return Ok(None) };
        let records = self.pages.records(&page)?;
        Ok(Some(records).filter(|records| !records.is_empty()))
    }

    /// Whether a page is in the tree of a table.
    pub fn is_in_tree(&self, number: u32, shape: usize) -> bool {
        self.trees.get(&number).is_some_and(|(of, _)| *of == shape)
    }

    /// Which of a page's rows lie where rows of their row ids belong.
    pub fn in_place(&self, number: u32, records: &[Record]) -> Vec<bool> {
        let anywhere = i64::MIN..=i64::MAX;
        let within = self.trees.get(&number).map_or(&anywhere, |(_, rowids)| rowids);
        let rowids: Vec<Option<i64>> = records.iter().map(|record| record.rowid).collect();
        in_order(&rowids, within)
    }

    /// Of which table the rows of a page are.
    pub fn shape_of(&self, number: u32, records: &[Record], shapes: &[Shape]) -> Option<usize> {
        if self.free.contains(&number) && !self.trees.contains_key(&number) {
            return None;
        }
        let fitting = |(at, shape): (usize, &Shape)| {
            let fits = records.iter().filter(|record| shape.fits(record)).count();
            (fits > 0).then_some((at, fits))
        };
        let fitting: Vec<(usize, usize)> = shapes.iter().enumerate().filter_map(fitting).collect();
        let most = fitting.iter().map(|(_, fits)| *fits).max()?;
        let best = fitting.into_iter().filter(|(_, fits)| *fits == most).max_by_key(|(at, _)| {
            let shape = &shapes[*at];
            let vouched = shape.vouched(records, &self.sums);
            let is_there = self.is_in_tree(number, *at);
            // What no sum vouches for is of this table all the same, if it is of no other.
            let is_denied = vouched == Some(0) && !is_there;
            let more = shape.more_than(records);
            (
                vouched.unwrap_or(0),
                is_there,
                !is_denied,
                self.broken.contains(at),
                Reverse(more),
                !shape.is_index,
            )
        });
        best.map(|(at, _)| at).filter(|at| !shapes[*at].is_index)
    }
}

/// What a database is made of, by what it says itself and by what was noted when it was whole: that is right, but of what
/// a run added since that did not come to note it.
fn made_of(own: Vec<Object>, noted: &[Object]) -> Vec<Object> {
    let is_it = |a: &Object, b: &Object| a.kind == b.kind && a.name == b.name;
    let mut objects = Vec::new();
    let is_named = |own: &[Object], noted: &Object| own.iter().any(|object| is_it(object, noted));
    let renamed: Vec<Option<&Object>> = own
        .iter()
        .map(|object| {
            let was_it = |noted: &&Object| {
                noted.kind == object.kind && noted.root == object.root && !is_named(&own, noted)
            };
            if is_named(noted, object) { None } else { noted.iter().find(was_it) }
        })
        .collect();
    for (object, renamed) in own.iter().zip(renamed) {
        // What has another name is what it was.
        let object = renamed.unwrap_or(object).clone();
        let as_noted = noted.iter().find(|noted| is_it(noted, &object));
        let sql =
            as_noted.filter(|noted| !object.has_more_columns(noted)).and_then(|noted| noted.sql.clone());
        objects.push(Object { sql: sql.or_else(|| object.sql.clone()), ..object });
    }
    // Where its own place is damaged a tree may begin where it began then.
    objects.extend(noted.iter().cloned());
    objects
}
