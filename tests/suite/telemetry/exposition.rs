//! Prometheus's text format, read as strictly as Prometheus reads it.

use std::collections::{BTreeMap, BTreeSet};

/// Labels and value of each series, by the name of the sample.
pub(super) type Samples = BTreeMap<String, Vec<(BTreeMap<String, String>, f64)>>;

/// What Prometheus reads in a text, after the rules of its exposition format; fails where it would not.
pub(super) fn parse(text: &str) -> Samples {
    assert!(text.ends_with('\n'), "{text}");
    let (mut samples, mut kinds) = (Samples::new(), BTreeMap::new());
    let (mut family, mut over) = (String::new(), BTreeSet::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            let (word, name) = (words.next().unwrap(), words.next().expect(line));
            if name != family {
                assert!(over.insert(name.to_owned()), "{name} in two places");
                name.clone_into(&mut family);
            }
            if word == "TYPE" {
                let kind = words.next().expect(line);
                assert!(
                    ["counter", "gauge", "histogram", "summary"].contains(&kind),
                    "{line}"
                );
                assert!(
                    kinds.insert(name.to_owned(), kind.to_owned()).is_none(),
                    "{line}"
                );
            } else {
                assert_eq!(word, "HELP", "{line}");
            }
            continue;
        }
        let (name, labels, value) = sample(line);
        let kind = kinds
            .get(&family)
            .unwrap_or_else(|| panic!("no type: {line}"));
        let endings: &[&str] = if kind == "histogram" {
            &["_bucket", "_sum", "_count"]
        } else {
            &[""]
        };
        let is_own = |ending: &&str| name == format!("{family}{ending}");
        assert!(endings.iter().any(is_own), "{line} under {family}");
        let known = samples.entry(name.to_owned()).or_default();
        assert!(
            known.iter().all(|(other, _)| *other != labels),
            "twice: {line}"
        );
        known.push((labels, value));
    }
    for (family, kind) in &kinds {
        assert_eq!(kind == "counter", family.ends_with("_total"), "{family}");
        if kind == "histogram" {
            check_histogram(&samples, family);
        }
    }
    samples
}

/// Name, labels and value of a sample.
fn sample(line: &str) -> (&str, BTreeMap<String, String>, f64) {
    let (series, value) = line.rsplit_once(' ').expect(line);
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}').expect(line)),
        None => (series, ""),
    };
    assert!(is_name(name), "{line}");
    let labels = labels.split("\",").filter(|label| !label.is_empty());
    let labels = labels.map(|label| {
        let (name, value) = label.split_once("=\"").expect(line);
        assert!(is_name(name) && !name.starts_with("__"), "{line}");
        let value = value.strip_suffix('"').unwrap_or(value);
        assert!(!value.contains(['"', '\\', '\n']), "{line}");
        (name.to_owned(), value.to_owned())
    });
    (name, labels.collect(), value.parse().expect(line))
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(plain) && name.starts_with(|c: char| !c.is_ascii_digit())
}

/// Buckets grow, the last holds all, and count and sum are there.
fn check_histogram(samples: &Samples, family: &str) {
    let counts = &samples[&format!("{family}_count")];
    assert_eq!(samples[&format!("{family}_sum")].len(), counts.len());
    for (labels, count) in counts {
        let own = samples[&format!("{family}_bucket")]
            .iter()
            .filter(|(others, _)| {
                let mut others = others.clone();
                others.remove("le").unwrap();
                others == *labels
            });
        let buckets: Vec<(f64, f64)> = own
            .map(|(labels, value)| (labels["le"].parse().unwrap(), *value))
            .collect();
        assert!(buckets.len() > 5, "{family}");
        assert!(
            buckets.is_sorted_by(|one, next| one.0 < next.0 && one.1 <= next.1),
            "{family}: {buckets:?}"
        );
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, *count)), "{family}");
    }
}

/// The sum of a sample's series with these labels; nothing if there is none.
pub(super) fn value(samples: &Samples, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let own = samples.get(name)?.iter().filter(|(others, _)| {
        labels
            .iter()
            .all(|(name, value)| others.get(*name).is_some_and(|other| other == value))
    });
    let values: Vec<f64> = own.map(|(_, value)| *value).collect();
    (!values.is_empty()).then(|| values.iter().sum())
}
