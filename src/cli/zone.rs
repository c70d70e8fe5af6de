use std::env;

use chrono_tz::{TZ_VARIANTS, Tz};

use super::Failure;

/// For clap: an IANA name.
pub fn parse(name: &str) -> Result<Tz, String> {
    if let Some(zone) = known(name) {
        return Ok(zone);
    }
    let nearest = nearest(name);
    Err(if nearest.is_empty() {
        "no such zone; use an IANA name such as Europe/Berlin".to_owned()
    } else {
        format!("no such zone; the nearest are {}", nearest.join(", "))
    })
}

/// The system's zone, `TZ` before everything else, as every program of the system has it.
pub fn of_the_system() -> Result<Tz, Failure> {
    if let Some(value) = env::var_os("TZ") {
        let value = value.to_string_lossy();
        let name = value.strip_prefix(':').unwrap_or(&value);
        let name = name.split_once("zoneinfo/").map_or(name, |(_, name)| name);
        if name.is_empty() {
            return Ok(Tz::UTC);
        }
        return parse(name).map_err(|why| {
            Failure::Usage(format!("the environment's TZ={value:?}: {why}; or say --time-zone ZONE"))
        });
    }
    // A system without a zone runs on UTC.
    Ok(iana_time_zone::get_timezone().ok().and_then(|name| known(&name)).unwrap_or(Tz::UTC))
}

fn known(name: &str) -> Option<Tz> {
    name.parse().ok().or_else(|| TZ_VARIANTS.iter().find(|z| z.name().eq_ignore_ascii_case(name)).copied())
}

fn nearest(name: &str) -> Vec<&'static str> {
    let wanted = name.to_lowercase().replace(' ', "_");
    let score = |zone: &Tz| {
        let zone = zone.name().to_lowercase();
        let city = zone.rsplit('/').next().unwrap_or(&zone);
        let wanted_city = wanted.rsplit('/').next().unwrap_or(&wanted);
        strsim::jaro_winkler(&zone, &wanted).max(strsim::jaro_winkler(city, wanted_city))
    };
    let mut scored: Vec<(f64, &str)> = TZ_VARIANTS.iter().map(|z| (score(z), z.name())).collect();
    scored.retain(|(score, _)| *score > 0.85);
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.into_iter().take(3).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_found_whatever_its_case() {
        assert_eq!(parse("europe/berlin"), Ok(Tz::Europe__Berlin));
    }

    #[test]
    fn a_misspelt_zone_names_the_nearest() {
        assert!(parse("Europe/Berln").unwrap_err().contains("Europe/Berlin"));
        assert!(parse("new york").unwrap_err().contains("America/New_York"));
    }

    #[test]
    fn nonsense_names_an_example() {
        assert!(parse("%%%").unwrap_err().contains("such as Europe/Berlin"));
    }
}
