//! Handles → people, chats → conversations (`messages-format.md` 12, 15.4, 16.4).

use msgarchive::model::{ConversationKind, Sender};
use msgarchive::pipeline::roster::Roster;
use msgarchive::source::contacts::{Contact, FAMILY_RANK};
use msgarchive::source::{ChatId, RawChat, RawHandle};

const ANA: &str = "+12025550101";
const BEN: &str = "+12025550102";
const CAL: &str = "+12025550103";
const DEE: &str = "+12025550104";

/// A library in the making. Row ids count from 1.
#[derive(Default, Clone)]
struct Library {
    handles: Vec<RawHandle>,
    chats: Vec<RawChat>,
    contacts: Vec<Contact>,
}

impl Library {
    fn with(handles: &[&str]) -> Library {
        handles.iter().fold(Library::default(), |library, id| library.handle(id))
    }

    fn handle(self, id: &str) -> Library {
        self.handle_row(RawHandle { id: id.into(), service: Some("iMessage".into()), ..RawHandle::default() })
    }

    fn handle_row(mut self, mut row: RawHandle) -> Library {
        row.rowid = self.handles.len() as i64 + 1;
        self.handles.push(row);
        self
    }

    fn chat(mut self, mut row: RawChat) -> Library {
        row.rowid = self.chats.len() as i64 + 1;
        if row.guid.is_empty() {
            let sign = if row.style == Some(43) { '+' } else { '-' };
            row.guid = format!("any;{sign};{}", row.chat_identifier.as_deref().unwrap_or("none"));
        }
        self.chats.push(row);
        self
    }

    fn direct(self, identifier: &str, handles: &[i64]) -> Library {
        self.chat(direct(identifier, handles))
    }

    fn group(self, identifier: &str, name: &str, handles: &[i64]) -> Library {
        self.chat(group(identifier, name, handles))
    }

    fn contact(self, name: &str, addresses: &[&str]) -> Library {
        let person = format!("card {}", self.contacts.len());
        self.card(card(&person, name, addresses))
    }

    fn card(mut self, contact: Contact) -> Library {
        self.contacts.push(contact);
        self
    }

    fn roster(&self) -> Roster {
        Roster::new(&self.handles, &self.chats, &self.contacts)
    }

    /// Every conversation as "title: row ids of its chats", by its first chat.
    fn conversations(&self) -> Vec<String> {
        let roster = self.roster();
        let mut entries: Vec<_> = roster.conversations.iter().collect();
        entries.sort_by_key(|e| e.chats.clone());
        let rows = |e: &&_| -> Vec<String> {
            let entry: &&msgarchive::pipeline::roster::RosterEntry = e;
            entry.chats.iter().map(|c| c.0.to_string()).collect()
        };
        entries.iter().map(|e| format!("{}: {}", e.conversation.title, rows(e).join(" "))).collect()
    }

    /// The participants of the conversation that chat 1 is in, as "name: handles".
    fn participants(&self) -> Vec<String> {
        let roster = self.roster();
        let entry = &roster.conversations[roster.conversation_of(ChatId(1)).unwrap()];
        let people = entry.conversation.participants.iter();
        people.map(|p| format!("{}: {}", p.name.as_deref().unwrap_or("-"), p.handles.join(" "))).collect()
    }

    fn name_of_first(&self) -> Option<String> {
        self.roster().sender(1).unwrap().name.clone()
    }
}

fn direct(identifier: &str, handles: &[i64]) -> RawChat {
    RawChat {
        style: Some(45),
        chat_identifier: Some(identifier.into()),
        service_name: Some("iMessage".into()),
        handle_ids: handles.to_vec(),
        rows: 1,
        ..RawChat::default()
    }
}

fn group(identifier: &str, name: &str, handles: &[i64]) -> RawChat {
    RawChat { style: Some(43), display_name: Some(name.into()), ..direct(identifier, handles) }
}

