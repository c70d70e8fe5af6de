//! Links to places in Maps (`messages-format.md` 10.5).

use super::url::{Page, copy, text};
use crate::model::{Balloon, BalloonKind, Value};
use crate::pipeline::decode::keyed::Node;
use crate::pipeline::decode::url;

/// Members of a CNPostalAddress, in the order in which most addresses are read.
const COMPONENTS: [(&str, &str); 8] = [
    ("_street", "street"),
    ("_subLocality", "sub_locality"),
    ("_city", "city"),
    ("_subAdministrativeArea", "sub_administrative_area"),
    ("_state", "state"),
    ("_postalCode", "postal_code"),
    ("_country", "country"),
    ("_ISOCountryCode", "country_code"),
];

/// Fills the card where the page is of a place.
pub fn fill(page: &Page<'_>, card: &mut Balloon) -> bool {
    let Some(place) = page.special(&["LPMapMetadata", "LPMapCollectionMetadata"], "address") else {
        return false;
    };
    card.kind = BalloonKind::Place;
    let name = text(place, "name");
    let title = card.title.take();
    card.lines.extend(name.clone().filter(|name| title.as_ref().is_some_and(|title| title != name)));
    card.title = title.or(name);
    let address = text(place, "address");
    let components: Vec<(String, Value)> = place
        .get("addressComponents")
        .map(|parts| {
            let part = |(key, name): (&str, &str)| Some((name.to_owned(), Value::Text(text(parts, key)?)));
            COMPONENTS.into_iter().filter_map(part).collect()
        })
        .unwrap_or_default();
    if address.is_none() {
        let known = components.iter().filter(|(name, _)| name != "country_code");
        card.lines.extend(known.filter_map(|(_, part)| match part {
            Value::Text(part) => Some(part.clone()),
            _ => None,
        }));
    }
    card.lines.extend(address);
    // How far away it was from its sender; as text it is already in words.
    card.lines.extend(text(place, "distance"));
    let names =
        [("name", "name"), ("address", "address"), ("distance", "distance"), ("category", "category")];
    copy(place, &names, card);
    if !components.is_empty() {
        card.data.push(("components", Value::Map(components)));
    }
    let urls = [card.url.clone(), page.get("URL").and_then(Node::url)];
    if let Some((latitude, longitude)) = urls.iter().flatten().find_map(|url| coordinates(url)) {
        card.data.extend([("latitude", Value::Real(latitude)), ("longitude", Value::Real(longitude))]);
    }
    true
}

/// Of a Maps URL: `ll=37.33,-122.03`, and other names for it.
fn coordinates(url: &str) -> Option<(f64, f64)> {
    let query = url::query(url);
    let value = ["ll", "coordinate", "sll"]
        .iter()
        .find_map(|name| query.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str()))?;
    let (latitude, longitude) = value.split_once(',')?;
    let within =
        |text: &str, most: f64| text.trim().parse::<f64>().ok().filter(|degrees| degrees.abs() <= most);
    within(latitude, 90.0).zip(within(longitude, 180.0))
}

#[cfg(test)]
mod tests {
    use super::coordinates;

    #[test]
    fn coordinates_of_urls() {
        assert_eq!(coordinates("https://maps.apple.com/?ll=37.5,-122.25&q=x"), Some((37.5, -122.25)));
        assert_eq!(coordinates("https://maps.apple.com/place?coordinate=1%2C2"), Some((1.0, 2.0)));
        for url in ["https://maps.apple.com/?q=x", "?ll=1", "?ll=91,0", "?ll=NaN,0", "?ll=a,b"] {
            assert_eq!(coordinates(url), None, "{url}");
        }
    }
}
