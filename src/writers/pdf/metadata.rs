//! What a document says of itself, as XMP (ISO 16684-1): its title, its time, and that it is PDF/A-2u (ISO 19005-2).
//!
//! **Must never**: say when it was made: a run writes the same bytes whenever it happens.

use crate::writers::clock::Local;
use crate::writers::xml;

/// Of a title, in characters: a PDF may hold 32,767 bytes in one string.
const LONGEST_TITLE: usize = 1_000;

/// What a document says of itself.
#[derive(Debug, Clone)]
pub struct About {
    pub title: String,
    pub tool: String,
    /// When the first and the last message were sent.
    pub period: Option<(Local, Local)>,
    /// That it is PDF/A may be said.
    pub archival: bool,
}

impl About {
    pub fn title(&self) -> String {
        match self.title.char_indices().nth(LONGEST_TITLE) {
            Some((end, _)) => format!("{}…", self.title.get(..end).unwrap_or_default()),
            None => self.title.clone(),
        }
    }

    /// The metadata.
    pub fn xmp(&self) -> String {
        let (title, tool) = (line(&self.title()), line(&self.tool));
        // What the messages cover: ISO 8601's form of an interval.
        let day = |at: &Local| format!("{:04}-{:02}-{:02}", at.year, at.month, at.day);
        let coverage = self.period.as_ref().map_or_else(String::new, |(first, last)| {
            format!("<dc:coverage>{}/{}</dc:coverage>", day(first), day(last))
        });
        let claim = "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>";
        let claim = if self.archival { claim } else { "" };
        format!(
            "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
             <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\
             <rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\
             <rdf:Description rdf:about=\"\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
             xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmlns:pdf=\"http://ns.adobe.com/pdf/1.3/\" \
             xmlns:pdfaid=\"http://www.aiim.org/pdfa/ns/id/\">\
             {claim}<dc:format>application/pdf</dc:format>\
             <dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">{title}</rdf:li></rdf:Alt></dc:title>{coverage}\
             <xmp:CreatorTool>{tool}</xmp:CreatorTool><pdf:Producer>{tool}</pdf:Producer>\
             </rdf:Description></rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>"
        )
    }
}

/// As XML text on one line.
fn line(text: &str) -> String {
    xml::text(&text.replace(char::is_control, "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_titles_stay_text() {
        let about = |title: String| About { title, tool: "msgarchive".into(), period: None, archival: true };
        let xmp = about("</rdf:li>&amp;\u{1}\u{ffff}".into()).xmp();
        assert!(xmp.contains(">&lt;/rdf:li&gt;&amp;amp;\u{fffd}\u{fffd}</rdf:li>"), "{xmp}");
        assert!(about("x".repeat(100_000)).title().len() < 8_000);
    }
}
