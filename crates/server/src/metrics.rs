//! What `/metrics` tells: counts and latencies by route, never by customer.
//!
//! Source of the format: <https://prometheus.io/docs/instrumenting/exposition_formats/>.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// The upper bounds of the latency histogram, in microseconds and as they are written.
const BUCKETS: [(u64, &str); 9] = [
    (500, "0.0005"),
    (1_000, "0.001"),
    (2_500, "0.0025"),
    (5_000, "0.005"),
    (10_000, "0.01"),
    (50_000, "0.05"),
    (250_000, "0.25"),
    (1_000_000, "1"),
    (5_000_000, "5"),
];

/// All counters since the process started.
#[derive(Default)]
pub struct Metrics {
    seen: Mutex<Seen>,
}

/// What there is now, by state.
pub struct Gauge {
    /// The metric's name.
    pub name: &'static str,
    /// What it counts.
    pub help: &'static str,
    /// State to number.
    pub values: Vec<(&'static str, i64)>,
}

#[derive(Default)]
struct Seen {
    requests: BTreeMap<(String, String, u16), u64>,
    latency: BTreeMap<String, Histogram>,
}

#[derive(Default)]
struct Histogram {
    /// How many took at most as long as the bucket of the same place; the rest is in `count` only.
    at_most: [u64; BUCKETS.len()],
    count: u64,
    micros: u64,
}

impl Metrics {
    /// Counts one request. `route` is a pattern of ours, never what the client sent.
    pub fn count(&self, method: &str, route: &str, status: u16, took: Duration) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen.requests.entry((method.to_owned(), route.to_owned(), status)).or_default() += 1;
        let histogram = seen.latency.entry(route.to_owned()).or_default();
        histogram.count += 1;
        histogram.micros = histogram.micros.saturating_add(micros);
        for (place, (bound, _)) in BUCKETS.iter().enumerate() {
            histogram.at_most[place] += u64::from(micros <= *bound);
        }
    }

    /// The text, followed by `gauges`.
    pub fn text(&self, gauges: &[Gauge]) -> String {
        let mut text = String::new();
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        head(&mut text, "farthing_http_requests_total", "Requests answered.", "counter");
        for ((method, route, status), n) in &seen.requests {
            let labels = format!("method=\"{method}\",route=\"{route}\",status=\"{status}\"");
            line(&mut text, "farthing_http_requests_total", &labels, &n.to_string());
        }
        let name = "farthing_http_request_duration_seconds";
        head(&mut text, name, "How long an answer took.", "histogram");
        for (route, histogram) in &seen.latency {
            let bounds = BUCKETS.iter().map(|(_, label)| *label).chain(["+Inf"]);
            let counts = histogram.at_most.iter().chain([&histogram.count]);
            for (bound, n) in bounds.zip(counts) {
                let labels = format!("route=\"{route}\",le=\"{bound}\"");
                line(&mut text, &format!("{name}_bucket"), &labels, &n.to_string());
            }
            let (whole, rest) = (histogram.micros / 1_000_000, histogram.micros % 1_000_000);
            let labels = format!("route=\"{route}\"");
            line(&mut text, &format!("{name}_sum"), &labels, &format!("{whole}.{rest:06}"));
            line(&mut text, &format!("{name}_count"), &labels, &histogram.count.to_string());
        }
        for Gauge { name, help, values } in gauges {
            head(&mut text, name, help, "gauge");
            for (state, n) in values {
                line(&mut text, name, &format!("state=\"{state}\""), &n.to_string());
            }
        }
        text
    }
}

fn head(text: &mut String, name: &str, help: &str, kind: &str) {
    write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect("a string takes any text");
}

fn line(text: &mut String, name: &str, labels: &str, value: &str) {
    writeln!(text, "{name}{{{labels}}} {value}").expect("a string takes any text");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_and_latencies_are_written_as_prometheus_reads_them() {
        let metrics = Metrics::default();
        metrics.count("GET", "/v1/plans", 200, Duration::from_micros(700));
        metrics.count("GET", "/v1/plans", 200, Duration::from_secs(7));
        let text = metrics.text(&[Gauge {
            name: "farthing_jobs",
            help: "Jobs.",
            values: vec![("queued", 3)],
        }]);
        let lines: Vec<&str> = text.lines().filter(|it| !it.starts_with('#')).collect();
        insta::assert_snapshot!(lines.join("\n"), @r#"
        farthing_http_requests_total{method="GET",route="/v1/plans",status="200"} 2
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="0.0005"} 0
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="0.001"} 1
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="0.0025"} 1
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="0.005"} 1
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="0.01"} 1
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="0.05"} 1
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="0.25"} 1
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="1"} 1
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="5"} 1
        farthing_http_request_duration_seconds_bucket{route="/v1/plans",le="+Inf"} 2
        farthing_http_request_duration_seconds_sum{route="/v1/plans"} 7.000700
        farthing_http_request_duration_seconds_count{route="/v1/plans"} 2
        farthing_jobs{state="queued"} 3
        "#);
    }
}