fn card(person: &str, name: &str, addresses: &[&str]) -> Contact {
    let (emails, phones) = addresses.iter().map(|a| a.to_string()).partition(|a| a.contains('@'));
    Contact {
        person: person.into(),
        name: name.into(),
        full_name: name.contains(' '),
        phones,
        emails,
        ..Contact::default()
    }
}

#[test]
fn a_conversation_for_every_person_and_group() {
    let library =
        Library::with(&[ANA, BEN]).direct(ANA, &[1]).direct(BEN, &[2]).group("chat1", "Trip", &[1, 2]);
    assert_eq!(library.conversations(), [format!("{ANA}: 1"), format!("{BEN}: 2"), "Trip: 3".into()]);
}

#[test]
fn one_conversation_over_all_services() {
    let library = Library::with(&[ANA, ANA, ANA]).direct(ANA, &[1]).direct(ANA, &[2]).direct(ANA, &[3]);
    assert_eq!(library.conversations(), [format!("{ANA}: 1 2 3")]);
    assert_eq!(library.participants(), [format!("-: {ANA}")]);
}

#[test]
fn services_come_once_and_any_is_none() {
    let mut chat = direct(ANA, &[1]);
    chat.service_name = Some("any".into());
    chat.services = vec!["SMS".into(), "".into(), "iMessage".into()];
    let roster = Library::with(&[ANA]).chat(chat).direct(ANA, &[1]).roster();
    assert_eq!(roster.conversations[0].conversation.services, ["SMS", "iMessage"]);
    assert_eq!(roster.conversations[0].rows, 2);
}

#[test]
fn spellings_of_one_number_are_one_person() {
    let spellings = [
        "2025550101",
        "12025550101",
        "+1 (202) 555-0101",
        "\u{202a}+1\u{a0}202 555 0101\u{202c}",
        "0012025550101",
    ];
    for spelling in spellings {
        let library = Library::with(&[ANA, spelling]).direct(ANA, &[1]).direct(spelling, &[2]);
        assert_eq!(library.conversations().len(), 1, "{spelling}");
    }
}

#[test]
fn equal_last_digits_are_not_one_person() {
    for other in ["+442025550101", "5550101", "+492025550101", "0101", "+22025550101"] {
        let library = Library::with(&[ANA, other]).direct(ANA, &[1]).direct(other, &[2]);
        assert_eq!(library.conversations().len(), 2, "{other}");
    }
}

#[test]
fn addresses_are_compared_without_case_and_shown_as_stored() {
    let library = Library::with(&["Ana@Example.com", "ana@example.com"])
        .direct("Ana@Example.com", &[1])
        .direct("ana@example.com", &[2]);
    assert_eq!(library.participants(), ["-: Ana@Example.com ana@example.com"]);
}

#[test]
fn a_national_number_is_of_the_country_of_most_numbers() {
    let library = Library::with(&["+491713920001", "+491713920002", "+12025550103", "01713920002"])
        .direct("01713920002", &[4]);
    assert_eq!(library.participants(), ["-: +491713920002 01713920002"]);
}

#[test]
fn a_national_number_is_of_the_country_its_handle_names() {
    let uk = RawHandle { id: "07700900101".into(), country: Some("GB".into()), ..RawHandle::default() };
    let library = Library::with(&["+447700900101", ANA, BEN, CAL]).handle_row(uk).direct("07700900101", &[5]);
    assert_eq!(library.participants(), ["-: +447700900101 07700900101"]);
}

#[test]
fn the_spelling_before_completion_counts_where_it_is_clear() {
    let row = |id: &str, earlier: &str| RawHandle {
        id: id.into(),
        uncanonicalized_id: Some(earlier.into()),
        ..RawHandle::default()
    };
    let one = Library::with(&["5550101"]).handle_row(row(ANA, "555-0101")).direct(ANA, &[2]);
    assert_eq!(one.participants(), [format!("-: 5550101 {ANA}")]);
    let two = one.handle_row(row("+12125550101", "555-0101"));
    assert_eq!(two.participants(), [format!("-: {ANA}")]);
}

