//! What is new in the sources, written to the archive's database in one transaction, with the record that closes over it.

use rusqlite::{Connection, TransactionBehavior};
use sha2::{Digest as _, Sha256};

use super::ArchiveError;
use super::absence::UncertainAbsences;
use super::contents::Unreadable;
use super::damage::UncertainNotes;
use super::deletions::{self, Told};
use super::folder::Folder;
use super::given::ArchiveOptions;
use super::gone_for_good::{GoneForGood, GoneSource};
use super::inherit::Heir;
use super::lost_thing::LostThing;
use super::mend::Mending;
use super::moves::{ELSEWHERE, look_again_at_moved};
use super::noticed;
use super::people;
use super::placed::still_missing;
use super::prepared::Prepared;
use super::ready::Ready;
use super::record::{self, Accepted, Counts, RunRecord, SourceRead};
use super::schema::{self, Columns};
use super::sums::{self, Following, Totals};
use super::untyped::untype;
use super::visit::Visit;
use super::visiting::Visiting;
use super::whereabouts::whole;
use crate::disk::hexadecimal;
use crate::pipeline::Progress;
use crate::source::SourceKind;

/// What a run adds to, and how.
pub struct Adding<'a> {
    pub folder: &'a Folder,
    pub started: &'a str,
    /// Sources that are gone for good, as this run is told.
    pub gone: &'a [GoneSource],
    pub options: ArchiveOptions<'a>,
}

impl Adding<'_> {
    /// Writes everything to the database, in one transaction.
    ///
    /// # Errors
    /// [`ArchiveError`]; the database is as it was then.
    pub fn add(
        self,
        ready: &mut Ready<'_>,
        visits: &[Prepared<'_>],
        progress: &dyn Progress,
    ) -> Result<RunRecord, ArchiveError> {
        let Adding { folder, started, gone, options } = self;
        let Ready { connection, objects, found_damaged, set_aside, .. } = ready;
        let failed = || ArchiveError::database(folder.database());
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed())?;
        let previous = record::latest(&transaction).map_err(failed())?;
        let mut number = previous.as_ref().map_or(1, |(number, _)| number + 1);
        // Of runs whose records are lost.
        while found_damaged.runs.contains(&number) {
            number += 1;
        }
        let mut record = RunRecord {
            archive: folder.id.clone(),
            name: record::name(started, number),
            number,
            started: started.to_owned(),
            sources: Vec::new(),
            gone_for_good: gone.to_vec(),
            counts: Counts::default(),
            unreadable: set_aside.iter().chain(options.away).cloned().collect(),
            damage: found_damaged.words.clone(),
            lost: Vec::new(),
            lost_of: Vec::new(),
            still_damaged: Vec::new(),
            still_damaged_of: Vec::new(),
            found_again: Vec::new(),
            found_again_of: Vec::new(),
            accepted: Default::default(),
            text: String::new(),
        };
        let mut columns = Columns::read(&transaction).map_err(failed())?;
        for prepared in visits {
            columns.unite(&transaction, prepared.tables).map_err(failed())?;
        }
        for prepared in visits {
            untype(&transaction, prepared.tables)?;
        }
        let mut summed = previous.as_ref().and_then(|(_, text)| Totals::of_record(text));
        let following = match &summed {
            Some(_) if sums::are_there(&transaction).map_err(failed())? => {
                Some(Following::begin(&transaction, objects.clone()).map_err(failed())?)
            }
            _ => None,
        };
        look_again_at_moved(&transaction, summed.get_or_insert_default()).map_err(failed())?;
        deletions::show(&transaction).map_err(failed())?;
        let damaged = found_damaged.by_kind();
        let uncertain_absences = UncertainAbsences::of(found_damaged);
        let doubtful_places = UncertainNotes::of(found_damaged, ELSEWHERE);
        let mending =
            Mending { connection: &transaction, folder: folder.path(), found: found_damaged, run: number };
        let mended = mending.all(&columns).map_err(failed())?;
        // All, before any of them is asked whose place it took.
        for prepared in visits {
            note_source(&transaction, &source_read(prepared), prepared.highest, number).map_err(failed())?;
        }
        let (mut archives, mut given_up_there) = (Vec::new(), Vec::new());
        for prepared in visits {
            let source = source_read(prepared);
            let first = previous.is_none() && record.sources.is_empty() && prepared.tables.unique_guids();
            match first {
                true => schema::sparse_index(&transaction, &columns).map_err(failed())?,
                false => schema::index(&transaction, &columns).map_err(failed())?,
            }
            let visit = Visit { archive: &folder.id, source: prepared.source, run: number, first };
            mending.aliases(prepared.tables, prepared.source)?;
            let damaged = &damaged;
            let heir = Heir::of(&transaction, &columns, prepared.tables, visit)?;
            let mut refused = Visiting {
                connection: &transaction,
                columns: &columns,
                prepared,
                visit,
                heir: &heir,
                damaged,
                uncertain_absences: &uncertain_absences,
                doubtful_places: &doubtful_places,
                vanished: &mended.vanished,
            }
            .take_all(&mut record.counts, progress)?;
            if heir.cards(&mut refused)? {
                people::take(&transaction, prepared.source, number, prepared.contacts).map_err(failed())?;
            }
            record.unreadable.extend(refused.in_words(&source.path));
            given_up_there.extend(refused.all_given_up());
            progress.phase("Making indexes");
            schema::index(&transaction, &columns).map_err(failed())?;
            // By these its newest message is found.
            let for_news = found_damaged.words.is_empty() && refused.is_none();
            let told = Told { is_own_copy: heir.is_copy(), until: heir.until()?, for_news };
            deletions::note_state(&transaction, prepared, told, number, options.now).map_err(failed())?;
            record.counts.read += source.read;
            record.sources.push(source);
            prepared.tables.unchanged()?;
            if prepared.tables.info().kind == SourceKind::Archive {
                archives.push(heir);
            }
        }
        // Whatever came first, and what any of them lost.
        archives.iter().try_for_each(Heir::held)?;
        noticed::count(&transaction, number, &mut record.counts).map_err(failed())?;
        record.counts.still_missing = still_missing(&transaction, visits).map_err(failed())?;
        record.unreadable.extend(unreadable(visits));
        record.unreadable.extend(visits.iter().filter_map(|visit| visit.tables.info().unread.clone()));
        let gone = GoneForGood::read(&transaction).map_err(failed())?.and(gone, started);
        let mut given_up = mending.give_up(&columns, &mended, (visits, &gone)).map_err(failed())?;
        for row in given_up_there {
            given_up.lost.push(mending.lost_elsewhere(row).map_err(failed())?);
        }
        let apart = |things: Vec<LostThing>| things.into_iter().map(|thing| (thing.what, thing.of)).unzip();
        (record.still_damaged, record.still_damaged_of) = apart(given_up.still_damaged);
        (record.lost, record.lost_of) = apart(given_up.lost);
        (record.found_again, record.found_again_of) = apart(given_up.found_again);
        progress.phase("Writing the record");
        // All there is, where nothing was before: quicker than one by one.
        let only = previous.is_some().then_some(number);
        let rows = record::rows_by_run(&transaction, only).map_err(failed())?;
        let totals = record::totals(&transaction).map_err(failed())?;
        let sums = match following {
            Some(following) => following.end(&transaction, summed.unwrap_or_default(), &found_damaged.sums),
            None => sums::make(&transaction),
        };
        record.accepted = Accepted::now(&transaction, &mended.runs).map_err(failed())?;
        for (run, accepted) in &record.accepted {
            let LostThing { what, of } = accepted.lost(&transaction, *run).map_err(failed())?;
            record.lost.push(what);
            record.lost_of.push(of);
        }
        for (run, accepted) in &record.accepted {
            transaction
                .execute("UPDATE msgarchive_run SET sha256 = ?2 WHERE run = ?1", (run, &accepted.record))
                .map_err(failed())?;
        }
        record.close(
            previous.as_ref().map(|(_, text)| text.as_str()),
            rows.get(&number).cloned().unwrap_or_else(record::no_rows),
            totals,
            &sums.map_err(failed())?,
        );
        transaction
            .execute(
                "INSERT INTO msgarchive_run (run, date, name, record, sha256) VALUES (?1, ?2, ?3, ?4, ?5)",
                (number, started, &record.name, &record.text, hexadecimal(&Sha256::digest(&record.text))),
            )
            .map_err(failed())?;
        if progress.interrupted() {
            return Err(ArchiveError::Interrupted);
        }
        if options.dry_run {
            transaction.rollback().map_err(failed())?;
        } else {
            transaction.commit().map_err(failed())?;
        }
        Ok(record)
    }
}

