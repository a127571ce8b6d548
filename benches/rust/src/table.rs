//! What is printed.

/// The median, in nanoseconds an event.
pub fn median(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// What a row is due to be.
#[derive(Clone, Copy)]
pub enum Due {
    /// At most so many times the other's time.
    AtMost(f64),
    /// Nothing: it is only stated.
    Stated,
}

pub fn heading() {
    println!(
        "{:<28} {:>8}   {:<42} {:>8} {:>8}   {:<8} met",
        "ours", "ns", "floor or peer", "ns", "ratio", "due"
    );
}

pub fn row(ours: &str, ns: f64, other: &str, others_ns: f64, due: Due) {
    let ratio = ns / others_ns;
    let (due, met) = match due {
        Due::AtMost(limit) => (format!("<= {limit}"), if ratio <= limit { "yes" } else { "NO" }),
        Due::Stated => ("-".to_owned(), ""),
    };
    let line = format!("{ours:<28} {ns:>8.1}   {other:<42} {others_ns:>8.1} {ratio:>8.2}   {due:<8} {met}");
    println!("{}", line.trim_end());
}
