//! The rules of the catalog, one by one: a sample that breaks only one of them is refused with one
//! error that says what to write.

use farthing_core::catalog::{CatalogError, MAX_SOURCE_BYTES, SAMPLE, parse};

/// What is said when the sample has `to` instead of `from`.
fn errors(from: &str, to: &str) -> Vec<CatalogError> {
    assert!(SAMPLE.contains(from), "{from:?} is not in the sample");
    parse(&SAMPLE.replacen(from, to, 1)).err().unwrap_or_default()
}

/// Exactly one mistake, of that code, at `at`, with `fix` in what to write.
fn refused(from: &str, to: &str, code: &str, at: &str, fix: &str) {
    let source = SAMPLE.replacen(from, to, 1);
    let errors = errors(from, to);
    let [error] = errors.as_slice() else { panic!("{from:?} as {to:?}: {errors:#?}") };
    assert_eq!(error.code, code, "{from:?} as {to:?}: {error}");
    assert_eq!(&source[error.offset..error.offset + error.len], at, "{error}");
    assert!(error.fix.contains(fix), "{from:?} as {to:?}: {error}");
}

fn accepted(from: &str, to: &str) {
    assert_eq!(errors(from, to), [], "{from:?} as {to:?}");
}

#[test]
fn an_empty_or_enormous_file_is_refused() {
    for source in ["", "\n", "# nothing\n"] {
        let errors = parse(source).unwrap_err();
        assert_eq!((errors.len(), errors[0].code), (1, "catalog_empty"), "{source:?}");
    }
    let errors = parse(&"#".repeat(MAX_SOURCE_BYTES + 1)).unwrap_err();
    assert_eq!((errors.len(), errors[0].code), (1, "catalog_too_large"));
    let full = format!("{SAMPLE}{}", "#".repeat(MAX_SOURCE_BYTES - SAMPLE.len()));
    assert!(parse(&full).is_ok());
}

#[test]
fn the_schema_is_known_and_written_down() {
    refused("schema = 1", "schema = 2", "catalog_schema", "2", "schema = 1");
    refused("schema = 1", "schema = \"1\"", "catalog_wrong_type", "\"1\"", "without quotes");
    refused("schema = 1\n", "", "catalog_missing_key", "", "add `schema = 1`");
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    refused("[dunning]", "[duning]", "catalog_unknown_key", "duning", "`dunning`");
    refused("proration =", "proratoin =", "catalog_unknown_key", "proratoin", "`proration`");
    refused("undo = true", "redo = 1", "catalog_unknown_key", "redo", "use one of: `at`, `undo`");
    refused("on_outage =", "on-outage =", "catalog_unknown_key", "on-outage", "`on_outage`");
    refused("keep_data", "keepData", "catalog_unknown_key", "keepData", "`keep_data`");
}

#[test]
fn names_are_safe_to_put_anywhere() {
    for name in ["Pack", "1st", "_x", "a-b", "\"\"", "\"a b\"", "\"é\"", "\"../x\"", "\"a.b\""] {
        refused(
            "packs.ai_500",
            &format!("packs.{name}"),
            "catalog_bad_name",
            name,
            "small letters",
        );
    }
    let long = "a".repeat(41);
    refused("packs.ai_500", &format!("packs.{long}"), "catalog_bad_name", &long, "1 to 40");
    accepted("packs.ai_500", &format!("packs.{}", &long[1..]));
    refused("name = \"Pro\"", "name = \" \"", "catalog_bad_name", "\" \"", "1 to 80");
    let control = "\"a\\u0007\"";
    refused("\"Pro\"", control, "catalog_bad_name", control, "ordinary characters");
}

#[test]
fn currencies_are_iso_codes_each_once() {
    let list = "[\"USD\", \"EUR\"]";
    refused(list, "[\"USD\", \"EUR\", \"EUR\"]", "catalog_duplicate", "\"EUR\"", "remove");
    refused(list, "[\"USD\", \"EURO\"]", "catalog_unknown_currency", "\"EURO\"", "\"EUR\"");
    refused(list, "[\"usd\", \"EUR\"]", "catalog_unknown_currency", "\"usd\"", "\"USD\"");
    refused(list, "[]", "catalog_empty_value", "[]", "[\"USD\"]");
    refused(list, "\"USD\"", "catalog_wrong_type", "\"USD\"", "[\"USD\"]");
    refused(list, "[\"USD\", 5, \"EUR\"]", "catalog_wrong_type", "5", "quote");
}

