//! A content that was damaged and that nothing had any more, as records tell of it.
//!
//! **Must never**: be told of in other words than it is looked for in.

use std::collections::BTreeMap;

use super::lost_thing::LostThing;

/// What is left of a content that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Left {
    /// It lies there, damaged.
    Damaged,
    Nothing,
}

impl Left {
    const ALL: [Left; 2] = [Left::Damaged, Left::Nothing];

    fn begins(self) -> &'static str {
        match self {
            Left::Damaged => "the file of an attachment, as it was: what is left of it is kept (",
            Left::Nothing => "the file of an attachment (",
        }
    }

    /// What stands between the GUID and the path.
    const BETWEEN: &'static str = ", ";

    /// As records have it. `guid`: of an attachment that has it, or had it.
    pub fn in_words(self, guid: Option<&str>, path: &str) -> String {
        let guid = guid.filter(|guid| !guid.contains(Left::BETWEEN)).unwrap_or("of no message");
        format!("{}{guid}{}{path})", self.begins(), Left::BETWEEN)
    }

    /// What such words say: of which content, and what is left of it.
    fn of_words(words: &str) -> Option<(Left, &str)> {
        Left::ALL.into_iter().find_map(|left| {
            let named = words.strip_prefix(left.begins())?.strip_suffix(')')?;
            Some((left, named.split_once(Left::BETWEEN)?.1))
        })
    }
}

/// The contents that are lost, by what is said to be lost: path → what is left, and all that says so.
#[derive(Debug, Default)]
pub struct LostContents<'w>(BTreeMap<&'w str, (Left, Vec<&'w LostThing>)>);

impl<'w> LostContents<'w> {
    pub fn of(things: impl Iterator<Item = &'w LostThing>) -> LostContents<'w> {
        let mut lost: BTreeMap<&str, (Left, Vec<&LostThing>)> = BTreeMap::new();
        for thing in things {
            // An earlier program said only in its words which one it is.
            if let Some((left, path)) = Left::of_words(&thing.what) {
                let path = thing.of.as_ref().and_then(|of| of.path.as_deref()).unwrap_or(path);
                let known = lost.entry(path).or_insert((left, Vec::new()));
                known.0 = known.0.max(left);
                known.1.push(thing);
            }
        }
        LostContents(lost)
    }

    /// Whether this was said of a content already: that nothing is left of it, or that it is damaged.
    pub fn have(&self, path: &str, left: Left) -> bool {
        self.0.get(path).is_some_and(|(said, _)| left <= *said)
    }

    /// All that was said; nothing where it is not lost.
    pub fn said_of(&self, path: &str) -> &[&'w LostThing] {
        self.0.get(path).map_or(&[], |(_, said)| said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_found_again() {
        let paths = ["Attachments/ab/ab12.png", "Attachments/ab/cd, (1)/a (2), b.txt"];
        let said = |what: String| LostThing { what, of: None };
        for (path, guid) in paths.into_iter().zip([Some("at_0_A"), Some("odd, one")]) {
            let damaged = said(Left::Damaged.in_words(guid, path));
            let other = said("a message (row 5 of message)".into());
            let lost = LostContents::of([&damaged, &other].into_iter());
            assert_eq!(lost.said_of(path), [&damaged]);
            assert!(lost.have(path, Left::Damaged) && !lost.have(path, Left::Nothing));
            let gone = said(Left::Nothing.in_words(guid, path));
            let lost = LostContents::of([&damaged, &gone].into_iter());
            assert!(lost.have(path, Left::Damaged) && lost.have(path, Left::Nothing));
        }
    }
}
