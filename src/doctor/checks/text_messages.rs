//! Do SMS and RCS arrive: they come to the phone, and to other devices only where it passes them on.

use chrono::TimeDelta;

use crate::compare::Reason;
use crate::doctor::{Patient, Verdict};
use crate::writers::phrase;

/// Texts that there have to be before their absence says something.
const FEW: u64 = 10;
/// A silence as long as this, and three times as long as any before it, is more than chance.
const SILENCE: TimeDelta = TimeDelta::days(60);

const FORWARD: &str =
    "On the iPhone: Settings > Apps > Messages > Text Message Forwarding, and switch this device on.";

pub(super) fn look(patient: &Patient<'_>) -> Verdict {
    let (texts, imessages) = (patient.facts.texts, patient.facts.imessages);
    let lacking = patient.other.map(|other| other.lacking_for(Reason::NotForwarded));
    let evidence = vec![
        ("texts", texts.count.into()),
        ("last_text", texts.last.into()),
        ("longest_silence_days_before", texts.longest_silence_days.into()),
        ("imessages", imessages.count.into()),
        ("last_imessage", imessages.last.into()),
        ("not_forwarded", lacking.into()),
    ];
    verdict(patient, lacking).because(evidence)
}

fn verdict(patient: &Patient<'_>, lacking: Option<u64>) -> Verdict {
    let (texts, imessages) = (patient.facts.texts, patient.facts.imessages);
    let since = match texts.last {
        Some(last) => format!("since {}", patient.day(last)),
        None => "at all".into(),
    };
    if let (Some(lacking @ 1..), Some(other)) = (lacking, &patient.other) {
        let messages = phrase::count(lacking, "text", "texts");
        let finding = format!(
            "No SMS or RCS has come here {since}, and {} has {messages} from that time.",
            other.name()
        );
        return Verdict::problem(finding, FORWARD);
    }
    // What comes to a phone comes without anybody's help.
    if patient.is_phone() || patient.is_archive() {
        return match texts.count {
            0 => Verdict::ok("There is no SMS or RCS, and this is where they would arrive."),
            count => Verdict::ok(format!(
                "{}; they arrive here by themselves.",
                phrase::count(count, "text is here", "texts are here")
            )),
        };
    }
    let (Some(last_text), Some(last)) = (texts.last, imessages.last) else {
        return match texts.count {
            0 => Verdict::unknown(
                "There never was one here: forwarding may be off, or nobody sends any. A backup of the phone would tell.",
            ),
            _ => Verdict::ok(format!("{} here.", phrase::count(texts.count, "text is", "texts are"))),
        };
    };
    let silence = last - last_text;
    let unusual =
        TimeDelta::days(3 * i64::try_from(texts.longest_silence_days).unwrap_or(i64::MAX / 3).min(10_000));
    if texts.count >= FEW && silence > SILENCE && silence > unusual {
        let finding = format!(
            "No SMS or RCS has come here {since}, while iMessages have, until {}.",
            patient.day(last)
        );
        return Verdict::warning(finding, FORWARD);
    }
    Verdict::ok(format!(
        "{} here; the last one is of {}.",
        phrase::count(texts.count, "text is", "texts are"),
        patient.day(last_text)
    ))
}