#[test]
fn person_ids_join_unless_the_contacts_know_better() {
    let row =
        |id: &str| RawHandle { id: id.into(), person_centric_id: Some("P1".into()), ..RawHandle::default() };
    let library =
        Library::default().handle_row(row(ANA)).handle_row(row("ana@example.com")).direct(ANA, &[1]);
    assert_eq!(library.participants(), [format!("-: {ANA} ana@example.com")]);
    let two = library.contact("Ana Abbott", &[ANA]).contact("Ben Boyd", &["ana@example.com"]);
    assert_eq!(two.participants(), [format!("Ana Abbott: {ANA}")]);
}

#[test]
fn empty_person_ids_join_nobody() {
    let row =
        |id: &str| RawHandle { id: id.into(), person_centric_id: Some("".into()), ..RawHandle::default() };
    let library = Library::default().handle_row(row(ANA)).handle_row(row(BEN)).direct(ANA, &[1]);
    assert_eq!(library.participants(), [format!("-: {ANA}")]);
}

#[test]
fn a_contact_joins_number_and_address_and_a_changed_number() {
    let library = Library::with(&[ANA, "ana@example.com", BEN])
        .direct(ANA, &[1])
        .direct("ana@example.com", &[2])
        .direct(BEN, &[3])
        .contact("Ana Abbott", &["(202) 555-0101", "<Ana@Example.com>", BEN]);
    assert_eq!(library.conversations(), ["Ana Abbott: 1 2 3"]);
    assert_eq!(library.participants(), [format!("Ana Abbott: {ANA} ana@example.com {BEN}")]);
}

#[test]
fn a_shared_number_joins_nobody() {
    let library = Library::with(&[ANA, BEN, CAL])
        .direct(ANA, &[1])
        .direct(BEN, &[2])
        .direct(CAL, &[3])
        .contact("Ben Boyd", &[ANA, BEN])
        .contact("Cal", &[ANA, CAL]);
    assert_eq!(library.conversations(), ["Ben Boyd: 1", "Ben Boyd: 2", "Cal: 3"]);
}

#[test]
fn one_person_in_two_books_is_one_person() {
    let library = Library::with(&[ANA, "ana@example.com"])
        .direct(ANA, &[1])
        .direct("ana@example.com", &[2])
        .contact("Ana Abbott", &[ANA, "ana@example.com"])
        .card(Contact { rank: 1, ..card("other", "Ana Abbott", &[ANA, "ana@example.com"]) });
    assert_eq!(library.conversations(), ["Ana Abbott: 1 2"]);
}

#[test]
fn the_better_card_gives_the_name() {
    let both = |a: Contact, b: Contact| Library::with(&[ANA]).card(a).card(b).name_of_first();
    let plain = || card("b", "Ana Abbott", &[ANA]);
    let own = Contact { is_me: true, ..card("a", "Me Myself", &[ANA, BEN]) };
    let family = Contact { rank: FAMILY_RANK, ..card("a", "Aa Family", &[ANA, BEN]) };
    for worse in [own, family, card("a", "Aa", &[ANA, BEN]), card("a", "Zed Zu", &[ANA])] {
        assert_eq!(both(worse.clone(), plain()).as_deref(), Some("Ana Abbott"), "{worse:?}");
        assert_eq!(both(plain(), worse.clone()).as_deref(), Some("Ana Abbott"), "{worse:?}");
    }
}

#[test]
fn a_family_members_book_neither_names_nor_parts() {
    let library = Library::with(&[ANA, BEN])
        .direct(ANA, &[1])
        .direct(BEN, &[2])
        .contact("Mum", &[ANA, BEN])
        .card(Contact { rank: FAMILY_RANK, ..card("f", "Grandma Gray", &[ANA]) });
    assert_eq!(library.conversations(), ["Mum: 1 2"]);
}

