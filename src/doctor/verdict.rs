use crate::model::Instant;

/// What a check says.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    pub status: Status,
    /// A sentence for people. It may hold names from a database.
    pub finding: String,
    /// What it rests on.
    pub evidence: Evidence,
    pub confidence: Confidence,
    /// The one next step.
    pub remedy: Option<String>,
    /// What to do where that does not help, in this order.
    pub then: &'static [&'static str],
}

/// How it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nothing is wrong.
    Ok,
    /// Something to know, or to see to.
    Warning,
    /// Something is wrong.
    Problem,
    /// It cannot be told, and the finding says why.
    Unknown,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Confidence {
    /// By Apple's own definition.
    Defined,
    /// Seen in what was read; other explanations are possible.
    Observed,
    /// By what few people know of it.
    Reported,
}

impl Status {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Status::Ok => "ok",
            Status::Warning => "warning",
            Status::Problem => "problem",
            Status::Unknown => "unknown",
        }
    }
}

impl Confidence {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Confidence::Defined => "defined",
            Confidence::Observed => "observed",
            Confidence::Reported => "reported",
        }
    }
}

/// Raw values by name, in the order in which they were looked at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evidence(pub Vec<(&'static str, Fact)>);

/// A raw value.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// Nothing says it.
    Unknown,
    Number(u64),
    /// A number of bytes.
    Bytes(u64),
    Flag(bool),
    Date(Instant),
    Text(String),
    /// Numbers by what they count.
    Counts(Vec<(String, u64)>),
}

impl<T: Into<Fact>> From<Option<T>> for Fact {
    fn from(fact: Option<T>) -> Fact {
        fact.map_or(Fact::Unknown, Into::into)
    }
}

impl From<u64> for Fact {
    fn from(number: u64) -> Fact {
        Fact::Number(number)
    }
}

impl From<bool> for Fact {
    fn from(flag: bool) -> Fact {
        Fact::Flag(flag)
    }
}

impl From<Instant> for Fact {
    fn from(date: Instant) -> Fact {
        Fact::Date(date)
    }
}

impl From<String> for Fact {
    fn from(text: String) -> Fact {
        Fact::Text(text)
    }
}

impl From<&str> for Fact {
    fn from(text: &str) -> Fact {
        Fact::Text(text.to_owned())
    }
}

impl Verdict {
    fn of(status: Status, finding: impl Into<String>) -> Verdict {
        Verdict {
            status,
            finding: finding.into(),
            evidence: Evidence::default(),
            confidence: Confidence::Observed,
            remedy: None,
            then: &[],
        }
    }

    pub(super) fn ok(finding: impl Into<String>) -> Verdict {
        Verdict::of(Status::Ok, finding)
    }

    pub(super) fn warning(finding: impl Into<String>, remedy: impl Into<String>) -> Verdict {
        Verdict { remedy: Some(remedy.into()), ..Verdict::of(Status::Warning, finding) }
    }

    pub(super) fn problem(finding: impl Into<String>, remedy: impl Into<String>) -> Verdict {
        Verdict { remedy: Some(remedy.into()), ..Verdict::of(Status::Problem, finding) }
    }

    pub(super) fn unknown(why: impl Into<String>) -> Verdict {
        Verdict::of(Status::Unknown, why)
    }

    pub(super) fn by_definition(self) -> Verdict {
        Verdict { confidence: Confidence::Defined, ..self }
    }

    pub(super) fn by_report(self) -> Verdict {
        Verdict { confidence: Confidence::Reported, ..self }
    }

    pub(super) fn because(self, evidence: Vec<(&'static str, Fact)>) -> Verdict {
        Verdict { evidence: Evidence(evidence), ..self }
    }

    pub(super) fn then(self, then: &'static [&'static str]) -> Verdict {
        Verdict { then, ..self }
    }
}
