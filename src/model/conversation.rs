use super::Instant;

/// A thread as a person sees it: one set of people, over every service, number and duplicated chat row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// `c-` and eight or more lower-case hexadecimal digits. The same conversation keeps it from run to run.
    pub id: String,
    /// A direct conversation: the person's name in Contacts, else the handle. A group: its display name, else
    /// its members' names. Never empty.
    pub title: String,
    pub kind: ConversationKind,
    /// `chat.guid` of every chat row that was merged into this conversation, in the order of their row ids;
    /// those of old databases have none. Each once.
    pub chat_guids: Vec<String>,
    /// The other people, without the owner; former members and everyone who ever wrote included.
    pub participants: Vec<Participant>,
    /// Services as the chats and messages store them (`iMessage`, `SMS`, `RCS`, …), sorted, each once.
    pub services: Vec<String>,
    /// Of an archive: when the messages were sent that belong here and that nothing has any more, as damage took them
    /// altogether; sorted. `None`: nothing tells when. Only those of the time that is asked for.
    pub lost: Vec<Option<Instant>>,
}

/// What sort of thread a conversation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ConversationKind {
    /// One other person.
    Direct,
    /// Several people.
    Group,
    /// Rows that belong to no chat.
    Orphaned,
}

/// One person of a conversation, under all their handles.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Participant {
    /// The name in Contacts; `None` where Contacts knows nobody.
    pub name: Option<String>,
    /// Phone numbers and addresses as Messages stores them, in the order of their row ids, each once.
    pub handles: Vec<String>,
}

impl Participant {
    /// The name, else the first handle.
    pub fn label(&self) -> &str {
        self.name.as_deref().or(self.handles.first().map(String::as_str)).unwrap_or("Unknown")
    }
}