#[test]
fn contacts_match_numbers_as_people_type_them() {
    let name = |handles: &[&str], typed: &str| {
        Library::with(handles).contact("Ana Abbott", &[typed]).name_of_first()
    };
    let german = ["+491713920001", "+491713920002"];
    for (handles, typed, known) in [
        (&[ANA][..], "(202) 555-0101", true),
        (&[ANA], "1-202-555-0101", true),
        (&[ANA], "001 202 555 0101", true),
        (&[ANA], "011 1 202 555 0101", true),
        (&[ANA], "tel:+1-202-555-0101", true),
        (&[ANA], "\u{2066}+1 202\u{2011}555\u{2011}0101\u{2069}", true),
        (&["2025550101"], "+1 202 555 0101", true),
        (&[ANA], "555-0101", false),
        (&[ANA], "+1 202 555 0101 x12", false),
        (&german, "0171 3920001", true),
        (&german, "+49 (0)171 3920001", true),
        (&german, "171 3920001", false),
        (&["+393330000001"], "333 0000001", true),
        (&["+390600000001"], "06 0000 0001", true),
        (&["+34600000001"], "600 000 001", true),
        (&["+79000000001"], "8 900 000-00-01", true),
        (&["+36200000001"], "06 20 000 0001", true),
        (&["12345"], "12345", true),
        (&["12345"], "+12345", false),
        (&["345"], "12345", false),
        (&["AMAZON"], "AMAZON", false),
        (
            &["urn:biz:0b2e2c1a-0000-4000-8000-000000000101"],
            "urn:biz:0b2e2c1a-0000-4000-8000-000000000101",
            false,
        ),
    ] {
        assert_eq!(name(handles, typed).is_some(), known, "{handles:?} {typed}");
    }
}

#[test]
fn groups_with_one_identifier_are_one() {
    let library = Library::with(&[ANA, BEN]).group("chat1", "", &[1]).group("chat1", "", &[1, 2]).group(
        "chat2",
        "",
        &[2],
    );
    assert_eq!(library.conversations(), [format!("{ANA}, {BEN}: 1 2"), format!("{BEN}: 3")]);
}

#[test]
fn groups_with_one_group_id_are_one_whichever_column_it_is_in() {
    let with = |id: &str, current: Option<&str>, original: Option<&str>, handles: &[i64]| RawChat {
        group_id: current.map(str::to_owned),
        original_group_id: original.map(str::to_owned),
        ..group(id, "Trip", handles)
    };
    let library = Library::with(&[ANA, BEN])
        .chat(with("chat1", Some("G1"), None, &[1]))
        .chat(with("chat2", Some("G2"), Some("G1"), &[1, 2]))
        .chat(with("chat3", Some(""), Some(""), &[2]))
        .chat(with("chat4", Some(""), None, &[]));
    assert_eq!(library.conversations(), ["Trip: 1 2", "Trip: 3", "Trip: 4"]);
}

#[test]
fn messages_own_table_leads_to_one_conversation() {
    let with = |id: &str, lookups: &[(&str, &str)]| RawChat {
        lookups: lookups.iter().map(|(d, i)| (d.to_string(), i.to_string())).collect(),
        ..group(id, id, &[])
    };
    let library = Library::default()
        .chat(with("chat1", &[("a", "x"), ("a", "")]))
        .chat(with("chat2", &[("b", "x"), ("b", "any;+;chat3")]))
        .chat(with("chat3", &[("a", "")]))
        .chat(with("chat4", &[("a", "y")]));
    assert_eq!(library.conversations(), ["chat3: 1 2 3", "chat4: 4"]);
}

#[test]
fn messages_own_table_joins_number_and_address() {
    let looked_up =
        |id: &str, handle: i64| RawChat { lookups: vec![("d".into(), "x".into())], ..direct(id, &[handle]) };
    let library = Library::with(&[ANA, "ana@example.com"])
        .chat(looked_up(ANA, 1))
        .chat(looked_up("ana@example.com", 2));
    assert_eq!(library.conversations(), [format!("{ANA}: 1 2")]);
    let two = library.contact("Ana Abbott", &[ANA]).contact("Ben Boyd", &["ana@example.com"]);
    assert_eq!(two.conversations(), ["Ana Abbott: 1", "Ben Boyd: 2"]);
}

