//! Polls and their votes, from all the rows they are made of.

use serde_json::json;

use super::exported;
use crate::support::keyed::data_url;
use crate::support::{AppTemplate, ChatId, HandleId, Library, MessageId, Schema};

const POLLS: &str = "com.apple.messages.Polls";

struct Poll {
    library: Library,
    chat: ChatId,
    ana: HandleId,
    ben: HandleId,
    second: u32,
}

impl Poll {
    fn new() -> Poll {
        let mut library = Library::new(Schema::MACOS_26);
        library.owner("me@example.com");
        let ana = library.handle("+12025550143", "iMessage");
        let ben = library.handle("ben@example.com", "iMessage");
        let chat = library.group(&[ana, ben], "Bread");
        Poll { library, chat, ana, ben, second: 0 }
    }

    fn at(&mut self) -> String {
        self.second += 1;
        format!("2024-05-01T11:30:{:02}Z", self.second)
    }

    fn state(options: &[(&str, &str)]) -> AppTemplate {
        let options: Vec<_> =
            options.iter().map(|(id, text)| json!({"optionIdentifier": id, "text": text})).collect();
        let state = json!({"item": {"title": "Bread?", "orderedPollOptions": options}});
        AppTemplate::new("Polls").text("Sent a poll").url(&data_url(&state.to_string()))
    }

    fn ask(&mut self, options: &[(&str, &str)]) -> MessageId {
        let (at, ana) = (self.at(), self.ana);
        self.library.message(self.chat).from(ana).at(&at).app(POLLS, &Poll::state(options)).id()
    }

    fn update(&mut self, of: MessageId, options: &[(&str, &str)]) -> MessageId {
        self.update_of_type(2, of, options)
    }

    fn update_of_type(&mut self, kind: i64, of: MessageId, options: &[(&str, &str)]) -> MessageId {
        let (at, ben) = (self.at(), self.ben);
        self.library
            .message(self.chat)
            .from(ben)
            .at(&at)
            .app(POLLS, &Poll::state(options))
            .associated(of, kind)
            .id()
    }

    /// A vote row by somebody (`None`: the owner), with (voter, option).
    fn vote(&mut self, by: Option<HandleId>, on: MessageId, votes: &[(&str, &str)]) {
        let votes: Vec<_> = votes
            .iter()
            .map(|(voter, option)| json!({"participantHandle": voter, "voteOptionIdentifier": option}))
            .collect();
        let vote = json!({"item": {"votes": votes}}).to_string();
        let template = AppTemplate::new("Polls").url(&data_url(&vote));
        let at = self.at();
        let row = self.library.message(self.chat).at(&at);
        let row = match by {
            Some(handle) => row.from(handle),
            None => row.from_me(),
        };
        row.app(POLLS, &template).associated(on, 4000);
    }

    /// `Rye: +1202…, me | Wheat:`, and the whole data.
    fn result(&self) -> (String, serde_json::Value, String) {
        let (messages, text) = exported(&self.library);
        assert_eq!(messages.len(), 1, "{text}");
        let data = messages[0]["balloon"]["data"].clone();
        let options = data["options"].as_array().unwrap().iter().map(|option| {
            let voters =
                option["voters"].as_array().unwrap().iter().map(|voter| match voter["from_me"] == true {
                    true => "me".to_owned(),
                    false => voter["handle"].as_str().unwrap().to_owned(),
                });
            format!("{}: {}", option["text"].as_str().unwrap(), voters.collect::<Vec<_>>().join(", "))
        });
        (options.collect::<Vec<_>>().join(" | "), data, text)
    }
}

const BREADS: [(&str, &str); 2] = [("A", "Rye"), ("B", "Wheat")];

