//! Bytes of DATA: however they are cut into blocks, they mean the same; and the message's header is collected.

use sendmail::collect::headers::Collector;
use sendmail::collect::limits::Limits;
use sendmail::policy::features::Bare;
use sendmail::smtp::data::{Decoder, Progress};
use sendmail::smtp::line::{Front, front};

use super::input::Input;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let kinds = [Bare::Refuse, Bare::Keep, Bare::Blank];
    let (lf, cr) = (input.one_of(&kinds), input.one_of(&kinds));
    let cut = input.below(40) + 1;
    let limits = Limits {
        headers: input.one_of(&[0, 60, 32768]),
        message: input.one_of(&[0, 100]),
        is_seven_bit: input.byte() & 1 == 1,
        keeps_from_line: input.byte() & 1 == 1,
        rejects_nul: input.byte() & 1 == 1,
        rejects_undeclared: false,
    };
    let wire = input.0;
    let whole = decoded(wire, wire.len().max(1), lf, cr);
    assert!(whole.0.len() <= wire.len() + 1);
    assert_eq!(whole, decoded(wire, cut, lf, cr), "cut every {cut} bytes");

    let (mut body, mut collector) = (Vec::new(), Collector::new(limits));
    collector.feed(&whole.0, &mut body);
    let collected = collector.finish(&mut body);
    let (mut pieces, mut collector) = (Vec::new(), Collector::new(limits));
    whole.0.chunks(cut).for_each(|chunk| collector.feed(chunk, &mut pieces));
    let in_pieces = collector.finish(&mut pieces);
    assert_eq!(collected.headers, in_pieces.headers);
    assert_eq!(collected.fault, in_pieces.fault);
    if collected.fault.is_none() {
        assert!(body == pieces);
        assert_eq!((collected.size_bytes, collected.has_8bit), (in_pieces.size_bytes, in_pieces.has_8bit));
    }

    let mut rest = wire;
    while let Front::Line(_, used) = front(rest, 64) {
        assert!(used > 0);
        rest = &rest[used..];
    }
}

/// What comes out, how many bytes were used, how it ended.
fn decoded(wire: &[u8], cut: usize, lf: Bare, cr: Bare) -> (Vec<u8>, usize, Option<Progress>) {
    let mut decoder = Decoder::new(lf, cr);
    let mut out = Vec::new();
    let mut used = 0;
    for block in wire.chunks(cut) {
        match decoder.feed(block, &mut out) {
            Progress::More => used += block.len(),
            Progress::End(n) => return (out, used + n, Some(Progress::End(0))),
            other => return (out, 0, Some(other)),
        }
    }
    (out, used, None)
}
