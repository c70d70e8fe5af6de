//! A checkup as JSON, schema 1.

use chrono::SecondsFormat;
use chrono_tz::Tz;
use serde_json::{Map, Value, json};

use super::work_list::Listed;
use super::{Checkup, Fact, Report, Verdict};

/// The one object, in one line. `list`: the work list that was written, where one was.
pub fn object(checkup: &Checkup, list: Option<&Listed>, zone: Tz) -> String {
    let checks = checkup.reports.iter().enumerate().flat_map(|(source, report)| {
        report.verdicts.iter().map(move |(check, verdict)| as_json(check.name, source, verdict, zone))
    });
    let mut object = json!({
        "schema": 1,
        "healthy": checkup.is_healthy(),
        "sources": checkup.reports.iter().map(source).collect::<Vec<_>>(),
        "checks": checks.collect::<Vec<_>>(),
    });
    if let (Some(list), Some(object)) = (list, object.as_object_mut()) {
        object.insert("work_list".into(), work_list(list));
    }
    format!("{object}\n")
}

fn work_list(list: &Listed) -> Value {
    let files: Vec<_> = list.files.iter().map(|file| file.to_string_lossy()).collect();
    json!({
        "files": files,
        "to_fetch": list.counts.to_fetch,
        "bytes": list.counts.bytes,
        "arrived": list.counts.arrived,
        "gone": list.counts.gone,
    })
}

fn source(report: &Report) -> Value {
    let info = &report.source;
    json!({
        "path": info.path.to_string_lossy(),
        "device": info.backup.as_ref().and_then(|backup| backup.device.clone()),
    })
}

fn as_json(name: &str, source: usize, verdict: &Verdict, zone: Tz) -> Value {
    let evidence: Map<String, Value> =
        verdict.evidence.0.iter().map(|(name, value)| ((*name).to_owned(), fact(value, zone))).collect();
    json!({
        "name": name,
        "status": verdict.status.name(),
        "finding": verdict.finding,
        "evidence": evidence,
        "confidence": verdict.confidence.name(),
        "remedy": verdict.remedy,
        "then": verdict.then,
        "source": source,
    })
}

fn fact(fact: &Fact, zone: Tz) -> Value {
    match fact {
        Fact::Unknown => Value::Null,
        Fact::Number(number) | Fact::Bytes(number) => (*number).into(),
        Fact::Flag(flag) => (*flag).into(),
        Fact::Date(date) => date.with_timezone(&zone).to_rfc3339_opts(SecondsFormat::AutoSi, false).into(),
        Fact::Text(text) => text.as_str().into(),
        Fact::Counts(counts) => counts
            .iter()
            .map(|(name, count)| (name.clone(), Value::from(*count)))
            .collect::<Map<_, _>>()
            .into(),
    }
}
