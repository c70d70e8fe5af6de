use crate::pipeline::select::Has;
use crate::pipeline::{is_plugin_payload, name_of};
use crate::source::RawAttachment;

/// What Apple's screen counts apart; and of its "Other", what people can tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    Photos,
    Videos,
    GifsAndStickers,
    Audio,
    Documents,
    /// Pictures and data of links and other apps' cards, which are not shown by themselves.
    LinkPreviews,
    /// Attachments that say nothing of what they are.
    Other,
    /// Texts, and what apps say in their cards.
    Messages,
}

impl Category {
    /// Every one, in the order in which they are shown.
    pub const ALL: [Category; 8] = [
        Category::Photos,
        Category::Videos,
        Category::GifsAndStickers,
        Category::Audio,
        Category::Documents,
        Category::LinkPreviews,
        Category::Other,
        Category::Messages,
    ];

    /// What an attachment is, by what its row says.
    pub fn of(row: &RawAttachment) -> Category {
        if is_plugin_payload(row) {
            return Category::LinkPreviews;
        }
        let stated =
            |text: &Option<String>| text.as_deref().filter(|text| !text.is_empty()).map(str::to_owned);
        let (mime, uti, name) = (stated(&row.mime_type), stated(&row.uti), name_of(row));
        let ends = |end: &str| name.is_some_and(|name| name.to_ascii_lowercase().ends_with(end));
        let gif = mime.as_deref().is_some_and(|mime| mime.eq_ignore_ascii_case("image/gif"))
            || uti.as_deref() == Some("com.compuserve.gif")
            || ends(".gif");
        if row.is_sticker || gif {
            return Category::GifsAndStickers;
        }
        match Has::of_file(mime.as_deref(), name, uti.as_deref()) {
            Some(Has::Image) => Category::Photos,
            Some(Has::Video) => Category::Videos,
            Some(Has::Audio) => Category::Audio,
            Some(Has::Document) => Category::Documents,
            Some(Has::Link) | None => Category::Other,
        }
    }

    /// Whether `--has` means it by this word.
    pub fn is(self, kind: Has) -> bool {
        match kind {
            // A moving picture is a picture.
            Has::Image => matches!(self, Category::Photos | Category::GifsAndStickers),
            Has::Video => self == Category::Videos,
            Has::Audio => self == Category::Audio,
            Has::Document => self == Category::Documents,
            Has::Link => self == Category::LinkPreviews,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_it_is_in_several_ways() {
        let of = |name: &str, mime: &str, uti: &str, is_sticker: bool| {
            let text = |text: &str| Some(text.to_owned());
            Category::of(&RawAttachment {
                transfer_name: text(name),
                mime_type: text(mime),
                uti: text(uti),
                is_sticker,
                ..RawAttachment::default()
            })
        };
        assert_eq!(of("a.HEIC", "", "", false), Category::Photos);
        assert_eq!(of("a", "image/jpeg", "", false), Category::Photos);
        assert_eq!(of("a.heic", "image/heic", "public.heic", true), Category::GifsAndStickers);
        assert_eq!(of("a.GIF", "", "", false), Category::GifsAndStickers);
        assert_eq!(of("a", "", "com.compuserve.gif", false), Category::GifsAndStickers);
        assert_eq!(of("a.mov", "video/quicktime", "", false), Category::Videos);
        assert_eq!(of("Audio Message.caf", "", "com.apple.coreaudio-format", false), Category::Audio);
        assert_eq!(of("a.pdf", "application/pdf", "", false), Category::Documents);
        assert_eq!(of("a.pluginPayloadAttachment", "image/png", "", false), Category::LinkPreviews);
        assert_eq!(of("", "", "", false), Category::Other);
    }
}
