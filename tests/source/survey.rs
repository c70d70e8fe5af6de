//! Surveys: a page's rows with what comparing needs, and lists of what was deleted.

use msgarchive::source::{Deletions, SyncState, UnsentDeletions};

use super::{altered, opened};
use crate::support::{Library, Schema, Tapback};

#[test]
fn a_survey_has_the_rows_of_a_page_with_their_standing_and_nothing_that_hangs_on_them() {
    for schema in [Schema::MACOS_13, Schema::MACOS_15, Schema::MACOS_26, Schema::MACOS_27] {
        let mut library = Library::new(schema);
        let ana = library.handle("ana@example.com", "iMessage");
        let chat = library.direct(ana);
        let picture = library.attachment("a.jpg").bytes(*b"picture").id();
        let first = library
            .message(chat)
            .attachment(picture)
            .raw("ck_sync_state", 1)
            .raw("ck_record_id", "record")
            .raw("payload_data", vec![1u8; 9])
            .id();
        library.message(chat).from_me().text("unread").tapback(first, Tapback::Loved);
        library.message(chat).text("in the bin").deleted("2024-02-01T00:00:00Z");
        let (_folder, source) = opened(&library);
        let chats: Vec<_> = source.chats().unwrap().iter().map(|chat| chat.id()).collect();
        let mut session = source.session().unwrap();
        let timeline = session.timeline(&chats, 100).unwrap();
        let (page, survey) = (session.page(&timeline, 0).unwrap(), session.survey(&timeline, 0).unwrap());
        assert_eq!(survey.len(), 3);
        assert_eq!(
            page.iter().map(|row| (row.rowid, row.deleted)).collect::<Vec<_>>(),
            survey.iter().map(|row| (row.rowid, row.deleted)).collect::<Vec<_>>()
        );
        assert_eq!((page[0].sync.as_ref(), page[0].is_read), (None, None));
        let row = &survey[0];
        assert_eq!(
            row.sync,
            Some(SyncState { state: 1, record: Some("record".into()), ..SyncState::default() })
        );
        assert_eq!(survey[1].sync, Some(SyncState::default()));
        assert_eq!((row.is_read, survey[1].is_read), (Some(true), Some(false)));
        assert_eq!(row.own_addresses, ["me@example.com", "E:me@example.com"]);
        assert_eq!((row.payload_data.as_ref(), row.associated.len()), (None, 0));
        assert_eq!((page[0].payload_data.is_some(), page[0].associated.len()), (true, 1));
        assert_eq!(row.attachments, page[0].attachments);
    }
}

#[test]
fn every_list_of_deletions_is_read() {
    let mut library = Library::new(Schema::MACOS_15);
    let ana = library.handle("ana@example.com", "iMessage");
    let chat = library.direct(ana);
    library.message(chat).text("here");
    let (_folder, source) = altered(
        &library,
        "INSERT INTO deleted_messages (guid) VALUES ('A'), ('');
         INSERT INTO sync_deleted_messages (guid, recordID) VALUES ('B', 'r');
         INSERT INTO unsynced_removed_recoverable_messages (chat_guid, message_guid) VALUES ('c', 'C');
         INSERT INTO scheduled_messages_pending_cloudkit_delete (guid, recordID) VALUES ('D', 'r'), ('E', '');
         INSERT INTO sync_deleted_attachments (guid, recordID) VALUES ('at_1', 'r'), ('at_2', 'r'), ('at_3', NULL);
         INSERT INTO sync_deleted_chats (guid, recordID) VALUES ('iMessage;-;ana@example.com', '')",
    );
    let lists = Deletions {
        messages: ["A", "B", "C", "D", "E"].map(str::to_owned).to_vec(),
        chats: vec!["iMessage;-;ana@example.com".into()],
        unsent: Some(UnsentDeletions { messages: 3, chats: 0, attachments: 2 }),
    };
    assert_eq!(source.deletions().unwrap(), lists);
    let (_folder, older) = opened(&Library::new(Schema::OSX_10_10));
    assert_eq!(older.deletions().unwrap(), Deletions::default());
}
