//! What somebody typed → people and conversations.

use std::collections::HashSet;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::people::People;

/// How many names are suggested.
const SUGGESTIONS: usize = 3;

/// Names longer than this are compared by their start.
const COMPARED: usize = 64;

/// Without case, accents and surplus space, for comparing.
pub(super) fn fold(text: &str) -> String {
    let plain: String = text.nfkd().filter(|c| !is_combining_mark(*c)).flat_map(char::to_lowercase).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The people whom `query` means: who has this number or address, in any spelling; else everybody of this name
/// (or, without regard to case, this business); else, where only one person's name has all of these words, that one.
pub(super) fn people_named(people: &People, query: &str) -> Vec<usize> {
    let wanted = fold(query);
    if wanted.is_empty() {
        return Vec::new();
    }
    if let Some(person) = people.of_address(query) {
        return vec![person];
    }
    let names: Vec<(usize, String)> = people
        .all
        .iter()
        .enumerate()
        .filter_map(|(i, person)| Some((i, fold(person.name.as_deref()?))))
        .collect();
    let whole: Vec<usize> = names.iter().filter(|(_, name)| *name == wanted).map(|(i, _)| *i).collect();
    if !whole.is_empty() {
        return whole;
    }
    let business = people.all.iter().enumerate().filter(|(_, p)| p.handles.iter().any(|h| fold(h) == wanted));
    let business: Vec<usize> = business.map(|(i, _)| i).collect();
    if !business.is_empty() {
        return business;
    }
    let has_words = |name: &str| wanted.split(' ').all(|word| name.split(' ').any(|n| n == word));
    let mut partly: Vec<usize> = names.iter().filter(|(_, name)| has_words(name)).map(|(i, _)| *i).collect();
    if partly.len() > 1 {
        partly.clear();
    }
    partly
}

/// The candidates nearest to `query`, best first: those that contain it, then those a few letters away.
pub(super) fn nearest<'a>(query: &str, candidates: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted: Vec<char> = fold(query).chars().take(COMPARED).collect();
    let text: String = wanted.iter().collect();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut seen = HashSet::new();
    let mut ranked: Vec<(usize, usize, &str)> = candidates
        .filter(|candidate| seen.insert(*candidate))
        .filter_map(|candidate| {
            let folded = fold(candidate);
            let letters: Vec<char> = folded.chars().take(COMPARED).collect();
            if folded.contains(&text) {
                return Some((0, letters.len(), candidate));
            }
            let words = folded.split(' ').map(|w| w.chars().take(COMPARED).collect::<Vec<_>>());
            let near = std::iter::once(letters).chain(words).filter_map(|l| distance(&wanted, &l)).min();
            near.map(|near| (1, near, candidate))
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(SUGGESTIONS).map(|(.., candidate)| candidate.to_owned()).collect()
}

/// How many letters have to be typed, deleted, changed or swapped with the next; `None` when more than a third are wrong.
fn distance(a: &[char], b: &[char]) -> Option<usize> {
    let most = (a.len().max(b.len()) / 3).max(1);
    if a.len().abs_diff(b.len()) > most {
        return None;
    }
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = Vec::with_capacity(b.len() + 1);
        row.push(i + 1);
        for (j, y) in b.iter().enumerate() {
            let mut cost = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cost = cost.min(before[j - 1] + 1);
            }
            row.push(cost);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|d| *d <= most)
}