#[test]
fn tiers_and_plans_are_the_same_names() {
    let tiers = "[\"free\", \"starter\", \"growth\", \"pro\"]";
    let twice = "[\"free\", \"starter\", \"growth\", \"pro\", \"pro\"]";
    refused(tiers, twice, "catalog_duplicate", "\"pro\"", "remove");
    let more = "[\"free\", \"starter\", \"growht\", \"growth\", \"pro\"]";
    refused(tiers, more, "catalog_unknown_plan", "\"growht\"", "\"growth\"");
    let less = "[\"free\", \"starter\", \"growth\"]";
    refused(tiers, less, "catalog_plan_not_in_tiers", "pro", "add it to `tiers`");
    refused(tiers, "{}", "catalog_wrong_type", "tiers", "[\"free\", \"growth\"]");
}

#[test]
fn who_does_not_pay_gets_a_plan_without_a_price() {
    let fallback = "fallback = \"free\"";
    refused(fallback, "fallback = \"fere\"", "catalog_unknown_plan", "\"fere\"", "\"free\"");
    refused(fallback, "fallback = \"pro\"", "catalog_fallback_priced", "\"pro\"", "without prices");
    let then = "then = { move_to = \"free\"";
    refused(then, "then = { move_to = \"pro\"", "catalog_fallback_priced", "\"pro\"", "without");
    let give_up = "give_up = { move_to = \"free\"";
    refused(give_up, "give_up = { move_to = \"pro\"", "catalog_fallback_priced", "\"pro\"", "name");
}

#[test]
fn every_price_has_every_currency_and_no_other() {
    let both = "{ USD = \"69.00\", EUR = \"64.00\" }";
    let one = "{ USD = \"69.00\" }";
    refused(both, one, "catalog_missing_currency", "month", "add `EUR = \"19.00\"`");
    let other = "{ USD = \"69.00\", EUR = \"64.00\", GBP = \"60.00\" }";
    refused(both, other, "catalog_undeclared_currency", "GBP", "use one of: `USD`, `EUR`");
    refused(both, "\"69.00\"", "catalog_wrong_type", "\"69.00\"", "{ key = value }");
    refused(
        "prices.month = { USD = \"69.00\", EUR = \"64.00\" }",
        "prices.weekly = { USD = \"69.00\", EUR = \"64.00\" }",
        "catalog_unknown_key",
        "weekly",
        "`month`, `year`",
    );
    accepted("prices.month = { USD = \"69.00\", EUR = \"64.00\" }", "");
}

#[test]
fn amounts_are_quoted_decimals_above_zero() {
    let amount = |to: &str, at: &str, fix: &str| {
        refused("USD = \"69.00\"", &format!("USD = {to}"), "catalog_amount", at, fix);
    };
    amount("69.00", "69.00", "\"69.00\"");
    amount("69.5", "69.5", "\"69.50\"");
    amount("69", "69", "\"69.00\"");
    amount("1e3", "1e3", "\"19.00\"");
    amount("\"69.5\"", "\"69.5\"", "\"69.50\"");
    amount("\"69.005\"", "\"69.005\"", "\"19.00\"");
    amount("\"69,00\"", "\"69,00\"", "\"69.00\"");
    amount("\"$69\"", "\"$69\"", "\"69.00\"");
    amount("\"-69.00\"", "\"-69.00\"", "\"69.00\"");
    amount("\"0.00\"", "\"0.00\"", "above zero");
    amount("\"\"", "\"\"", "\"19.00\"");
    amount("\"1000000.00\"", "\"1000000.00\"", "at most \"999999.99\"");
    amount("\"99999999999999999999\"", "\"99999999999999999999\"", "at most");
    accepted("USD = \"69.00\"", "USD = \"999999.99\"");
    accepted("USD = \"69.00\"", "USD = \"69\"");
    refused("USD = \"69.00\"", "USD = true", "catalog_wrong_type", "true", "\"19.00\"");
}

#[test]
fn a_yen_has_no_decimals() {
    let yen = SAMPLE.replace("\"EUR\"", "\"JPY\"").replace("EUR = ", "JPY = ");
    let errors = parse(&yen).unwrap_err();
    assert!(errors.iter().all(|error| error.code == "catalog_amount"), "{errors:#?}");
    assert_eq!(errors[0].fix, "write \"18\"");
}

