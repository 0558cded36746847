//! What will happen in a world: written down beforehand from the seed, so that it can be shortened.
//!
//! Each item stands for itself ("customer 3 wants a higher plan", "the next answer is lost"): what
//! it leads to depends on what is there when its time comes. Leaving an item out leaves the others
//! meaningful, which is what shrinking a failure needs.

use crate::given::Point;
use crate::line::Fate;

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// When, in seconds from the beginning.
    pub at: i64,
    /// What.
    pub what: What,
}

/// Something that somebody does, or that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A customer does something.
    Act(u32, Act),
    /// Something goes wrong.
    Fault(Fault),
}

/// What a customer does. Numbers choose among what there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Act {
    SignUp,
    Buy { pick: u32, year: bool, trial: bool, card: CardKind, comes_back: bool },
    BuyPack { pick: u32 },
    Change { pick: u32, year: Option<bool>, shown: bool },
    Cancel { at_once: bool },
    Resume,
    Use { pick: u32, amount: Amount },
    GiveBack { pick: u32, amount: u32 },
    CardBreaks,
    CardHeals,
    PortalCancel,
    PortalResume,
    PortalSwitch { pick: u32, later: bool },
}

/// What kind of card somebody pays with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum CardKind {
    Good,
    /// Declined first; then the good one.
    DeclinedFirst,
    /// Can be stored, and never pays.
    FailsLater,
    /// The page is left.
    None,
}

/// How much somebody takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Amount {
    Few(u32),
    /// Everything that is left.
    Rest,
    /// One more than is left.
    TooMuch,
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Fault {
    /// The next calls.
    Calls {
        fate: Fate,
        changes: bool,
        times: u32,
    },
    /// The provider's next events are not delivered, late, twice, or under two ids.
    EventsLost {
        times: u32,
    },
    EventsLate {
        seconds: u32,
        times: u32,
    },
    EventsTwice {
        times: u32,
    },
    EventsRenamed {
        times: u32,
    },
    /// Events that are due together come newest first, or in order again.
    Reversed {
        on: bool,
    },
    /// The node stops there, and another one starts.
    Crash(Point),
    /// The node's clock is ahead by so many seconds from now on (behind: negative).
    Skew {
        seconds: i64,
    },
    /// Another webhook secret; the old one is taken away a day later.
    Rotate,
}

/// What a seed leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// When the world begins, in seconds since 1970.
    pub start: i64,
    /// In order of time.
    pub items: Vec<Item>,
}

/// Days on which worlds begin: month ends, a leap day, the last of a year.
const STARTS: [i64; 5] =
    [1_801_389_600, 1_803_808_800, 1_830_254_400, 1_835_431_200, 1_830_297_600];
const DAY: i64 = 86_400;

impl Script {
    /// The script of `seed` for so many customers and days; `faults`: with things going wrong.
    pub fn write(seed: u64, customers: u32, days: i64, faults: bool) -> Self {
        let mut rng = fastrand::Rng::with_seed(seed);
        let start = STARTS[rng.usize(..STARTS.len())];
        let mut items = Vec::new();
        // Each world leaves some things out, so that others happen more often.
        let moods: Vec<bool> = (0..16).map(|_| rng.u8(..100) < 75).collect();
        for customer in 0..customers {
            let mut at = rng.i64(0..(days * DAY / 3).max(1));
            items.push(Item { at, what: What::Act(customer, Act::SignUp) });
            if rng.u8(..10) < 7 {
                let (pick, year) = (rng.u32(..1_000), rng.u8(..5) == 0);
                let (trial, comes_back) = (rng.u8(..5) == 0, rng.bool());
                let buy = Act::Buy { pick, year, trial, card: CardKind::Good, comes_back };
                at += rng.i64(60..2 * DAY);
                items.push(Item { at, what: What::Act(customer, buy) });
            }
            loop {
                at += match rng.u8(..10) {
                    0 => rng.i64(1..120),
                    1..=4 => rng.i64(600..DAY),
                    _ => rng.i64(DAY..9 * DAY),
                };
                if days * DAY <= at {
                    break;
                }
                items.push(Item { at, what: What::Act(customer, act(&mut rng, &moods)) });
            }
        }
        if faults {
            add_faults(&mut rng, &moods, days, &mut items);
        }
        items.sort_by_key(|item| item.at);
        Self { start, items }
    }
}

