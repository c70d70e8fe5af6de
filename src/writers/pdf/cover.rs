//! A conversation's cover: whose it is, what the document holds of it, and where that comes from.

use crate::pipeline::RowCounts;
use crate::writers::clock::Clock;
use crate::writers::contents::Contents;
use crate::writers::phrase;

use super::blocks::QUIET;
use super::chapter::Plan;
use super::front::{Front, TEXT, VALUES, fixed};
use super::layout::{Engine, Ink};
use super::link;
use super::page::{Block, Cell, Color, Item, TablePart, Target};
use super::parts::Neighbors;
use super::shape::Rectangle;

/// What is known at the end only.
#[derive(Default)]
pub struct Outcome {
    pub contents: Contents,
    /// What became of the conversation's rows, where all of them are known.
    pub rows: Option<RowCounts>,
    /// Whether the source's hashes can be waited for.
    pub is_final: bool,
}

/// All of it. The height does not depend on the outcome.
pub fn blocks(plan: &Plan<'_>, outcome: &Outcome, engine: &mut Engine) -> Vec<Block> {
    let Plan { conversation, options, part, says_origin, .. } = plan;
    let mut front = Front::new(options, engine);
    let mut kind = phrase::conversation_kind(conversation).to_owned();
    if outcome.is_final && !conversation.services.is_empty() {
        let services: Vec<_> = conversation.services.iter().map(|stored| phrase::service(stored)).collect();
        kind = format!("{kind} · {}", services.join(", "));
    }
    let words = phrase::period_and_count(&outcome.contents);
    front.title(&phrase::one_line(&conversation.title), &kind, &words);
    let mut clock = Clock::new(options.zone);
    front.lost(&phrase::lost_of(conversation, options.provenance.as_deref(), &mut clock));
    if let Some(part) = part {
        front.neighbors(part);
    }
    front.months(&outcome.contents);
    front.people(plan);
    let holds = if *says_origin { phrase::HOLDS } else { phrase::HOLDS_OF_IT };
    front.held(holds, &outcome.contents);
    front.account(phrase::ITS_ACCOUNT, outcome.rows.as_ref());
    if *says_origin {
        front.provenance(&outcome.contents, outcome.is_final);
    }
    front.blocks
}

impl Front<'_> {
    fn people(&mut self, plan: &Plan<'_>) {
        self.heading("Who takes part");
        let indent = self.style.measure() * 0.38;
        for person in &plan.conversation.participants {
            let name = phrase::one_line(person.label());
            let handles = match &person.name {
                Some(_) => phrase::one_line(&person.handles.join(", ")).into_owned(),
                None => String::new(),
            };
            self.fact(&name, Ink::default(), &handles, QUIET, indent);
        }
        let me = phrase::one_line(&self.options.me).into_owned();
        self.fact(&me, Ink::default(), "the owner of this library", QUIET, indent);
    }

    /// The documents before and after this one.
    fn neighbors(&mut self, part: &Neighbors) {
        self.heading(&phrase::part(&part.label));
        for (label, name) in [("Before it", &part.before), ("After it", &part.after)] {
            let uri = name.as_deref().and_then(link::relative);
            let color = if uri.is_some() { Color::Link } else { Color::Quiet };
            let text = name.as_deref().unwrap_or("none");
            let line =
                self.fitted(text, Ink { color, ..Ink::default() }, TEXT, self.style.measure() - VALUES);
            let x = self.style.side + VALUES;
            let at = Rectangle { x, y: 0.0, width: line.width, height: TEXT * 1.4 };
            let mut row = fixed(line, TEXT, x);
            row.items.extend(uri.map(|uri| Item::Link { at, target: Target::Uri(uri) }));
            row.items.insert(0, Cell::at(1));
            let label = self.engine.label(label, QUIET, TEXT, VALUES - 8.0);
            let label = fixed(label, TEXT, self.style.side).items;
            row.items.splice(0..0, [Item::Part(TablePart::Line), Cell::HEAD].into_iter().chain(label));
            self.blocks.push(Block { before: 0.5, rows: vec![row], ..Block::default() });
        }
    }
}
