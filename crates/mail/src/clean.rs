//! What people and providers wrote, made harmless before it gets into a mail or a log.

/// `text` on one line: no control characters, no invisible marks that turn the direction of
/// writing, single spaces, at most `max` characters (an ellipsis says that more was there).
pub fn one_line(text: &str, max: usize) -> String {
    let plain: String = text.chars().map(|c| if harmless(c) { c } else { ' ' }).collect();
    let line = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= max {
        return line;
    }
    let kept: String = line.chars().take(max.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Whether `c` can neither end a line nor change how what follows it is read.
pub(crate) fn harmless(c: char) -> bool {
    let turns =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}');
    !c.is_control() && !turns && !breaks
}

/// `text` with everything that could be a mail address replaced: servers like to repeat the
/// recipient's in what they refuse, and logs and alerts hold no addresses.
pub fn without_addresses(text: &str) -> String {
    let line = one_line(text, MESSAGE_MAX);
    let words = line.split(' ').map(|word| if word.contains('@') { "(address)" } else { word });
    words.collect::<Vec<_>>().join(" ")
}

/// How much of a server's message is kept, in characters.
const MESSAGE_MAX: usize = 300;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line_whatever_is_in_it() {
        assert_eq!(one_line("Ana\r\nBcc: x@example.com", 80), "Ana Bcc: x@example.com");
        assert_eq!(one_line(" a\u{0}b\tc\u{2028}d\u{202e}e ", 80), "a b c d e");
        assert_eq!(one_line("abcdef", 4), "abc…");
        assert_eq!(one_line("", 4), "");
    }

    #[test]
    fn an_address_in_a_servers_answer_does_not_reach_a_log() {
        let answer = "5.1.1 <ana@example.com>: no such user here, RCPT TO:<ana@example.com>";
        assert_eq!(without_addresses(answer), "5.1.1 (address) no such user here, RCPT (address)");
    }
}