#[test]
fn a_limit_fits_its_feature() {
    let limit = |to: &str, code: &str, at: &str, fix: &str| {
        refused("chatbots = 10, ", &format!("{to}, "), code, at, fix);
    };
    limit("chatbot = 10", "catalog_unknown_feature", "chatbot", "`chatbots`");
    limit("chatbots = true", "catalog_limit_kind", "true", "whole number");
    limit("chatbots = \"10 GB\"", "catalog_size", "\"10 GB\"", "unit = \"byte\"");
    limit("chatbots = \"10\"", "catalog_size", "\"10\"", "write 10 without quotes");
    limit("chatbots = \"infinite\"", "catalog_limit_kind", "\"infinite\"", "\"unlimited\"");
    limit("chatbots = 10.0", "catalog_limit_kind", "10.0", "whole number");
    limit("chatbots = -1", "catalog_number_out_of_range", "-1", "from 0 to");
    limit(
        "chatbots = 9_007_199_254_740_992",
        "catalog_number_out_of_range",
        "9_007_199_254_740_992",
        "from 0",
    );
    limit(
        "chatbots = 99999999999999999999",
        "catalog_number_out_of_range",
        "99999999999999999999",
        "from 0",
    );
    limit("chatbots = 10, ai = 5", "catalog_limit_kind", "ai", "`credits`");
    limit("chatbots = 10, api_access = \"yes\"", "catalog_limit_kind", "\"yes\"", "true or false");
    limit("chatbots = 10, api_access = 1", "catalog_limit_kind", "1", "true or false");
    for good in ["chatbots = 0", "chatbots = \"unlimited\"", "chatbots = 1_000", "chatbots = 0x10"]
    {
        accepted("chatbots = 10, ", &format!("{good}, "));
    }
}

#[test]
fn sizes_are_for_what_is_counted_in_bytes() {
    let size = |to: &str, fix: &str| {
        refused("storage = \"100 GB\"", &format!("storage = {to}"), "catalog_size", to, fix);
    };
    size("\"100 gb\"", "\"100 GB\"");
    size("\"100 GiB\"", "powers of 1,000");
    size("\"1.5 GB\"", "\"10 GB\"");
    size("\"lots\"", "\"10 GB\"");
    size("\"9008 TB\"", "9007 TB");
    for good in ["100_000_000_000", "\"unlimited\"", "\"1_000 GB\"", "\"1KB\"", "0"] {
        accepted("storage = \"100 GB\"", &format!("storage = {good}"));
    }
}

#[test]
fn a_feature_has_a_type_and_what_goes_with_it() {
    let feature = "white_label = { type = \"boolean\" }";
    let other = |to: &str, code: &str, at: &str, fix: &str| {
        refused(feature, &format!("white_label = {to}"), code, at, fix);
    };
    other("{ type = \"bool\" }", "catalog_unknown_word", "\"bool\"", "\"boolean\"");
    other("{}", "catalog_missing_key", "white_label", "type = \"boolean\"");
    other("\"boolean\"", "catalog_wrong_type", "\"boolean\"", "{ key = value }");
    other("{ type = \"boolean\", unit = \"byte\" }", "catalog_unknown_key", "unit", "`type`");
    refused("unit = \"byte\"", "unit = \"bytes\"", "catalog_unknown_word", "\"bytes\"", "\"byte\"");
    let daily = "resets = \"day\", timezone = \"UTC\"";
    refused(daily, "timezone = \"UTC\"", "catalog_missing_key", "prompts", "resets = \"month\"");
    refused(daily, "resets = \"week\"", "catalog_unknown_word", "\"week\"", "\"month\", \"day\"");
    accepted(daily, "resets = \"day\"");
}

#[test]
fn a_timezone_is_an_iana_name_and_only_for_days() {
    let zone = |to: &str, fix: &str| {
        refused("timezone = \"UTC\"", &format!("timezone = {to}"), "catalog_timezone", to, fix);
    };
    zone("\"Europe/Berln\"", "\"Europe/Berlin\"");
    zone("\"+02:00\"", "\"Europe/Berlin\"");
    zone("\"\"", "\"UTC\"");
    accepted("timezone = \"UTC\"", "timezone = \"America/Sao_Paulo\"");
    let month = "resets = \"month\", timezone = \"UTC\" }";
    refused("resets = \"month\" }", month, "catalog_unknown_key", "timezone", "resets = \"day\"");
}

