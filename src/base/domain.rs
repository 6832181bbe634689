//! Host and domain names as text.

/// Without the dot at the end of a fully qualified name.
pub fn without_final_dot(name: &[u8]) -> &[u8] {
    name.strip_suffix(b".").unwrap_or(name)
}

/// What follows the first dot; empty when there is none.
pub fn parent(name: &[u8]) -> &[u8] {
    super::bytes::split_once(name, b'.').map_or(&[], |(_, rest)| rest)
}

/// First label of a name.
pub fn first_label(name: &[u8]) -> &[u8] {
    super::bytes::split_once(name, b'.').map_or(name, |(first, _)| first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_cut_at_the_first_dot() {
        assert_eq!(first_label(b"a.b.c"), b"a");
        assert_eq!(parent(b"a.b.c"), b"b.c");
        assert_eq!(parent(b"a"), b"");
        assert_eq!(without_final_dot(b"a.b."), b"a.b");
    }
}