fn act(rng: &mut fastrand::Rng, moods: &[bool]) -> Act {
    let pick = rng.u32(..1_000);
    let use_some = |rng: &mut fastrand::Rng| Act::Use {
        pick,
        amount: match rng.u8(..10) {
            0 => Amount::Rest,
            1 => Amount::TooMuch,
            _ => Amount::Few(rng.u32(1..4)),
        },
    };
    match rng.u8(..100) {
        0..=13 => Act::Buy {
            pick,
            year: rng.u8(..4) == 0,
            trial: moods[0] && rng.u8(..3) == 0,
            card: match rng.u8(..12) {
                0 if moods[1] => CardKind::DeclinedFirst,
                1 if moods[2] => CardKind::FailsLater,
                2 => CardKind::None,
                _ => CardKind::Good,
            },
            comes_back: rng.bool(),
        },
        14..=17 => Act::BuyPack { pick },
        18..=24 if moods[3] => {
            let year = (rng.u8(..4) == 0).then(|| rng.bool());
            Act::Change { pick, year, shown: rng.bool() }
        }
        25..=27 if moods[4] => Act::Cancel { at_once: rng.u8(..5) == 0 },
        28..=29 if moods[5] => Act::Resume,
        30..=31 if moods[6] => Act::CardBreaks,
        32..=34 if moods[6] => Act::CardHeals,
        35 if moods[7] => Act::PortalCancel,
        36 if moods[7] => Act::PortalResume,
        37 if moods[8] => Act::PortalSwitch { pick, later: rng.bool() },
        38..=45 => Act::GiveBack { pick, amount: rng.u32(1..4) },
        _ => use_some(rng),
    }
}

fn add_faults(rng: &mut fastrand::Rng, moods: &[bool], days: i64, items: &mut Vec<Item>) {
    let mut at = rng.i64(0..2 * DAY);
    // Shortly before something happens, so that it is hit.
    let moments: Vec<i64> = items.iter().map(|item| item.at).collect();
    while at < days * DAY {
        let near = moments.get(rng.usize(..moments.len().max(1)));
        let place = if rng.bool() { near.map_or(at, |near| (near - 1).max(0)) } else { at };
        if let Some(fault) = fault(rng, moods) {
            items.push(Item { at: place, what: What::Fault(fault) });
            if let Fault::Reversed { on: true } = fault {
                let what = What::Fault(Fault::Reversed { on: false });
                items.push(Item { at: place + rng.i64(DAY..20 * DAY), what });
            }
        }
        at += rng.i64(3_600..4 * DAY);
    }
}

fn fault(rng: &mut fastrand::Rng, moods: &[bool]) -> Option<Fault> {
    let times = rng.u32(1..4);
    let fate = match rng.u8(..10) {
        0..=3 => Fate::LostAfter,
        4..=5 => Fate::LostBefore,
        6 => Fate::Fails { acted: true },
        7 => Fate::Fails { acted: false },
        _ => Fate::RateLimited,
    };
    let fault = match rng.u8(..20) {
        0..=5 if moods[9] => Fault::Calls { fate, changes: rng.u8(..3) > 0, times },
        6..=8 if moods[10] => Fault::EventsLost { times: times * 3 },
        9..=10 if moods[11] => {
            Fault::EventsLate { seconds: rng.u32(1..3 * 86_400), times: times * 3 }
        }
        11 if moods[11] => Fault::EventsTwice { times: times * 3 },
        12 if moods[12] => Fault::EventsRenamed { times },
        13 if moods[12] => Fault::Reversed { on: true },
        14..=17 if moods[13] => Fault::Crash(Point::ALL[rng.usize(..Point::ALL.len())]),
        18 if moods[14] => Fault::Skew { seconds: rng.i64(-240..240) },
        19 if moods[15] => Fault::Rotate,
        _ => return None,
    };
    Some(fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_writes_the_same_script() {
        assert_eq!(Script::write(7, 5, 300, true), Script::write(7, 5, 300, true));
        assert_ne!(Script::write(7, 5, 300, true), Script::write(8, 5, 300, true));
    }

    #[test]
    fn a_calm_script_has_no_faults() {
        let script = Script::write(7, 5, 300, false);
        assert!(script.items.iter().all(|item| matches!(item.what, What::Act(..))));
        assert!(script.items.windows(2).all(|two| two[0].at <= two[1].at));
    }
}