#[test]
fn the_same_people_are_one_group_unless_the_names_differ() {
    let library = Library::with(&[ANA, BEN, ANA])
        .group("chat1", "", &[2, 3])
        .group("chat2", "Trip", &[1, 2])
        .group("chat3", "Work", &[1, 2])
        .group("chat4", "Trip", &[2, 1])
        .group("chat5", "", &[1, 2])
        .group("chat6", "", &[1]);
    assert_eq!(library.conversations(), ["Trip: 1 2 4 5".into(), "Work: 3".into(), format!("{ANA}: 6")]);
}

#[test]
fn an_unnamed_group_does_not_join_two_names() {
    // Chats 1 and 3 are one by their identifier; chat 1 alone would fit "Trip", chat 3 "Work".
    let library = Library::with(&[ANA, BEN, CAL])
        .group("chat1", "", &[1, 2])
        .group("chat2", "Trip", &[1, 2])
        .group("chat1", "", &[1, 3])
        .group("chat4", "Work", &[1, 3]);
    assert_eq!(library.conversations(), ["Trip: 1 2 3", "Work: 4"]);
}

#[test]
fn groups_without_members_stay_apart() {
    let library =
        Library::default().group("chat1", "", &[]).group("chat2", "", &[]).group("chat3", "", &[99]);
    assert_eq!(library.conversations(), ["chat1: 1", "chat2: 2", "chat3: 3"]);
}

#[test]
fn a_group_and_a_one_to_one_chat_are_never_one() {
    let with = |chat: RawChat| RawChat {
        group_id: Some("G".into()),
        lookups: vec![("d".into(), "x".into())],
        ..chat
    };
    let library = Library::with(&[ANA]).chat(with(direct(ANA, &[1]))).chat(with(group(ANA, "", &[1])));
    assert_eq!(library.conversations().len(), 2);
}

#[test]
fn a_one_to_one_chat_without_members_is_with_whom_it_is_named_after() {
    let library = Library::with(&[BEN])
        .direct(ANA, &[])
        .direct("ana@example.com", &[])
        .contact("Ana Abbott", &[ANA, "ana@example.com"]);
    assert_eq!(library.conversations(), ["Ana Abbott: 1 2"]);
    assert_eq!(library.participants(), [format!("Ana Abbott: {ANA} ana@example.com")]);
    assert_eq!(Library::with(&[BEN, ANA]).direct(ANA, &[]).participants(), [format!("-: {ANA}")]);
}

#[test]
fn old_rows_say_in_other_ways_what_they_are() {
    let kind =
        |chat: RawChat| Library::with(&[ANA, BEN]).chat(chat).roster().conversations[0].conversation.kind;
    let bare = |guid: &str, handles: &[i64]| RawChat {
        guid: guid.into(),
        handle_ids: handles.to_vec(),
        ..RawChat::default()
    };
    assert_eq!(kind(bare("SMS;-;+12025550101", &[])), ConversationKind::Direct);
    assert_eq!(kind(bare("SMS;+;chat7", &[1])), ConversationKind::Group);
    assert_eq!(kind(bare("A-1", &[1])), ConversationKind::Direct);
    assert_eq!(kind(bare("A-1", &[1, 1])), ConversationKind::Direct);
    assert_eq!(kind(bare("A-1", &[1, 2])), ConversationKind::Group);
    assert_eq!(
        kind(RawChat { room_name: Some("chat7".into()), ..bare("A-1", &[1]) }),
        ConversationKind::Group
    );
}

#[test]
fn participants_are_members_and_everyone_who_wrote() {
    let chat = RawChat { senders: vec![3, 1, 99, 0], ..group("chat1", "", &[4, 2]) };
    let library = Library::with(&[ANA, BEN, CAL, ANA]).chat(chat).contact("Ben Boyd", &[BEN]);
    assert_eq!(
        library.participants(),
        [format!("-: {ANA}"), format!("Ben Boyd: {BEN}"), format!("-: {CAL}")]
    );
}

