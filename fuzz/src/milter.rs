//! Bytes that a filter sends: options first, then answers to the steps of a session, and what they do to a message.

use sendmail::collect::headers::Collector;
use sendmail::collect::limits::Limits;
use sendmail::config::Config;
use sendmail::milter::edit::Fields;
use sendmail::milter::reply::Reply;
use sendmail::milter::session::{Conversation, Outcome};
use sendmail::milter::stage::STAGES;
use sendmail::milter::wire::{Answer, Edit, Packets, read_answer};

use super::input::Input;

pub fn run(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mut conversation = Conversation::new(input.one_of(&[None, Some(b'R'), Some(b'T'), Some(b'4')]));
    let order = input.byte();
    let mut headers = Collector::new(Limits::default());
    headers.feed(b"Received: x\nSubject: a\nTo: b\n c\n\n", &mut Vec::new());
    let mut fields = Fields::new(&headers.finish(&mut Vec::new()).headers, &Config::default());
    let mut packets = Packets::default();
    let mut count = 0u8;
    let cut = input.below(64) + 1;
    for block in input.0.chunks(cut) {
        packets.input().extend_from_slice(block);
        loop {
            let (letter, payload) = match packets.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => break,
                Err(bad) => {
                    let _ = bad.to_string();
                    let _ = conversation.fail();
                    return;
                }
            };
            count = count.wrapping_add(1);
            if count == 1 && order & 1 == 1 {
                if let Err(mismatch) = conversation.negotiated(letter, &payload) {
                    let _ = mismatch.to_string();
                }
                conversation.begin_message();
                continue;
            }
            let row = &STAGES[usize::from(count ^ order) % STAGES.len()];
            let _ = (conversation.wants(row.stage), conversation.answers(row.stage), conversation.list(row.stage));
            let answer = read_answer(letter, &payload);
            if let Answer::Reply(text) = &answer
                && let Some(reply) = Reply::parse(text)
            {
                assert!((400..600).contains(&reply.code));
            }
            if let Answer::Edit(edit) = &answer {
                change(&mut fields, edit);
            }
            if let Outcome::Edit(edit) = conversation.take(row.stage, answer) {
                let _ = (edit.letter(), edit.action(), edit.lie());
            }
        }
    }
    let _ = fields.told().count();
    let _ = fields.into_list();
}

fn change(fields: &mut Fields, edit: &Edit) {
    match edit {
        Edit::AddHeader { name, value } => drop(fields.add(name, value.clone())),
        Edit::InsertHeader { index, name, value } => drop(fields.insert(*index, name, value.clone())),
        Edit::ChangeHeader { index, name, value } => drop(fields.change(*index, name, value.clone())),
        _ => {}
    }
}
