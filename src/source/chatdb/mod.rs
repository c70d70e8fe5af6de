//! `chat.db` and `sms.db`, from iOS 6 and OS X 10.8 on: Apple's database as a [`Source`].
//!
//! **Must never**: decide by a version what a column can say; scan `message` for a page.

mod archived;
mod census;
mod guids;
mod hanging;
mod live;
mod lookup;
mod query;
mod rows;
mod session;
mod weighing;
mod weights;
mod windows;

pub use guids::target_of;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::Connection;

use archived::Archived;
use census::Census;
pub(super) use live::{film, may_be_film};
pub use lookup::Lookup;
use query::Queries;
use session::Reader;

use super::contacts::{self, Contact, ContactsError};
use super::database::{self, Columns, Disk, Guard, Layout, Opened, Pool, lock};
use super::locate::Roots;
use super::{
    ChatId, Deletions, OpenOptions, RawChat, RawHandle, Says, Scale, Session, Source, SourceDigest,
    SourceError, SourceInfo,
};

/// An open Messages database.
#[derive(Debug)]
pub struct ChatDb {
    info: SourceInfo,
    queries: Queries,
    census: Census,
    archived: Archived,
    /// Whether windows can be ranges of the join's dates.
    joins_have_own_dates: bool,
    roots: Roots,
    /// How many sessions there may be: as many threads look for contents.
    workers: usize,
    /// For what is asked of the source itself: never waits for a session.
    own: Mutex<Connection>,
    pool: Pool,
    /// Every row's own date, by row id; read when it is first needed.
    dates: Mutex<Option<Dates>>,
    guard: Guard,
    disk: Disk,
}

type Dates = Arc<Vec<(i64, i64)>>;

impl ChatDb {
    /// Opens a database, or the one in a folder, and counts what is in it.
    ///
    /// # Errors
    /// [`SourceError`] saying what the path is instead.
    pub fn open(path: &Path, options: &OpenOptions) -> Result<ChatDb, SourceError> {
        ChatDb::from(Opened::new(path, options)?, options)
    }

    /// As [`ChatDb::open`], of what is open already.
    pub(super) fn from(mut opened: Opened, options: &OpenOptions) -> Result<ChatDb, SourceError> {
        let failed = || SourceError::database(&opened.path);
        if opened.layout != Layout::Modern {
            let what = "one of iOS 5 or older, which is read otherwise";
            return Err(SourceError::NotMessages { path: opened.path, what });
        }
        let queries = Queries::new(&opened.schema);
        let Some(other) = opened.connections.first_mut() else {
            return Err(failed()(rusqlite::Error::QueryReturnedNoRows));
        };
        let census = Census::take(&mut opened.own, other, &queries).map_err(failed())?;
        let archived = Archived::read(&opened.own, &opened.schema, options).map_err(failed())?;
        if let Some(custody) = &mut opened.info.custody {
            custody.lost_anywhere = archived.lost().anywhere;
        }
        let joins_have_own_dates = {
            let mut statement = opened.own.prepare(&queries.date).map_err(failed())?;
            let date_of = |rowid| statement.query_row([rowid], |row| Ok(Columns::from(row, 0).number()));
            // Where a damaged place of the file hides a date, the joins are not believed.
            queries.page.is_some() && census.joins_have_own_dates(date_of).unwrap_or(false)
        };
        let roots = opened.roots(options);
        Ok(ChatDb {
            roots,
            workers: options.sessions.max(1),
            info: opened.info,
            queries,
            census,
            archived,
            joins_have_own_dates,
            own: Mutex::new(opened.own),
            pool: Pool::new(opened.connections),
            dates: Mutex::new(None),
            guard: opened.guard,
            disk: Disk::default(),
        })
    }

    /// Every SQL statement that reads this database, with its name: for tests of the query plans.
    pub fn statements(&self) -> Vec<(&'static str, &str)> {
        self.queries.all()
    }

    /// Every row's own date, by row id: 16 bytes a row, from one scan of an index.
    fn dates(&self, connection: &Connection) -> Result<Dates, SourceError> {
        let mut known = lock(&self.dates);
        if let Some(dates) = &*known {
            return Ok(Arc::clone(dates));
        }
        let read = || -> rusqlite::Result<Vec<(i64, i64)>> {
            let mut statement = connection.prepare(&self.queries.dates)?;
            let mut rows = statement.query([])?;
            let mut dates = Vec::new();
            while let Some(row) = rows.next()? {
                let mut c = Columns::from(row, 0);
                dates.push((c.number(), c.number()));
            }
            dates.sort_unstable();
            Ok(dates)
        };
        let dates = Arc::new(read().map_err(SourceError::database(&self.info.path))?);
        *known = Some(Arc::clone(&dates));
        Ok(dates)
    }

