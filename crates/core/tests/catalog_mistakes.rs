//! A catalog full of mistakes is answered with all of them at once, in the order of the file.

use farthing_core::catalog::{CatalogError, parse};

const MISTAKES: &str = r#"schema = 2
currancies = ["USD"]
currencies = ["USD", "EURO", "USD"]
tiers = ["free", "growth", "gold", "free"]
fallback = "growht"

[features]
"Chat Bots" = { type = "count" }
chatbots = { type = "count", resets = "day" }
storage = { type = "count", unit = "bytes" }
disk = { type = "count", unit = "byte" }
prompts = { type = "usage", resets = "day", timezone = "Europe/Berln" }
messages = { type = "usage" }
flags = { type = "bool" }
ai = { type = "credits", spend = ["plan", "packs"], cost = { text = 0 } }

[plans.free]
nmae = "Free"
limits = { chatbot = 1, disk = "500 mb", prompts = "lots", ai = 5 }
credits.ai = { amount = 10 }

[plans.growth]
name = "Größe 🚀"
prices.month = { USD = 69.00, EUR = "64.5" }
prices.weekly = { USD = "1.00" }
limits = { disk = 10.5, prompts = -1, white_label = true }
trial = { days = 0, once_per = ["customer", "card", "card"], remind_days_before = 3 }

[plans.pro]
name = "Pro"
prices.year = { usd = "1990.00" }
limits = { disk = "unlimited", prompts = 200 }
overage.disk = { per = "100 GB", price = { USD = "8.00" }, cap = "5 TB" }
overage.prompts = { per = 10, price = { USD = "-1.00" }, cap = 100 }

[packs.ai_500]
name = ""
price = { USD = "0.00" }
credits = { prompts = 500 }
expires = "12 mnoths"
plans = ["pro", "gold"]

[changes]
upgrade = { at = "later" }
downgrade = { over_limit = "grace" }

[refunds]
window = 14
review = "auto"

[[refunds.rules]]
when = { to = ["max"] }
refuse_if = { disk = "over 5 GB" }

[dunning]
retries = ["3 days", "1 day"]
grace = { full_access = "7 days", until = "3 days" }
give_up = { move_to = "pro" }
"#;