/// So many attachments that cannot be read are named; of more there is one cause.
const NAMED: usize = 1000;

/// In words: the attachments whose bytes could not be read.
fn unreadable(visits: &[Prepared<'_>]) -> Vec<String> {
    let all = || visits.iter().flat_map(|visit| &visit.contents.unreadable);
    let named = all().take(NAMED).map(|Unreadable { path, why, .. }| format!("{}: {why}", path.display()));
    let others = all().count().saturating_sub(NAMED);
    let others = (others > 0).then(|| format!("{others} more attachments"));
    named.chain(others).collect()
}

fn source_read(prepared: &Prepared<'_>) -> SourceRead {
    let info = prepared.tables.info();
    SourceRead {
        source: prepared.source,
        kind: info.kind.name(),
        path: whole(&info.path).to_string_lossy().into_owned(),
        device: info.backup.as_ref().and_then(|backup| backup.device.clone()),
        archive: prepared.archive.clone(),
        attachments_root: info
            .attachments_root
            .as_deref()
            .map(|root| whole(root).to_string_lossy().into_owned()),
        new: prepared.new,
        read: prepared.read(),
        had: prepared.had,
        kept: prepared.kept,
    }
}

fn note_source(connection: &Connection, source: &SourceRead, highest: i64, run: i64) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO msgarchive_source (source, kind, path, device, highest, first_run, last_run) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6) \
         ON CONFLICT (source) DO UPDATE SET kind = ?2, path = ?3, device = ?4, highest = ?5, last_run = ?6",
        (source.source, source.kind, &source.path, &source.device, highest, run),
    )?;
    Ok(())
}
