//! Several sources seen as one set of handles and chats: row ids are numbered anew, so that whoever decides who is who
//! and which chats are one conversation sees all of them at once, and can go back to each source with its own row ids.
//!
//! The rows of the first source come first: what is made of the order of row ids is what it would be of that source
//! alone, as far as it has them.
//!
//! **Must never**: decide that two handles or chats are the same, or copy messages.

use foldhash::{HashMap, HashMapExt as _};

use super::contacts::Contact;
use super::{ChatId, RawChat, RawHandle, RawMessage, Source, SourceError};

/// The handles and chats of several sources under row ids that no two of them share.
#[derive(Debug, Default)]
pub struct Several {
    /// Of all sources, by row id.
    pub handles: Vec<RawHandle>,
    /// Of all sources, by row id; the rows of no chat of each source that has some come last.
    pub chats: Vec<RawChat>,
    /// By source.
    numbers: Vec<Numbers>,
    /// Whose a chat is, and its own row id there, by its number here less one.
    homes: Vec<(usize, ChatId)>,
}

/// The row ids of one source, and their numbers here.
#[derive(Debug, Default)]
struct Numbers {
    handles: HashMap<i64, i64>,
    chats: HashMap<i64, i64>,
    has_orphans: bool,
}

impl Several {
    /// Reads the handles and chats of sources.
    ///
    /// # Errors
    /// What a source says.
    pub fn of(sources: &[&dyn Source]) -> Result<Several, SourceError> {
        let mut several = Several::default();
        let mut orphans = Vec::new();
        for (source, place) in sources.iter().zip(0..) {
            let mut numbers = Numbers { handles: HashMap::new(), chats: HashMap::new(), has_orphans: false };
            for mut handle in source.handles()? {
                let number = several.handles.len() as i64 + 1;
                numbers.handles.insert(handle.rowid, number);
                handle.rowid = number;
                several.handles.push(handle);
            }
            for mut chat in source.chats()? {
                let known = |id: &i64| numbers.handles.get(id).copied();
                chat.handle_ids = chat.handle_ids.iter().filter_map(known).collect();
                chat.senders = chat.senders.iter().filter_map(known).collect();
                if chat.orphans {
                    numbers.has_orphans = true;
                    orphans.push(chat);
                    continue;
                }
                several.homes.push((place, ChatId(chat.rowid)));
                let number = several.homes.len() as i64;
                numbers.chats.insert(chat.rowid, number);
                chat.rowid = number;
                several.chats.push(chat);
            }
            several.numbers.push(numbers);
        }
        several.chats.extend(orphans);
        Ok(several)
    }

    /// The number of a source's handle; 0, as for nobody, where it has no such row.
    pub fn handle(&self, source: usize, rowid: i64) -> i64 {
        self.numbers.get(source).and_then(|numbers| numbers.handles.get(&rowid)).copied().unwrap_or(0)
    }

    /// The number of a source's chat. Rows of no chat are of none here, either.
    pub fn chat(&self, source: usize, chat: ChatId) -> ChatId {
        let number = self.numbers.get(source).and_then(|numbers| numbers.chats.get(&chat.0));
        number.map_or(ChatId::ORPHANS, |number| ChatId(*number))
    }

    /// Those of some chats that are a source's, under its own row ids.
    pub fn own_chats(&self, source: usize, chats: &[ChatId]) -> Vec<ChatId> {
        let has_orphans = self.numbers.get(source).is_some_and(|numbers| numbers.has_orphans);
        let own = |chat: &ChatId| {
            if *chat == ChatId::ORPHANS {
                return has_orphans.then_some(ChatId::ORPHANS);
            }
            let at = usize::try_from(chat.0.checked_sub(1)?).ok()?;
            self.homes.get(at).filter(|(home, _)| *home == source).map(|(_, own)| *own)
        };
        let mut own: Vec<ChatId> = chats.iter().filter_map(own).collect();
        own.sort_unstable();
        own.dedup();
        own
    }

    /// Gives a row of a source, and what hangs on it, the numbers of its handles and chats. Row ids of messages stay.
    pub fn renumber(&self, source: usize, row: &mut RawMessage) {
        row.handle_id = self.handle(source, row.handle_id);
        row.other_handle = self.handle(source, row.other_handle);
        row.chat = row.chat.map(|chat| self.chat(source, chat));
        if let Some(target) = &mut row.target {
            target.chat = self.chat(source, target.chat);
        }
        row.associated.iter_mut().for_each(|row| self.renumber(source, row));
        if let Some(row) = &mut row.originator {
            self.renumber(source, row);
        }
    }
}

