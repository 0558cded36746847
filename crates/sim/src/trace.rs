//! What happened, as one number that two runs can be compared by, as counts, and as a story.

use std::collections::BTreeMap;

/// Everything that happened in one world.
#[derive(Clone, Debug)]
pub struct Trace {
    hash: u64,
    lines: u64,
    story: Option<Vec<String>>,
    milestones: BTreeMap<String, u64>,
    months: BTreeMap<String, BTreeMap<String, u64>>,
}

impl Trace {
    /// An empty one; `tell` keeps every line for people.
    pub fn new(tell: bool) -> Self {
        let story = tell.then(Vec::new);
        Self {
            hash: 0xcbf2_9ce4_8422_2325,
            lines: 0,
            story,
            milestones: BTreeMap::new(),
            months: BTreeMap::new(),
        }
    }

    /// Something that is counted by month.
    pub fn count(&mut self, month: String, what: &str) {
        *self.months.entry(month).or_default().entry(what.to_owned()).or_default() += 1;
    }

    /// Month to what happened to how often.
    pub fn months(&self) -> &BTreeMap<String, BTreeMap<String, u64>> {
        &self.months
    }

    /// One thing that happened, with `at` in front in the story.
    pub fn note(&mut self, at: &str, line: &str) {
        // FNV-1a: short, and the same on every machine.
        for byte in at.bytes().chain(line.bytes()).chain([b'\n']) {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self.lines += 1;
        if let Some(story) = &mut self.story {
            story.push(format!("{at}  {line}"));
        }
    }

    /// Something worth knowing that it happened at all.
    pub fn milestone(&mut self, name: impl Into<String>) {
        *self.milestones.entry(name.into()).or_default() += 1;
    }

    /// Equal for equal histories.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// How many things happened.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Every line, if they were kept.
    pub fn story(&self) -> &[String] {
        self.story.as_deref().unwrap_or_default()
    }

    /// What happened, and how often.
    pub fn milestones(&self) -> &BTreeMap<String, u64> {
        &self.milestones
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_order_is_another_history() {
        let hash = |lines: [&str; 2]| {
            let mut trace = Trace::new(false);
            lines.iter().for_each(|line| trace.note("t", line));
            trace.hash()
        };
        assert_eq!(hash(["a", "b"]), hash(["a", "b"]));
        assert_ne!(hash(["a", "b"]), hash(["b", "a"]));
    }
}
