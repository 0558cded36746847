//! Shortening a failure: the fewest items of the script that still fail in the same way.

use crate::run::{Options, Outcome, run};

/// Leaves out ever smaller parts of the script as long as the failure stays of the same kind.
///
/// `budget` is how many worlds may be tried. The outcome is the last one that failed, and
/// `options.keep` of the answer says which items it needs.
pub fn shrink(options: &Options, first: &Outcome, budget: usize) -> (Options, Outcome) {
    let Some(kind) = first.failure.as_ref().map(|failure| failure.kind.clone()) else {
        return (options.clone(), first.clone());
    };
    let all = || (0..first.items).collect::<Vec<_>>();
    let mut keep = options.keep.clone().unwrap_or_else(all);
    let mut best = first.clone();
    let mut tried = 0;
    let mut size = keep.len().div_ceil(2);
    while 0 < size && tried < budget {
        let mut start = 0;
        let mut shorter = false;
        while start < keep.len() && tried < budget {
            let end = (start + size).min(keep.len());
            let rest: Vec<usize> = [&keep[..start], &keep[end..]].concat();
            let options = Options { keep: Some(rest.clone()), ..options.clone() };
            tried += 1;
            let same = |outcome: &Outcome| {
                outcome.failure.as_ref().is_some_and(|failure| failure.kind == kind)
            };
            match run(&options) {
                Ok(outcome) if same(&outcome) => (best, keep, shorter) = (outcome, rest, true),
                _ => start = end,
            }
        }
        size = match (size, shorter) {
            (1, true) => 1,
            _ => size / 2,
        };
    }
    (Options { keep: Some(keep), ..options.clone() }, best)
}