#[test]
fn credits_are_of_credit_features_and_above_zero() {
    let spend = "[\"plan\", \"pack\", \"signup\"]";
    refused(spend, "[\"plans\"]", "catalog_unknown_word", "\"plans\"", "\"plan\"");
    refused(spend, "[\"plan\", \"plan\"]", "catalog_duplicate", "\"plan\"", "remove");
    refused(spend, "[]", "catalog_empty_value", "[]", "[\"plan\"]");
    refused("text = 1", "text = 0", "catalog_number_out_of_range", "0", "from 1");
    refused("text = 1", "Text = 1", "catalog_bad_name", "Text", "small letters");
    let signup = "signup_credits = { ai = 500 }";
    refused(signup, "signup_credits = { ai = -5 }", "catalog_number_out_of_range", "-5", "from 1");
    refused(
        signup,
        "signup_credits = { storage = 5 }",
        "catalog_not_credits",
        "storage",
        "credits",
    );
    refused(signup, "signup_credits = { ia = 5 }", "catalog_unknown_feature", "ia", "`ai`");
    refused(signup, "signup_credits = {}", "catalog_empty_value", "signup_credits", "ai = 500");
}

#[test]
fn plan_credits_say_what_happens_at_renewal() {
    let renewal = |to: &str, code: &str, at: &str, fix: &str| {
        let from = "amount = 2_000, every = \"month\", on_renewal = \"reset\"";
        refused(from, &format!("amount = 2_000, {to}"), code, at, fix);
    };
    renewal(
        "on_renewal = \"rollover\"",
        "catalog_rollover_cap",
        "\"rollover\"",
        "rollover = 5_000",
    );
    renewal("on_renewal = { rollover = 0 }", "catalog_number_out_of_range", "0", "from 1");
    renewal("on_renewal = {}", "catalog_missing_key", "on_renewal", "rollover = 5_000");
    renewal("on_renewal = \"rest\"", "catalog_unknown_word", "\"rest\"", "\"reset\"");
    renewal("on_renewal = 5", "catalog_wrong_type", "5", "\"stack\"");
    renewal("every = \"week\"", "catalog_unknown_word", "\"week\"", "\"month\", \"year\", \"day\"");
    refused("amount = 2_000, ", "", "catalog_missing_key", "ai", "amount = 2_000");
    let from = "amount = 2_000, every = \"month\", on_renewal = \"reset\"";
    accepted(from, "amount = 2_000");
    accepted(from, "amount = 2_000, on_renewal = { rollover = 5_000 }");
}