#[test]
fn everybody_votes_and_is_named() {
    let mut poll = Poll::new();
    let asked = poll.ask(&BREADS);
    let (ana, ben) = (poll.ana, poll.ben);
    // In another spelling than the handle's.
    poll.vote(Some(ana), asked, &[("+1 (202) 555-0143", "a")]);
    poll.vote(Some(ben), asked, &[("Ben@example.com", "B"), ("ben@example.com", "B")]);
    poll.vote(None, asked, &[("me@example.com", "A")]);
    let (result, data, text) = poll.result();
    assert_eq!(result, "Rye: +12025550143, me | Wheat: ben@example.com");
    assert_eq!(data["options"][0]["voters"][1]["date"], "2024-05-01T13:30:04.000000000+02:00");
    assert!(
        text.contains(
            "□ Polls\n         │ Bread?\n         │ Sent a poll\n         │ Rye: 2 votes (+12025550143, you)\n         │ Wheat: 1 vote (ben@example.com)\n"
        ),
        "{text}"
    );
}

#[test]
fn a_vote_row_is_all_that_its_voters_choose() {
    let mut poll = Poll::new();
    let asked = poll.ask(&BREADS);
    let (ana, ben) = (poll.ana, poll.ben);
    poll.vote(Some(ana), asked, &[("+12025550143", "A")]);
    poll.vote(Some(ben), asked, &[("ben@example.com", "A")]);
    poll.vote(Some(ana), asked, &[("+12025550143", "A"), ("+12025550143", "B")]);
    poll.vote(None, asked, &[("me@example.com", "B")]);
    poll.vote(None, asked, &[]);
    poll.vote(Some(ben), asked, &[("ben@example.com", "B")]);
    let (result, data, _) = poll.result();
    assert_eq!(result, "Rye: +12025550143 | Wheat: +12025550143, ben@example.com");
    // What was chosen before and is chosen still was chosen then.
    assert_eq!(data["options"][0]["voters"][0]["date"], "2024-05-01T13:30:02.000000000+02:00");
}

#[test]
fn a_poll_that_names_another_is_its_update_whatever_its_type() {
    let mut poll = Poll::new();
    let asked = poll.ask(&BREADS);
    let ana = poll.ana;
    let first = poll.update_of_type(0, asked, &[("A", "Rye"), ("B", "Wheat"), ("C", "Oat")]);
    poll.vote(Some(ana), first, &[("+12025550143", "C")]);
    poll.update_of_type(3, first, &[("B", "Wheat"), ("C", "Oats")]);
    let (result, data, _) = poll.result();
    assert_eq!(result, "Wheat:  | Oats: +12025550143");
    assert_eq!(data["updates"], 2);
}

#[test]
fn votes_on_any_update_count_and_removed_options_are_kept() {
    let mut poll = Poll::new();
    let asked = poll.ask(&BREADS);
    let (ana, ben) = (poll.ana, poll.ben);
    poll.vote(Some(ana), asked, &[("+12025550143", "B")]);
    let first = poll.update(asked, &[("A", "Rye"), ("B", "Wheat"), ("C", "Oat")]);
    poll.vote(Some(ben), first, &[("ben@example.com", "C")]);
    poll.update(first, &[("C", "Oats"), ("A", "Rye")]);
    poll.vote(None, asked, &[("me@example.com", "C"), ("me@example.com", "X")]);
    let (result, data, _) = poll.result();
    assert_eq!(result, "Oats: ben@example.com, me | Rye: ");
    assert_eq!(data["updates"], 2);
    let removed = data["removed_options"].as_array().unwrap();
    assert_eq!((&removed[0]["id"], &removed[0]["text"]), (&"B".into(), &"Wheat".into()));
    assert_eq!(removed[0]["voters"][0]["handle"], "+12025550143");
    assert_eq!((&removed[1]["id"], &removed[1]["voters"][0]["from_me"]), (&"X".into(), &true.into()));
}

#[test]
fn an_update_that_is_not_understood_is_passed_over() {
    let mut poll = Poll::new();
    let asked = poll.ask(&BREADS);
    let (at, ben) = (poll.at(), poll.ben);
    let odd = AppTemplate::new("Polls").url("data:,bm90IGpzb24=");
    poll.library.message(poll.chat).from(ben).at(&at).app(POLLS, &odd).associated(asked, 2);
    poll.vote(None, asked, &[("me@example.com", "A")]);
    let (result, data, text) = poll.result();
    assert_eq!((result.as_str(), &data["updates"]), ("Rye: me | Wheat: ", &1.into()));
    assert!(text.contains("! a later state of this poll was not understood"), "{text}");
}

