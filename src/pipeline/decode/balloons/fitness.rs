//! Places in an app's texts where Messages puts a person's name; Fitness begins its sentences so
//! (`messages-format.md` 10.3).

use crate::model::Balloon;

const SENDER: &str = "$(kIMTranscriptPluginBreadcrumbTextSenderIdentifier)";
const RECEIVER: &str = "$(kIMTranscriptPluginBreadcrumbTextReceiverIdentifier)";

/// Puts the names of who sent the message and of who got it into the card's texts.
pub fn put_names(card: &mut Balloon, sender: &str, receiver: &str) {
    let texts = [&mut card.title, &mut card.subtitle, &mut card.summary].into_iter().flatten();
    for text in texts.chain(&mut card.lines).filter(|text| text.contains("$(kIM")) {
        // One after the other, so that a name that looks like a place stays a name.
        let pieces = text.split(SENDER).map(|piece| piece.replace(RECEIVER, receiver));
        *text = pieces.collect::<Vec<_>>().join(sender);
    }
}

/// Whether there is such a place in the card's texts.
pub fn wants_names(card: &Balloon) -> bool {
    let texts = [&card.title, &card.subtitle, &card.summary].into_iter().flatten();
    texts.chain(&card.lines).any(|text| text.contains(SENDER) || text.contains(RECEIVER))
}