/// The contacts of several sources as one list. Books that are the same, card for card, count once.
pub fn contacts_of_several(books: Vec<Vec<Contact>>) -> Vec<Contact> {
    let mut known: Vec<Vec<Contact>> = Vec::new();
    for book in books {
        if !known.contains(&book) {
            known.push(book);
        }
    }
    let count = known.len();
    let numbered = known.into_iter().enumerate().flat_map(|(number, mut book)| {
        // Two books may call different people by one number.
        if count > 1 {
            book.iter_mut().for_each(|card| card.person = format!("{number} {}", card.person));
        }
        book
    });
    numbered.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{Scale, Session, SourceDigest, SourceInfo, Target};

    /// Handles and chats, and nothing to read.
    #[derive(Default)]
    struct Bare {
        info: SourceInfo,
        handles: Vec<RawHandle>,
        chats: Vec<RawChat>,
    }

    impl Source for Bare {
        fn info(&self) -> &SourceInfo {
            &self.info
        }
        fn handles(&self) -> Result<Vec<RawHandle>, SourceError> {
            Ok(self.handles.clone())
        }
        fn chats(&self) -> Result<Vec<RawChat>, SourceError> {
            Ok(self.chats.clone())
        }
        fn weigh(&self, _: &mut dyn Scale) -> Result<(), SourceError> {
            Ok(())
        }
        fn session(&self) -> Result<Box<dyn Session + '_>, SourceError> {
            Err(SourceError::NotFound { path: "nowhere".into() })
        }
        fn digest(&self) -> Option<SourceDigest> {
            None
        }
        fn unchanged(&self) -> Result<(), SourceError> {
            Ok(())
        }
        fn undamaged(&self) -> Result<(), SourceError> {
            Ok(())
        }
    }

    fn source(handle: i64, chats: &[i64], orphans: bool) -> Bare {
        let chat = |rowid: &i64| RawChat {
            rowid: *rowid,
            handle_ids: vec![handle, 77],
            senders: vec![handle],
            ..RawChat::default()
        };
        let mut chats: Vec<RawChat> = chats.iter().map(chat).collect();
        if orphans {
            let rowid = ChatId::ORPHANS.0;
            chats.push(RawChat { rowid, orphans: true, rows: 1, ..RawChat::default() });
        }
        let handles = vec![RawHandle { rowid: handle, id: "a".into(), ..RawHandle::default() }];
        Bare { handles, chats, ..Bare::default() }
    }

    #[test]
    fn row_ids_of_two_sources_do_not_meet() {
        let (first, second) = (source(5, &[3, i64::MAX], true), source(5, &[3], true));
        let several = Several::of(&[&first, &second]).unwrap();
        assert_eq!(several.handles.iter().map(|h| h.rowid).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(several.chats.iter().map(|c| c.rowid).take(3).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(several.chats[2].handle_ids, [2], "row ids that are in no table are nobody's");
        assert_eq!(several.chats.iter().filter(|c| c.orphans).count(), 2);
        assert_eq!((several.handle(0, 5), several.handle(1, 5), several.handle(1, 6)), (1, 2, 0));
        assert_eq!((several.chat(0, ChatId(i64::MAX)), several.chat(1, ChatId(3))), (ChatId(2), ChatId(3)));

        let all: Vec<ChatId> = several.chats.iter().map(RawChat::id).collect();
        assert_eq!(several.own_chats(0, &all), [ChatId::ORPHANS, ChatId(3), ChatId(i64::MAX)]);
        assert_eq!(several.own_chats(1, &all), [ChatId::ORPHANS, ChatId(3)]);
        assert!(several.own_chats(1, &[ChatId(0), ChatId(i64::MIN + 1), ChatId(9)]).is_empty());
    }

    #[test]
    fn a_row_takes_the_new_numbers_with_all_that_hangs_on_it() {
        let (first, second) = (source(5, &[3], false), source(6, &[4], false));
        let several = Several::of(&[&first, &second]).unwrap();
        let bare = RawMessage { handle_id: 6, chat: Some(ChatId(4)), ..RawMessage::default() };
        let mut row = RawMessage {
            other_handle: 9,
            target: Some(Target { rowid: 1, chat: ChatId(4) }),
            associated: vec![bare.clone()],
            originator: Some(Box::new(bare.clone())),
            ..bare
        };
        several.renumber(1, &mut row);
        assert_eq!((row.handle_id, row.other_handle, row.chat), (2, 0, Some(ChatId(2))));
        assert_eq!(row.target, Some(Target { rowid: 1, chat: ChatId(2) }));
        assert_eq!((row.associated[0].handle_id, row.originator.unwrap().chat), (2, Some(ChatId(2))));
    }

    #[test]
    fn the_same_book_counts_once_and_different_ones_do_not_mix() {
        let card = |person: &str, name: &str| Contact {
            person: person.into(),
            name: name.into(),
            ..Contact::default()
        };
        let (ana, ben) = (vec![card("1", "Ana")], vec![card("1", "Ben")]);
        assert_eq!(contacts_of_several(vec![ana.clone(), ana.clone()]), ana);
        let both = contacts_of_several(vec![ana, ben]);
        assert_ne!(both[0].person, both[1].person);
    }
}