    /// Every row of a statement, made into something.
    fn all<T>(
        &self,
        sql: &Option<String>,
        make: impl Fn(&rusqlite::Row<'_>) -> T,
    ) -> Result<Vec<T>, SourceError> {
        let Some(sql) = sql else {
            return Ok(Vec::new());
        };
        let connection = lock(&self.own);
        let read = || -> rusqlite::Result<Vec<T>> {
            let mut statement = connection.prepare(sql)?;
            statement.query_map([], |row| Ok(make(row)))?.collect()
        };
        read().map_err(SourceError::database(&self.info.path))
    }
}

impl Source for ChatDb {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn contacts(&self) -> Option<Result<Vec<Contact>, ContactsError>> {
        contacts::of_archive(&lock(&self.own), &self.info)
    }

    fn handles(&self) -> Result<Vec<RawHandle>, SourceError> {
        self.all(&self.queries.handles, rows::handle)
    }

    fn chats(&self) -> Result<Vec<RawChat>, SourceError> {
        let mut chats: BTreeMap<i64, RawChat> =
            self.all(&self.queries.chats, rows::chat)?.into_iter().map(|chat| (chat.rowid, chat)).collect();
        for rowid in self.census.chats.keys().chain(self.archived.lost().of_chats.keys()) {
            chats.entry(*rowid).or_insert_with(|| RawChat { rowid: *rowid, ..RawChat::default() });
        }
        let lookups = self.all(&self.queries.lookups, |row| {
            let mut c = Columns::from(row, 0);
            (c.number(), c.text(), c.text())
        })?;
        for (chat, domain, identifier) in lookups {
            if let (Some(chat), Some(domain), Some(identifier)) = (chats.get_mut(&chat), domain, identifier) {
                chat.lookups.push((domain, identifier));
            }
        }
        let mut services: HashMap<i64, BTreeSet<String>> = HashMap::new();
        let of_chats = self.all(&self.queries.services, |row| {
            let mut c = Columns::from(row, 0);
            (c.number(), c.text())
        })?;
        for (chat, service) in of_chats {
            services.entry(chat).or_default().extend(service);
        }
        let of_handles: HashMap<i64, Option<String>> =
            self.handles()?.into_iter().map(|handle| (handle.rowid, handle.service)).collect();
        for (rowid, chat) in &mut chats {
            self.archived.tell(chat);
            if let Some(members) = self.census.members.get(rowid) {
                chat.handle_ids.clone_from(members);
            }
            if let Some(rows) = self.census.chats.get(rowid) {
                chat.senders.clone_from(&rows.senders);
                chat.rows = rows.len();
                chat.last = rows.last;
            }
            let mut all = services.remove(rowid).unwrap_or_default();
            all.extend(chat.service_name.clone());
            let people = chat.handle_ids.iter().chain(&chat.senders);
            all.extend(people.filter_map(|handle| of_handles.get(handle)?.clone()));
            chat.services = all.into_iter().filter(|s| !s.is_empty()).collect();
        }
        let mut chats: Vec<RawChat> = chats.into_values().collect();
        if !self.census.orphans.is_empty() {
            chats.push(RawChat {
                rowid: ChatId::ORPHANS.0,
                orphans: true,
                rows: self.census.orphans.len(),
                ..RawChat::default()
            });
        }
        Ok(chats)
    }

    fn deletions(&self) -> Result<Deletions, SourceError> {
        let guids = |sql: Option<&str>| -> Result<Vec<String>, SourceError> {
            let mut guids = Vec::new();
            database::scan(&lock(&self.own), sql, |c| guids.extend(c.text().filter(|guid| !guid.is_empty())))
                .map_err(SourceError::database(&self.info.path))?;
            Ok(guids)
        };
        let mut deletions =
            Deletions { chats: guids(self.queries.deleted_chats.as_deref())?, ..Deletions::default() };
        for (_, sql) in &self.queries.deleted {
            deletions.messages.extend(guids(Some(sql))?);
        }
        for (_, table, sql) in &self.queries.unsent_deletions {
            let unsent = deletions.unsent.get_or_insert_default();
            let count = match *table {
                "sync_deleted_chats" => &mut unsent.chats,
                "sync_deleted_attachments" => &mut unsent.attachments,
                _ => &mut unsent.messages,
            };
            database::scan(&lock(&self.own), Some(sql), |c| *count += c.number().max(0) as u64)
                .map_err(SourceError::database(&self.info.path))?;
        }
        Ok(deletions)
    }

    fn says(&self) -> Says {
        self.queries.says
    }

    fn weigh(&self, scale: &mut dyn Scale) -> Result<(), SourceError> {
        Reader::new(self, self.pool.take()).lay_all(scale)
    }

    fn session(&self) -> Result<Box<dyn Session + '_>, SourceError> {
        Ok(Box::new(Reader::new(self, self.pool.take())))
    }

    fn digest(&self) -> Option<SourceDigest> {
        self.guard.digest()
    }

    fn unchanged(&self) -> Result<(), SourceError> {
        self.guard.unchanged()
    }

    fn undamaged(&self) -> Result<(), SourceError> {
        database::undamaged(&lock(&self.own), &self.info.path)
    }
}