#[test]
fn a_group_has_its_latest_name_else_its_members_names() {
    let named = Library::with(&[ANA]).group("chat1", "Old", &[1]).group("chat1", "New", &[1]).group(
        "chat1",
        "  ",
        &[1],
    );
    assert_eq!(named.conversations(), ["New: 1 2 3"]);
    let handles: Vec<String> = (1..=11).map(|n| format!("+120255501{n:02}")).collect();
    let handles: Vec<&str> = handles.iter().map(String::as_str).collect();
    let rows: Vec<i64> = (1..=11).collect();
    let big = Library::with(&handles).group("chat1", "", &rows);
    assert_eq!(big.conversations(), [format!("{} and 3 more: 1", handles[..8].join(", "))]);
}

#[test]
fn two_conversations_may_have_one_title() {
    let library =
        Library::with(&[ANA, BEN, CAL]).group("chat1", "Trip", &[1, 2]).group("chat2", "Trip", &[1, 3]);
    let roster = library.roster();
    assert_eq!(library.conversations(), ["Trip: 1", "Trip: 2"]);
    assert_ne!(roster.conversations[0].conversation.id, roster.conversations[1].conversation.id);
}

#[test]
fn orphans_are_a_conversation_of_their_own() {
    let mut library = Library::with(&[ANA]).direct(ANA, &[1]);
    library.chats.push(RawChat { orphans: true, rows: 7, ..RawChat::default() });
    let roster = library.roster();
    let entry = &roster.conversations[roster.conversation_of(ChatId::ORPHANS).unwrap()];
    assert_eq!(entry.conversation.kind, ConversationKind::Orphaned);
    assert_eq!(entry.conversation.title, "Messages in no conversation");
    assert_eq!((entry.chats.as_slice(), entry.rows), (&[ChatId::ORPHANS][..], 7));
    assert!(entry.conversation.chat_guids.is_empty());
}

fn id_of_first(library: &Library) -> String {
    let roster = library.roster();
    roster.conversations[roster.conversation_of(ChatId(1)).unwrap()].conversation.id.clone()
}

#[test]
fn ids_stay_what_they_are() {
    let library = Library::with(&[ANA, "ana@example.com"]).direct(ANA, &[1]);
    let id = id_of_first(&library);
    // Written down so that it is noticed when the recipe changes.
    assert_eq!(id, "c-6e088246");
    assert_eq!(id_of_first(&library.clone().contact("Ana Abbott", &[ANA, "ana@example.com"])), id);
    let later =
        library.clone().contact("Ana Abbott", &[ANA, "ana@example.com"]).direct("ana@example.com", &[2]);
    assert_eq!(id_of_first(&later), id);
    for guid in ["iMessage;-;+12025550101", "SMS;-;+12025550101"] {
        let mut rewritten = library.clone();
        rewritten.chats[0].guid = guid.into();
        assert_eq!(id_of_first(&rewritten), id);
        rewritten.chats[0].chat_identifier = None;
        assert_eq!(id_of_first(&rewritten), id);
    }
    assert_ne!(id_of_first(&Library::with(&[ANA]).group(ANA, "", &[1])), id);
}

#[test]
fn conversations_are_sorted_by_id() {
    let library = Library::with(&[ANA, BEN, CAL, DEE])
        .direct(ANA, &[1])
        .direct(BEN, &[2])
        .direct(CAL, &[3])
        .direct(DEE, &[4]);
    let roster = library.roster();
    assert!(roster.conversations.is_sorted_by(|a, b| a.conversation.id < b.conversation.id));
    for (i, entry) in roster.conversations.iter().enumerate() {
        assert!(entry.chats.iter().all(|chat| roster.conversation_of(*chat) == Some(i)));
    }
}