/// The owner's address is in the rows: in a row of somebody else's too it is the owner.
#[test]
fn the_owner_is_known_by_the_addresses_in_the_rows() {
    let mut poll = Poll::new();
    let asked = poll.ask(&BREADS);
    let ana = poll.ana;
    let votes = [("+12025550143", "A"), ("+12025550100", "B"), ("stranger@example.com", "B")];
    let vote = json!({"item": {"votes": votes.map(|(voter, option)| {
        json!({"participantHandle": voter, "voteOptionIdentifier": option})
    })}});
    let template = AppTemplate::new("Polls").url(&data_url(&vote.to_string()));
    let at = poll.at();
    poll.library
        .message(poll.chat)
        .from(ana)
        .at(&at)
        .app(POLLS, &template)
        .raw("destination_caller_id", "+12025550100")
        .associated(asked, 4000);
    assert_eq!(poll.result().0, "Rye: +12025550143 | Wheat: me, stranger@example.com");
}

#[test]
fn a_vote_without_its_poll_says_what_was_voted() {
    let mut poll = Poll::new();
    let (chat, ben) = (poll.chat, poll.ben);
    let vote =
        json!({"item": {"votes": [{"participantHandle": "ben@example.com", "voteOptionIdentifier": "A"}]}});
    let template = AppTemplate::new("Polls").url(&data_url(&vote.to_string()));
    poll.library
        .message(chat)
        .from(ben)
        .app(POLLS, &template)
        .raw("associated_message_type", 4000)
        .raw("associated_message_guid", "00000000-0000-4000-8000-0000000000FF");
    let (messages, text) = exported(&poll.library);
    assert_eq!((messages.len(), &messages[0]["kind"]), (1, &"vote".into()));
    let data = &messages[0]["balloon"]["data"];
    assert_eq!(data["votes"], json!([{"option": "A", "voter": data["votes"][0]["voter"]}]));
    assert_eq!(data["votes"][0]["voter"]["handle"], "ben@example.com");
    assert!(
        text.contains("ben@example.com voted in a poll that is not here.\n         □ Polls\n         │ A\n"),
        "{text}"
    );
    let back = AppTemplate::new("Polls").url(&data_url(r#"{"item":{"votes":[]}}"#));
    let mut poll = Poll::new();
    let (chat, ben) = (poll.chat, poll.ben);
    poll.library
        .message(chat)
        .from(ben)
        .app(POLLS, &back)
        .raw("associated_message_type", 4000)
        .raw("associated_message_guid", "00000000-0000-4000-8000-0000000000FF");
    let (messages, took_back) = exported(&poll.library);
    assert_eq!(messages[0]["balloon"]["data"]["taken_back_by"]["handle"], "ben@example.com");
    assert!(took_back.contains("took back a vote in a poll that is not here."), "{took_back}");
    assert!(!took_back.contains("data:,"), "{took_back}");
    assert!(!text.contains("         ! "), "{text}");
}

#[test]
fn votes_and_polls_that_are_not_understood_are_said() {
    let mut poll = Poll::new();
    let asked = poll.ask(&BREADS);
    let (at, ben) = (poll.at(), poll.ben);
    let odd = AppTemplate::new("Polls").url("data:,e30");
    poll.library.message(poll.chat).from(ben).at(&at).app(POLLS, &odd).associated(asked, 4000);
    let (_, data, text) = poll.result();
    assert!(text.contains("! a vote in this poll was not understood"));
    // Who cast it, when, and what it is.
    let vote = &data["damaged_votes"][0];
    assert_eq!((&vote["by"]["handle"], &vote["by"]["from_me"]), (&json!("ben@example.com"), &json!(false)));
    assert_eq!(vote["date"], "2024-05-01T13:30:02.000000000+02:00");
    assert!(vote["raw"].as_str().is_some_and(|raw| raw.starts_with("YnBsaXN0MDD")), "{vote}");
    let mut poll = Poll::new();
    let (chat, ben) = (poll.chat, poll.ben);
    poll.library.message(chat).from(ben).app(POLLS, &odd);
    assert!(exported(&poll.library).1.contains("! this poll was not understood"));
}
