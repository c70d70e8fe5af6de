-- An archive's database: what is there before the first source. Apple's names and types, in our own layout.
CREATE TABLE IF NOT EXISTS _SqliteDatabaseProperties (key TEXT, value TEXT, UNIQUE (key));
CREATE TABLE IF NOT EXISTS handle (ROWID INTEGER PRIMARY KEY, id TEXT, service TEXT, UNIQUE (id, service));
CREATE TABLE IF NOT EXISTS chat (ROWID INTEGER PRIMARY KEY, guid TEXT UNIQUE);
CREATE TABLE IF NOT EXISTS attachment (ROWID INTEGER PRIMARY KEY, guid TEXT UNIQUE, filename TEXT);
CREATE TABLE IF NOT EXISTS message (
  ROWID INTEGER PRIMARY KEY, guid TEXT, text TEXT, handle_id INTEGER DEFAULT 0, service TEXT, date INTEGER,
  is_from_me INTEGER DEFAULT 0);

-- One row an invocation of `archive`, with the text of its record.
CREATE TABLE IF NOT EXISTS msgarchive_run (run INTEGER PRIMARY KEY, date TEXT NOT NULL, name TEXT NOT NULL, record TEXT NOT NULL,
  sha256 TEXT);

-- A library or device. `highest`: the last row id that it gave to a message. `inherited`: of another archive, the last
-- former state of a message that was taken over.
CREATE TABLE IF NOT EXISTS msgarchive_source (
  source INTEGER PRIMARY KEY, kind TEXT NOT NULL, path TEXT NOT NULL, device TEXT, highest INTEGER NOT NULL,
  first_run INTEGER NOT NULL, last_run INTEGER NOT NULL, inherited INTEGER NOT NULL DEFAULT 0);

-- What a source has now. `kind`: 0 handle, 1 chat, 2 attachment, 3 message.
CREATE TABLE IF NOT EXISTS msgarchive_sighting (
  kind INTEGER NOT NULL, source INTEGER NOT NULL, source_rowid INTEGER NOT NULL, id INTEGER NOT NULL,
  fingerprint INTEGER, since INTEGER NOT NULL,
  PRIMARY KEY (kind, source, source_rowid)) WITHOUT ROWID;

-- What a source had and has no more, or has in Recently Deleted. `date`: when it was moved there, else when its absence
-- was noticed; in Apple's nanoseconds since 2001. `run`: the run that noticed. `gone`: the run that no longer found the
-- row. `returned`: the run that found it again.
CREATE TABLE IF NOT EXISTS msgarchive_absence (
  message INTEGER NOT NULL, source INTEGER NOT NULL, run INTEGER NOT NULL, reason TEXT NOT NULL,
  date INTEGER NOT NULL, gone INTEGER, returned INTEGER);
CREATE INDEX IF NOT EXISTS msgarchive_idx_absence ON msgarchive_absence (message, source);

-- Where the bytes of an attachment lie. `original`: its filename where it came from.
CREATE TABLE IF NOT EXISTS msgarchive_content (
  attachment INTEGER PRIMARY KEY, original TEXT, path TEXT NOT NULL, film TEXT, source INTEGER NOT NULL,
  run INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS msgarchive_file (
  path TEXT PRIMARY KEY, bytes INTEGER NOT NULL, sha256 TEXT NOT NULL, run INTEGER NOT NULL) WITHOUT ROWID;

-- States of rows that were damaged, and that no source had any more. `run`: which gave it up; minus that, where a source had the row in
-- another state, which is shown since; 0: no record tells of it.
CREATE TABLE IF NOT EXISTS msgarchive_lost (
  kind INTEGER NOT NULL, id INTEGER NOT NULL, since INTEGER NOT NULL, hash BLOB NOT NULL, run INTEGER NOT NULL,
  PRIMARY KEY (kind, id, since)) WITHOUT ROWID;

-- A message that came again under another GUID: restored, or sent on.
CREATE TABLE IF NOT EXISTS msgarchive_alias (guid TEXT PRIMARY KEY, message INTEGER NOT NULL, run INTEGER NOT NULL) WITHOUT ROWID;
