//! Bytes as segments of the journal: raw, and as records that are cut and damaged.

use sendmail::envelope::QueueId;
use sendmail::queue::journal::{Record, message, replay};

use super::input::Input;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let segments = match input.byte() % 4 {
        0 => vec![input.0.to_vec()],
        1 => {
            let (one, two) = input.0.split_at(input.0.len() / 2);
            vec![one.to_vec(), two.to_vec()]
        }
        _ => made(&mut input),
    };
    let found = replay(segments.iter().map(Vec::as_slice)).expect("memory can be read");
    for place in &found.live {
        let start = usize::try_from(place.offset).expect("within memory");
        let record = &segments[place.segment][start..start + place.length];
        assert!(message(record).is_some(), "a live record cannot be read");
    }
    if let Some((segment, end)) = found.end {
        assert!(end <= segments[segment].len() as u64);
    }
}

/// Records by the input's choice.
fn made(input: &mut Input<'_>) -> Vec<Vec<u8>> {
    let mut segments = Vec::new();
    while !input.is_empty() && segments.len() < 4 {
        let mut segment = Vec::new();
        for _ in 0..input.below(8) {
            let id = QueueId::parse(format!("6AM8Wwpk{:06}", input.byte() % 8).as_bytes()).expect("an id");
            let generation = u64::from(input.byte() % 4);
            let record = if input.byte() & 1 == 0 {
                let (control, body) = (input.below(20), input.below(20));
                Record::accepted(&id, input.below(3), input.bytes(control), input.bytes(body))
            } else {
                Record::done(&id)
            };
            record.expect("short enough").write(generation, &mut segment);
        }
        for _ in 0..input.below(4) {
            let at = input.below(segment.len().max(1));
            let damage = input.byte();
            if let Some(byte) = segment.get_mut(at) {
                *byte ^= damage;
            }
        }
        segment.truncate(segment.len().saturating_sub(input.below(8) * 7));
        segments.push(segment);
    }
    segments
}