#[test]
fn what_a_paid_period_brings_needs_a_price() {
    let signup = "signup_credits = { ai = 500 }";
    let price = "catalog_price_missing";
    refused(signup, "credits.ai = { amount = 5 }", price, "credits", "`signup_credits`");
    refused(signup, "trial = { days = 7 }", price, "trial", "add `prices`");
    let overage = "overage.messages = { per = 1, price = { USD = \"1\", EUR = \"1\" }, cap = 200 }";
    refused(signup, overage, price, "overage", "add `prices`");
    let prices = "prices.month = { USD = \"69.00\", EUR = \"64.00\" }
prices.year = { USD = \"690.00\", EUR = \"640.00\" }";
    refused(prices, "prices = {}", "catalog_empty_value", "prices", "month or year");
}

#[test]
fn a_trial_is_counted_in_days_and_by_known_words() {
    let days = "trial = { days = 7";
    refused(days, "trial = { days = 0", "catalog_number_out_of_range", "0", "from 1 to 730");
    refused(days, "trial = { days = 731", "catalog_number_out_of_range", "731", "from 1 to 730");
    refused(days, "trial = { days = \"7 days\"", "catalog_wrong_type", "\"7 days\"", "digits");
    let method = "payment_method = \"required\"";
    refused(
        method,
        "payment_method = \"require\"",
        "catalog_unknown_word",
        "\"require\"",
        "\"required\"",
    );
    let once = "[\"customer\", \"card\", \"email\", \"device\"]";
    refused(once, "[\"user\"]", "catalog_unknown_word", "\"user\"", "\"customer\"");
    refused(once, "[]", "catalog_empty_value", "[]", "[\"customer\"]");
    let remind = "remind_days_before = 3";
    refused(remind, "remind_days_before = 8", "catalog_number_out_of_range", "8", "from 1 to 7");
}

#[test]
fn overage_goes_beyond_a_limit_up_to_a_cap() {
    let messages =
        "messages = { per = 1_000, price = { USD = \"5.00\", EUR = \"4.50\" }, cap = 100_000 }";
    let rest = "{ per = 1, price = { USD = \"5.00\", EUR = \"4.50\" }, cap = 100_000 }";
    let kind = "catalog_overage_unlimited";
    refused(messages, &format!("chatbots = {rest}"), kind, "chatbots", "remove the overage");
    let kind = "catalog_overage_kind";
    refused(messages, &format!("api_access = {rest}"), kind, "api_access", "count and usage");
    refused(messages, &format!("ai = {rest}"), kind, "ai", "count and usage");
    let unknown = "catalog_unknown_feature";
    refused(messages, &format!("mesages = {rest}"), unknown, "mesages", "`messages`");
    refused("cap = 100_000", "cap = 50_000", "catalog_overage_cap", "50_000", "the plan's limit");
    refused(
        "cap = \"5 TB\"",
        "cap = \"1 TB\"",
        "catalog_overage_cap",
        "\"1 TB\"",
        "the plan's limit",
    );
    refused(", cap = 100_000", "", "catalog_missing_key", "messages", "cap = 100_000");
    refused("per = 1_000", "per = 0", "catalog_number_out_of_range", "0", "from 1");
    refused(
        "per = \"100 GB\"",
        "per = \"0 GB\"",
        "catalog_number_out_of_range",
        "\"0 GB\"",
        "more than 0",
    );
    let limits = "messages = 50_000, ";
    refused(limits, "", "catalog_overage_unlimited", "messages", "add `messages = 0`");
}

#[test]
fn a_pack_sells_credits_to_known_plans_for_some_time() {
    let plans = "plans = [\"starter\", \"growth\", \"pro\"]";
    refused(plans, "plans = [\"max\"]", "catalog_unknown_plan", "\"max\"", "\"free\", \"growth\"");
    refused(plans, "plans = [\"pro\", \"pro\"]", "catalog_duplicate", "\"pro\"", "remove");
    accepted(plans, "");
    let credits = "credits = { ai = 500 }\nexpires";
    refused(credits, "credits = { ai = 0 }\nexpires", "catalog_number_out_of_range", "0", "from 1");
    refused(
        credits,
        "credits = { prompts = 5 }\nexpires",
        "catalog_not_credits",
        "prompts",
        "type",
    );
    refused("\"12 months\"", "\"12 mnths\"", "catalog_duration", "\"12 mnths\"", "\"12 months\"");
    refused("\"12 months\"", "\"1 yaer\"", "catalog_duration", "\"1 yaer\"", "\"1 year\"");
    refused("\"12 months\"", "12", "catalog_wrong_type", "12", "\"12 months\"");
    accepted("expires = \"12 months\"", "");
}

#[test]
fn changes_happen_when_they_happen() {
    refused(
        "at = \"now\", proration",
        "at = \"soon\", proration",
        "catalog_unknown_word",
        "\"soon\"",
        "\"now\"",
    );
    let over = "over_limit = \"block\"";
    refused(
        over,
        "over_limit = \"grace\"",
        "catalog_duration",
        "\"grace\"",
        "{ grace = \"30 days\" }",
    );
    refused(over, "over_limit = { grace = 30 }", "catalog_wrong_type", "30", "\"30 days\"");
    refused(over, "over_limit = \"blocked\"", "catalog_unknown_word", "\"blocked\"", "\"block\"");
    refused("undo = true", "undo = \"yes\"", "catalog_wrong_type", "\"yes\"", "true or false");
}

#[test]
fn a_refund_rule_compares_what_was_used() {
    let rule = "refuse_if = { storage = \"> 50 GB\" }";
    let other = |to: &str, code: &str, at: &str, fix: &str| {
        refused(rule, &format!("refuse_if = {to}"), code, at, fix);
    };
    other("{ storage = \"50 GB\" }", "catalog_comparison", "\"50 GB\"", "\"> 5 GB\"");
    other("{ storage = \">= 50 GB\" }", "catalog_comparison", "\">= 50 GB\"", "\"> 5 GB\"");
    other("{ galleries = \"> 5 GB\" }", "catalog_comparison", "\"> 5 GB\"", "\"> 5\"");
    other("{ galleries = 5 }", "catalog_wrong_type", "5", "\"> 5\"");
    other("{ api_access = \"> 5\" }", "catalog_refund_feature", "api_access", "credit feature");
    let value = "{ providers_per_prompt = \"> 5\" }";
    other(value, "catalog_refund_feature", "providers_per_prompt", "credit feature");
    other("{ storrage = \"> 5 GB\" }", "catalog_unknown_feature", "storrage", "`storage`");
    other("{}", "catalog_empty_value", "refuse_if", "\"> 5 GB\"");
    refused(rule, "", "catalog_missing_key", "[[refunds.rules]]", "add `refuse_if");
    refused("to = [\"pro\"]", "to = [\"prp\"]", "catalog_unknown_plan", "\"prp\"", "\"pro\"");
    accepted(rule, "refuse_if = { messages = \">1_000\", ai = \"> 0\", storage = \">5GB\" }");
}

#[test]
fn refunds_have_a_window_and_thresholds_in_every_currency() {
    refused("window = \"14 days\"\n", "", "catalog_missing_key", "refunds", "window = \"14 days\"");
    refused(
        "window = \"14 days\"",
        "window = \"2 weeks\"",
        "catalog_duration",
        "\"2 weeks\"",
        "\"14 days\"",
    );
    refused(
        "review = \"always\"",
        "review = \"allways\"",
        "catalog_unknown_word",
        "\"allways\"",
        "\"always\"",
    );
    let auto = "auto_max = { USD = \"200.00\", EUR = \"200.00\" }";
    refused(auto, "auto_max = { USD = \"200.00\" }", "catalog_missing_currency", "auto_max", "EUR");
    accepted(auto, "auto_max = { USD = \"0\", EUR = \"0.00\" }");
    accepted(auto, "");
    let without = SAMPLE.replace(auto, "").replace("\"always\"", "\"auto\"");
    let errors = parse(&without).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert!(errors[0].fix.contains("auto_max"), "{errors:?}");
}

#[test]
fn dunning_goes_forward_in_time() {
    let retries = "[\"1 day\", \"3 days\", \"5 days\", \"7 days\"]";
    let order = "catalog_retry_order";
    refused(retries, "[\"3 days\", \"1 day\"]", order, "\"1 day\"", "ascending");
    refused(retries, "[\"1 day\", \"17 days\"]", order, "\"17 days\"", "earlier");
    refused(retries, "[\"1 day\", \"1 day\"]", order, "\"1 day\"", "ascending");
    refused(retries, "[]", "catalog_empty_value", "[]", "\"provider\"");
    refused(retries, "\"stripe\"", "catalog_unknown_word", "\"stripe\"", "\"provider\"");
    refused(retries, "[\"1 dya\"]", "catalog_duration", "\"1 dya\"", "\"1 day\"");
    accepted(retries, "\"provider\"");
    let until = "until = \"16 days\"";
    refused(until, "until = \"7 hours\"", "catalog_duration", "\"7 hours\"", "\"14 days\"");
    let short = "full_access = \"17 days\"";
    refused("full_access = \"7 days\"", short, "catalog_grace_order", "\"16 days\"", "longer");
    refused("\"each_retry\"", "\"retry\"", "catalog_unknown_word", "\"retry\"", "\"each_retry\"");
}

#[test]
fn sections_with_defaults_may_be_left_out() {
    let start = SAMPLE.find("[packs.ai_500]").unwrap();
    let catalog = parse(&SAMPLE[..start]).unwrap();
    assert!(catalog.packs.is_empty() && catalog.refunds.is_none());
    assert_eq!(catalog.changes, Default::default());
    assert_eq!(catalog.dunning.move_to, "free");
    for key in ["schema", "currencies", "tiers", "fallback", "features", "plans"] {
        let errors = parse("[packs]").unwrap_err();
        assert!(errors.iter().any(|error| error.message.contains(key)), "{key}: {errors:#?}");
    }
}