#[test]
fn senders_have_the_handle_of_their_row() {
    let roster =
        Library::with(&[ANA, "ana@example.com"]).contact("Ana Abbott", &[ANA, "ana@example.com"]).roster();
    let second = roster.sender(2).unwrap();
    assert_eq!(
        (second.handle.as_deref(), second.name.as_deref()),
        (Some("ana@example.com"), Some("Ana Abbott"))
    );
    assert!(roster.same_person(roster.sender(1).unwrap(), second));
    assert!(!roster.same_person(second, &Sender { handle: Some(BEN.into()), name: None }));
    assert_eq!(roster.sender(0), None);
    assert_eq!(roster.sender(-1), None);
    assert_eq!(roster.sender(77), None);
}

#[test]
fn names_are_found_for_addresses_in_text() {
    let roster = Library::with(&[ANA]).contact("Ana Abbott", &[ANA]).contact("Ben Boyd", &[BEN]).roster();
    assert_eq!(roster.name_of("(202) 555-0101"), Some("Ana Abbott"));
    assert_eq!(roster.name_of(BEN), Some("Ben Boyd"));
    assert_eq!(roster.name_of(CAL), None);
    assert_eq!(roster.participant("2025550101").unwrap().handles, [ANA]);
}

fn selection() -> Library {
    Library::with(&[ANA, BEN, CAL, "AMAZON"])
        .direct(ANA, &[1])
        .direct(BEN, &[2])
        .group("chat1", "Trip", &[1, 3])
        .direct("AMAZON", &[4])
        .contact("Ana Ábbott", &[ANA])
        .contact("Ben Abbott", &[BEN])
}

#[test]
fn a_person_is_found_by_name_number_or_address() {
    let roster = selection().roster();
    let titles = |query: &str, direct_only: bool| -> Vec<String> {
        let found = roster.with_person(query, direct_only).into_iter();
        let mut titles: Vec<String> =
            found.map(|i| roster.conversations[i].conversation.title.clone()).collect();
        titles.sort();
        titles
    };
    for query in ["ana abbott", "ANA ÁBBOTT", "ana", "+1 202 555 0101", "202-555-0101", "tel:+12025550101"] {
        assert_eq!(titles(query, true), ["Ana Ábbott"], "{query}");
        assert_eq!(titles(query, false), ["Ana Ábbott", "Trip"], "{query}");
    }
    assert_eq!(titles("amazon", true), ["AMAZON"]);
    for query in ["abbott", "a", "5550101", "", " ", "Trip", "+12025550199"] {
        assert_eq!(titles(query, false), [""; 0], "{query}");
    }
    assert_eq!(titles(CAL, true), [""; 0]);
}

#[test]
fn the_nearest_names_are_suggested() {
    let roster = selection().roster();
    let first = |query: &str| roster.suggest(query).first().cloned().unwrap_or_default();
    assert_eq!(first("Ana Abott"), "Ana Ábbott");
    assert_eq!(first("abot"), "Ana Ábbott");
    assert_eq!(first("Tirp"), "Trip");
    assert_eq!(first("+12025550111"), ANA);
    assert_eq!(roster.suggest("abbott").len(), 2);
    assert_eq!(roster.suggest("completely different"), [""; 0]);
    assert_eq!(roster.suggest(""), [""; 0]);
}

#[test]
fn nothing_is_lost_of_rows_that_make_no_sense() {
    let mut library = Library::with(&["", " ", "@", "+", "()", "00", "<>@", "urn:"]);
    for id in ["", ";-;", "any;+;", "\u{202e}"] {
        library = library.direct(id, &[1, 2, 3]).group(id, "\u{0}", &[7, 8]).chat(RawChat {
            guid: id.into(),
            style: Some(-1),
            properties: Some(b"bplist00LegacyGroupIdentifiers".to_vec()),
            ..RawChat::default()
        });
    }
    let library = library.contact(" ", &["", "@"]).contact("\u{0}", &["", "+", "@"]);
    let roster = library.roster();
    let mut chats: Vec<i64> = roster.conversations.iter().flat_map(|e| &e.chats).map(|c| c.0).collect();
    chats.sort_unstable();
    assert_eq!(chats, (1..=12).collect::<Vec<i64>>());
    assert!(roster.conversations.iter().all(|e| !e.conversation.title.is_empty()));
}