fn rendered(errors: &[CatalogError]) -> String {
    let line = |error: &CatalogError| {
        let nearest = error.nearest.as_deref().map(|name| format!(" [{name}]")).unwrap_or_default();
        format!(
            "{}:{} {}: {} → {}{nearest}",
            error.line, error.column, error.code, error.message, error.fix
        )
    };
    errors.iter().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_mistake_is_named_at_once_in_file_order() {
    let errors = parse(MISTAKES).unwrap_err();
    insta::assert_snapshot!(rendered(&errors), @r#"
    1:10 catalog_schema: this version of Farthing does not know that schema → write schema = 1
    2:1 catalog_unknown_key: `currancies` is not a key of the catalog → write `currencies` [currencies]
    3:22 catalog_unknown_currency: `EURO` is not an ISO 4217 currency → write "EUR" [EUR]
    3:30 catalog_duplicate: `USD` is in the list twice → remove one of them
    4:28 catalog_unknown_plan: `gold` is not a plan → use one of: "free", "growth", "pro"
    4:36 catalog_duplicate: `free` is in the list twice → remove one of them
    5:12 catalog_unknown_plan: `growht` is not a plan → write "growth" [growth]
    8:1 catalog_bad_name: `Chat Bots` cannot name a feature → use 1 to 40 small letters, digits and _, starting with a letter
    9:30 catalog_unknown_key: `resets` is not a key of `features.chatbots` → use one of: `type`, `unit`
    10:36 catalog_unknown_word: `bytes` is not a value of `features.storage.unit` → write "byte" [byte]
    12:56 catalog_timezone: `Europe/Berln` is not an IANA time zone → write "Europe/Berlin" [Europe/Berlin]
    13:1 catalog_missing_key: `resets` is missing in `features.messages` → add `resets = "month"`
    14:18 catalog_unknown_word: `bool` is not a value of `features.flags.type` → write "boolean" [boolean]
    15:43 catalog_unknown_word: `packs` is not a value of `features.ai.spend[1]` → write "pack" [pack]
    15:69 catalog_number_out_of_range: `features.ai.cost.text` is out of range → write a number from 1 to 9_007_199_254_740_991
    17:8 catalog_missing_key: `name` is missing in `plans.free` → add `name = "Growth"`
    18:1 catalog_unknown_key: `nmae` is not a key of `plans.free` → write `name` [name]
    19:12 catalog_unknown_feature: `chatbot` is not a feature → write `chatbots` [chatbots]
    19:32 catalog_size: `500 mb` is not a size → write "500 MB"
    19:52 catalog_limit_kind: `prompts` is a usage feature, limited by a number, not by "lots" → write a whole number or "unlimited"
    19:60 catalog_limit_kind: `ai` is a credit feature, which has no limit → grant them under `credits` or `signup_credits` of the plan
    20:1 catalog_price_missing: `plans.free.credits` needs a price: each paid period grants them → use `signup_credits`, or add `prices`
    24:24 catalog_amount: the amount `plans.growth.prices.month.USD` is a number without quotes → write "69.00"
    24:37 catalog_amount: `64.5` is not an amount in EUR, which has 2 decimals → write "64.50"
    25:8 catalog_unknown_key: `weekly` is not a key of `plans.growth.prices` → use one of: `month`, `year`
    26:19 catalog_limit_kind: `disk` is a count feature, limited by a number, not by 10.5 → write a whole number or "unlimited"
    26:35 catalog_number_out_of_range: `plans.growth.limits.prompts` is out of range → write a number from 0 to 9_007_199_254_740_991
    26:39 catalog_unknown_feature: `white_label` is not a feature → use one of: `Chat Bots`, `ai`, `chatbots`, `disk`, `flags`, `messages`, `prompts`, `storage`
    27:18 catalog_number_out_of_range: `plans.growth.trial.days` is out of range → write a number from 1 to 730
    27:53 catalog_duplicate: `card` is in the list twice → remove one of them
    29:8 catalog_plan_not_in_tiers: the plan `pro` is not in `tiers` → add it to `tiers`, between the plans below and above it
    31:17 catalog_unknown_currency: `usd` is not an ISO 4217 currency → write `USD` [USD]
    33:9 catalog_overage_unlimited: `disk` is unlimited in this plan: there is no overage → remove the overage
    34:47 catalog_amount: `plans.pro.overage.prompts.price.USD` is negative → write "1.00"
    34:64 catalog_overage_cap: `plans.pro.overage.prompts.cap` is not above the plan's limit → write the most that can be used in all, the plan's limit included
    37:8 catalog_bad_name: `packs.ai_500.name` is empty, too long, or has control characters → write 1 to 80 ordinary characters
    38:17 catalog_amount: `packs.ai_500.price.USD` is zero → write an amount above zero, or leave the price out of what is free
    39:13 catalog_not_credits: `prompts` is a usage feature, not credits → name a feature with type = "credits"
    40:11 catalog_duration: `12 mnoths` is not a length of time → write "12 months"
    41:17 catalog_unknown_plan: `gold` is not a plan → use one of: "free", "growth", "pro"
    44:18 catalog_unknown_word: `later` is not a value of `changes.upgrade.at` → write "now"
    45:28 catalog_duration: `grace` needs a length of time → write { grace = "30 days" }
    47:2 catalog_missing_key: `auto_max` is missing in `refunds` → add `auto_max = { USD = "200.00" }`
    48:10 catalog_wrong_type: `refunds.window` is a whole number, not text → write "14 days"
    51:1 catalog_missing_key: `name` is missing in `refunds.rules[0]` → add `name = "to pro"`
    52:16 catalog_unknown_plan: `max` is not a plan → use one of: "free", "growth", "pro"
    53:22 catalog_comparison: `over 5 GB` is not a comparison → write "> 5 GB": refused when more than that was used
    56:22 catalog_retry_order: the retry after 1 day is not later than the one before it → write them ascending, each counted from the failed payment
    57:43 catalog_grace_order: `until` is before the end of full access, 7 days → write a longer time; both are counted from the failed payment
    58:23 catalog_fallback_priced: after dunning, `pro` has a price, and nobody would have paid it → name a plan without prices
    "#);
}

#[test]
fn what_is_underlined_is_what_was_written() {
    let errors = parse(MISTAKES).unwrap_err();
    let underlined: Vec<&str> =
        errors.iter().map(|error| &MISTAKES[error.offset..error.offset + error.len]).collect();
    insta::assert_snapshot!(underlined.join("\n"), @r#"
    2
    currancies
    "EURO"
    "USD"
    "gold"
    "free"
    "growht"
    "Chat Bots"
    resets
    "bytes"
    "Europe/Berln"
    messages
    "bool"
    "packs"
    0
    free
    nmae
    chatbot
    "500 mb"
    "lots"
    ai
    credits
    69.00
    "64.5"
    weekly
    10.5
    -1
    white_label
    0
    "card"
    pro
    usd
    disk
    "-1.00"
    100
    ""
    "0.00"
    prompts
    "12 mnoths"
    "gold"
    "later"
    "grace"
    refunds
    14
    [[refunds.rules]]
    "max"
    "over 5 GB"
    "1 day"
    "3 days"
    "pro"
    "#);
}
