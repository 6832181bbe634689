use super::*;
use crate::envelope::Recipient;
use crate::macros::Scope;
use crate::message::Header;
use crate::sys::file;

fn spool(at: &std::path::Path) -> Spool {
    let mut config = Config::default();
    config.options.queue_directory = Some(at.to_str().unwrap().to_owned().into());
    config.options.super_safe = SuperSafe::True;
    Spool::open(&config, TimeZone::UTC).unwrap()
}

fn envelope(id: QueueId) -> Envelope {
    let mut envelope = Envelope::new(id, UnixTime(1_795_334_727), Scope::default());
    envelope.sender = "<a@sender.test>".into();
    envelope.sender_given = envelope.sender.clone();
    envelope.recipients.push(Recipient::new("<b@remote.test>"));
    envelope.headers.push(Header::new("Subject", " x"));
    envelope
}

fn files(at: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(at).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn files_are_synced_unless_the_option_says_otherwise() {
    let at = tempfile::tempdir().unwrap();
    for (value, is_synced) in [
        (SuperSafe::True, true),
        (SuperSafe::Interactive, true),
        (SuperSafe::PostMilter, true),
        (SuperSafe::False, false),
    ] {
        let mut config = Config::default();
        config.options.queue_directory = Some(at.path().to_str().unwrap().to_owned().into());
        config.options.super_safe = value;
        assert_eq!(Spool::open(&config, TimeZone::UTC).unwrap().is_synced(), is_synced, "{value:?}");
    }
}

#[tokio::test]
async fn a_body_stays_in_memory_up_to_the_size_of_the_option() {
    let at = tempfile::tempdir().unwrap();
    for (size, is_held) in [(0, false), (200_000, true)] {
        let mut config = Config::default();
        config.options.queue_directory = Some(at.path().to_str().unwrap().to_owned().into());
        config.options.data_file_buffer_size = size;
        let spool = Spool::open(&config, TimeZone::UTC).unwrap();
        let mut writer = spool.start_body(&spool.new_id());
        writer.write(&vec![b'x'; 100_000]).await.unwrap();
        assert_eq!(writer.finish().await.unwrap().in_memory().is_some(), is_held, "DataFileBufferSize={size}");
    }
}

#[tokio::test]
async fn a_committed_message_is_locked_until_dropped_and_then_found_as_it_was() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let id = spool.new_id();
    let mut body = spool.start_body(&id);
    body.write(b"hello\n").await.unwrap();
    let held = spool.commit(&envelope(id.clone()), body.finish().await.unwrap()).await.unwrap();
    assert_eq!(files(at.path()), [format!("df{id}"), format!("qf{id}")]);
    assert!(spool.lock(&id).await.unwrap().is_none());
    drop(held);
    let (held, found, body) = spool.lock(&id).await.unwrap().unwrap();
    assert_eq!(found.recipients, envelope(id.clone()).recipients);
    assert_eq!(body.block(0).await.unwrap(), "hello\n");
    spool.retire(held).await.unwrap();
    assert!(files(at.path()).is_empty());
}

#[tokio::test]
async fn a_long_body_goes_to_its_df_and_can_be_shared_by_a_split_envelope() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let (one, two) = (spool.new_id(), spool.new_id());
    let mut writer = spool.start_body(&one);
    let line = [b'x'; 999];
    for _ in 0..1000 {
        writer.write(&line).await.unwrap();
    }
    let body = writer.finish().await.unwrap();
    assert!(body.in_memory().is_none() && body.len() == 999_000);
    let first = spool.commit(&envelope(one.clone()), body.clone()).await.unwrap();
    let second = spool.commit(&envelope(two.clone()), body).await.unwrap();
    spool.retire(first).await.unwrap();
    drop(second);
    let (_held, _, body) = spool.lock(&two).await.unwrap().unwrap();
    let (mut offset, mut sum) = (0u64, 0usize);
    while offset < body.len() {
        let block = body.block(offset).await.unwrap();
        assert!(block.iter().all(|b| *b == b'x'));
        sum += block.len();
        offset += block.len() as u64;
    }
    assert_eq!(sum, 999_000);
}

#[tokio::test]
async fn a_body_given_up_leaves_nothing() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let id = spool.new_id();
    let mut writer = spool.start_body(&id);
    writer.write(&vec![b'x'; BODY_MEMORY + 1]).await.unwrap();
    assert_eq!(files(at.path()).len(), 1);
    drop(writer);
    assert!(files(at.path()).is_empty());
}

#[tokio::test]
async fn quarantine_moves_the_control_file_and_release_moves_it_back() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let id = spool.new_id();
    let mut envelope = envelope(id.clone());
    let held = spool.commit(&envelope, Body::from(b"x\n".to_vec())).await.unwrap();
    envelope.quarantine = Some("because".into());
    let held = spool.update(held, &envelope).await.unwrap();
    assert_eq!(files(at.path()), [format!("df{id}"), format!("hf{id}")]);
    envelope.quarantine = None;
    let held = spool.update(held, &envelope).await.unwrap();
    assert_eq!(files(at.path()), [format!("df{id}"), format!("qf{id}")]);
    assert!(spool.lock(&id).await.unwrap().is_none(), "the lock moves with the file");
    spool.lose(held).await.unwrap();
    let kinds: Vec<Kind> = spool.scan().await.unwrap().iter().map(|e| e.kind).collect();
    assert_eq!(kinds, [Kind::Lost]);
}

#[tokio::test]
async fn a_control_file_that_others_may_write_is_set_aside() {
    use std::os::unix::fs::PermissionsExt;
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let id = spool.new_id();
    drop(spool.commit(&envelope(id.clone()), Body::empty()).await.unwrap());
    std::fs::set_permissions(at.path().join(format!("qf{id}")), std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(matches!(spool.lock(&id).await, Err(Error::Damaged { .. })));
    assert!(files(at.path()).contains(&format!("Qf{id}")));
}

#[tokio::test]
async fn many_sessions_commit_at_once() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let tasks: Vec<_> = (0..200)
        .map(|_| {
            let spool = spool.clone();
            tokio::spawn(async move {
                let id = spool.new_id();
                spool.commit(&envelope(id), Body::from(vec![b'y'; 5000])).await.map(drop)
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(spool.scan().await.unwrap().len(), 200);
}

#[tokio::test]
async fn a_failed_commit_leaves_nothing_of_the_message() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let id = spool.new_id();
    std::fs::create_dir(at.path().join(format!("qf{id}"))).unwrap();
    let error = spool.commit(&envelope(id.clone()), Body::empty()).await.unwrap_err();
    assert!(crate::base::status::Classify::is_temporary(&error));
    assert_eq!(files(at.path()), [format!("qf{id}")]);
}

#[tokio::test]
async fn a_second_commit_under_the_same_id_fails_and_leaves_the_first_alone() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let id = spool.new_id();
    drop(spool.commit(&envelope(id.clone()), Body::from(b"one\n".to_vec())).await.unwrap());
    assert!(spool.commit(&envelope(id.clone()), Body::from(b"two\n".to_vec())).await.is_err());
    let (_held, _, body) = spool.lock(&id).await.unwrap().unwrap();
    assert_eq!(body.block(0).await.unwrap(), "one\n");
}

#[test]
fn ids_of_one_second_differ_and_more_than_a_second_holds_run_ahead() {
    let mut sequence = Sequence::new();
    let ids: std::collections::HashSet<QueueId> =
        (0..10_000).map(|_| sequence.next_id(UnixTime(1_795_334_727), &TimeZone::UTC)).collect();
    assert_eq!(ids.len(), 10_000);
}

#[tokio::test]
async fn files_of_a_shared_queue_have_the_configured_mode_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt as _;
    let at = tempfile::tempdir().unwrap();
    let mut config = Config::default();
    config.options.queue_directory = Some(at.path().to_str().unwrap().to_owned().into());
    config.options.queue_file_mode.0 = 0o666;
    let spool = Spool::open(&config, TimeZone::UTC).unwrap();
    let id = spool.new_id();
    drop(spool.commit(&envelope(id.clone()), Vec::from(*b"x\n").into()).await.unwrap());
    for name in files(at.path()) {
        let mode = std::fs::metadata(at.path().join(&name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o666, "{name}");
    }
}

#[tokio::test]
async fn what_a_crash_left_is_cleared_away_but_a_lone_body_waits() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let ids: Vec<QueueId> = std::iter::repeat_with(|| spool.new_id()).take(3).collect();
    let held = spool.commit(&envelope(ids[0].clone()), Vec::from(*b"x\n").into()).await.unwrap();
    let put = |name: String| file::replace(&at.path().join(name), b"x", 0o600).unwrap();
    put(format!("tf{}", ids[1]));
    put(format!("df{}", ids[1]));
    put(format!("df{}", ids[2]));
    let removed: Vec<bool> = spool.recover().await.unwrap().iter().map(|l| l.is_removed).collect();
    assert_eq!(removed.iter().filter(|r| **r).count(), 2);
    assert_eq!(files(at.path()), [format!("df{}", ids[0]), format!("df{}", ids[2]), format!("qf{}", ids[0])]);
    drop(held);
}

/// Commits a message in the journal.
async fn in_journal(spool: &Spool) -> (QueueId, Held) {
    let id = spool.new_id();
    let held = spool.commit_at_once(&envelope(id.clone()), Vec::from(*b"hello\n").into()).await.unwrap();
    (id, held)
}

/// Files of messages.
fn at_rest(at: &std::path::Path) -> Vec<String> {
    files(at).into_iter().filter(|name| !name.starts_with(".journal")).collect()
}

#[tokio::test]
async fn a_message_that_is_done_at_once_has_no_files_of_its_own() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    assert_eq!(spool.open_journal().await.unwrap(), Some(0));
    let (_, held) = in_journal(&spool).await;
    assert!(at_rest(at.path()).is_empty());
    spool.retire(held).await.unwrap();
    assert_eq!(spool.settle().await.unwrap(), None);
    assert!(at_rest(at.path()).is_empty());
}

#[tokio::test]
async fn a_deferred_message_comes_to_rest_with_its_new_state() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    spool.open_journal().await.unwrap();
    let (id, held) = in_journal(&spool).await;
    let mut tried = envelope(id.clone());
    tried.tries = 1;
    let held = spool.update(held, &tried).await.unwrap();
    assert_eq!(at_rest(at.path()), [format!("df{id}"), format!("qf{id}")]);
    assert!(spool.lock(&id).await.unwrap().is_none(), "it is still held");
    drop(held);
    let (_held, found, body) = spool.lock(&id).await.unwrap().unwrap();
    assert_eq!((found.tries, body.block(0).await.unwrap()), (1, "hello\n".into()));
}

#[tokio::test]
async fn what_is_given_up_or_takes_long_comes_to_rest_under_its_lock() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    spool.open_journal().await.unwrap();
    let (given_up, held) = in_journal(&spool).await;
    drop(held);
    let (slow, held) = in_journal(&spool).await;
    assert_eq!(spool.settle().await.unwrap(), None);
    assert_eq!(at_rest(at.path()).len(), 4);
    assert!(spool.lock(&given_up).await.unwrap().is_some());
    assert!(spool.lock(&slow).await.unwrap().is_none());
    spool.retire(held).await.unwrap();
    assert_eq!(at_rest(at.path()), [format!("df{given_up}"), format!("qf{given_up}")]);
}

#[tokio::test]
async fn after_a_crash_the_journal_gives_back_what_was_not_done() {
    let at = tempfile::tempdir().unwrap();
    let crashed = tempfile::tempdir().unwrap();
    let first = spool(at.path());
    first.open_journal().await.unwrap();
    let (_, done) = in_journal(&first).await;
    first.retire(done).await.unwrap();
    let (left, held) = in_journal(&first).await;
    let other = spool(at.path());
    assert_eq!(other.open_journal().await.unwrap(), None, "another process has it");
    for name in files(at.path()) {
        std::fs::copy(at.path().join(&name), crashed.path().join(&name)).unwrap();
    }
    let second = spool(crashed.path());
    assert_eq!(second.open_journal().await.unwrap(), Some(1));
    let (_held, found, body) = second.lock(&left).await.unwrap().unwrap();
    assert_eq!(found.recipients, envelope(left.clone()).recipients);
    assert_eq!(body.block(0).await.unwrap(), "hello\n");
    drop(held);
}

#[tokio::test]
async fn segments_take_turns_and_lose_nothing() {
    let at = tempfile::tempdir().unwrap();
    let crashed = tempfile::tempdir().unwrap();
    let spool_here = spool(at.path());
    spool_here.open_journal().await.unwrap();
    let mut kept = Vec::new();
    for n in 0..600 {
        let id = spool_here.new_id();
        let body = Body::from(vec![b'z'; 30_000]);
        let held = spool_here.commit_at_once(&envelope(id.clone()), body).await.unwrap();
        if n >= 597 {
            kept.push((id, held));
        } else {
            spool_here.retire(held).await.unwrap();
        }
    }
    let length = |name: &str| std::fs::metadata(at.path().join(name)).unwrap().len();
    assert!(length(".journal.0") + length(".journal.1") < 10 << 20, "segments are used again");
    for name in files(at.path()) {
        std::fs::copy(at.path().join(&name), crashed.path().join(&name)).unwrap();
    }
    let after = spool(crashed.path());
    assert_eq!(after.open_journal().await.unwrap(), Some(3));
    for (id, _) in &kept {
        assert!(after.lock(id).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn a_control_file_of_any_length_is_read_whole() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    for recipients in [1usize, 150, 163, 164, 5000] {
        let id = spool.new_id();
        let mut message = envelope(id.clone());
        message.recipients = (0..recipients).map(|n| Recipient::new(format!("<user{n}@remote.test>"))).collect();
        drop(spool.commit(&message, Body::from(b"x\n".to_vec())).await.unwrap());
        let (_held, found, _) = spool.lock(&id).await.unwrap().unwrap();
        assert_eq!(found.recipients.len(), recipients);
    }
}

#[tokio::test]
async fn a_journal_is_taken_up_message_by_message_and_what_rests_does_not_come_back() {
    let (at, crashed) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let first = spool(at.path());
    first.open_journal().await.unwrap();
    let (blocked, _one) = in_journal(&first).await;
    let (free, _two) = in_journal(&first).await;
    for name in files(at.path()) {
        std::fs::copy(at.path().join(&name), crashed.path().join(&name)).unwrap();
    }
    // A body that cannot be replaced, and what a put at rest that was cut short has left.
    let obstacle = crashed.path().join(format!("df{blocked}"));
    std::fs::create_dir(&obstacle).unwrap();
    file::replace(&crashed.path().join(format!("tf{free}")), b"half", 0o600).unwrap();
    let second = spool(crashed.path());
    second.open_journal().await.unwrap_err();
    let (held, ..) = second.lock(&free).await.unwrap().unwrap();
    second.retire(held).await.unwrap();
    std::fs::remove_dir(obstacle).unwrap();
    assert_eq!(second.open_journal().await.unwrap(), Some(1), "the other is done");
    assert_eq!(at_rest(crashed.path()), [format!("df{blocked}"), format!("qf{blocked}")]);
    let length = |name: &str| std::fs::metadata(crashed.path().join(name)).unwrap().len();
    assert!(length(".journal.0") <= 4 << 20, "it does not grow with every start");
}

#[tokio::test]
async fn a_journal_is_found_in_every_queue_directory() {
    let at = tempfile::tempdir().unwrap();
    std::fs::create_dir(at.path().join("q2")).unwrap();
    let pattern = at.path().join("q*");
    let first = spool(&pattern);
    first.open_journal().await.unwrap();
    let (id, held) = in_journal(&first).await;
    let later = tempfile::tempdir().unwrap();
    for name in ["q1", "q2"] {
        std::fs::create_dir(later.path().join(name)).unwrap();
    }
    for name in files(&at.path().join("q2")) {
        std::fs::copy(at.path().join("q2").join(&name), later.path().join("q2").join(&name)).unwrap();
    }
    let second = spool(&later.path().join("q*"));
    assert_eq!(second.open_journal().await.unwrap(), Some(1));
    assert!(second.lock(&id).await.unwrap().is_some());
    assert!(files(&later.path().join("q1")).contains(&".journal.0".to_owned()));
    drop(held);
}

#[tokio::test]
async fn an_ended_journal_is_empty_and_later_messages_have_files() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    spool.open_journal().await.unwrap();
    let (_, done) = in_journal(&spool).await;
    spool.retire(done).await.unwrap();
    let _held = in_journal(&spool).await;
    assert_eq!(spool.settle().await.unwrap(), None);
    let length = |name: &str| std::fs::metadata(at.path().join(name)).unwrap().len();
    assert_eq!((length(".journal.0"), length(".journal.1"), at_rest(at.path()).len()), (0, 0, 2));
    let _later = in_journal(&spool).await;
    assert_eq!(at_rest(at.path()).len(), 4);
}

#[tokio::test]
async fn what_cannot_come_to_rest_is_counted_and_stays_for_the_next_start() {
    let at = tempfile::tempdir().unwrap();
    let first = spool(at.path());
    first.open_journal().await.unwrap();
    let (id, held) = in_journal(&first).await;
    let obstacle = at.path().join(format!("df{id}"));
    std::fs::create_dir(&obstacle).unwrap();
    assert_eq!(first.settle().await.unwrap().map(|(n, _)| n), Some(1));
    drop((held, first));
    std::fs::remove_dir(obstacle).unwrap();
    assert_eq!(spool(at.path()).open_journal().await.unwrap(), Some(1));
}

#[tokio::test]
async fn an_update_that_fails_is_what_comes_to_rest_later() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    spool.open_journal().await.unwrap();
    let (id, held) = in_journal(&spool).await;
    let obstacle = at.path().join(format!("df{id}"));
    std::fs::create_dir(&obstacle).unwrap();
    let mut tried = envelope(id.clone());
    tried.tries = 7;
    spool.update(held, &tried).await.unwrap_err();
    std::fs::remove_dir(obstacle).unwrap();
    assert_eq!(spool.settle().await.unwrap(), None);
    assert_eq!(spool.lock(&id).await.unwrap().unwrap().1.tries, 7);
}

#[tokio::test]
async fn work_that_panics_fails_alone() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    for _ in 0..30 {
        let result: Result<(), Error> = spool.run(|_| panic!("on purpose")).await;
        assert!(matches!(result, Err(Error::Closed)));
    }
    assert!(spool.scan().await.unwrap().is_empty());
}

#[tokio::test]
async fn more_bytes_than_the_journal_may_hold_go_to_files() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    spool.open_journal().await.unwrap();
    let (id, large) = (spool.new_id(), vec![b'x'; 65 << 20]);
    let _held = spool.commit_at_once(&envelope(id.clone()), large.into()).await.unwrap();
    assert_eq!(at_rest(at.path()), [format!("df{id}"), format!("qf{id}")]);
}

#[tokio::test]
async fn an_old_body_whose_control_file_lies_elsewhere_is_kept() {
    let at = tempfile::tempdir().unwrap();
    for name in ["q1", "q2"] {
        std::fs::create_dir(at.path().join(name)).unwrap();
    }
    let spool = spool(&at.path().join("q*"));
    let (owned, lone) = (spool.new_id(), spool.new_id());
    file::replace(&at.path().join("q1").join(format!("qf{owned}")), b"x", 0o600).unwrap();
    for id in [&owned, &lone] {
        let path = at.path().join("q2").join(format!("df{id}"));
        file::replace(&path, b"x", 0o600).unwrap();
        file::open_append(&path, 0o600).unwrap().set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    }
    spool.recover().await.unwrap();
    assert_eq!(files(&at.path().join("q2")), [format!("df{owned}")]);
}

#[tokio::test]
async fn a_body_in_a_directory_that_is_named_no_more_is_not_given_up() {
    let at = tempfile::tempdir().unwrap();
    let spool = spool(at.path());
    let id = spool.new_id();
    let mut body = spool.start_body(&id);
    body.write(b"hello\n").await.unwrap();
    drop(spool.commit(&envelope(id.clone()), body.finish().await.unwrap()).await.unwrap());
    let control = at.path().join(format!("qf{id}"));
    let text = String::from_utf8(file::read(&control, 1 << 16).unwrap()).unwrap();
    std::fs::remove_file(at.path().join(format!("df{id}"))).unwrap();
    file::replace(&control, text.replacen("\nT", "\nd/gone/df\nT", 1).as_bytes(), 0o600).unwrap();
    assert!(matches!(spool.lock(&id).await, Err(Error::File { .. })));
    assert_eq!(files(at.path()), [format!("qf{id}")]);
    file::replace(&control, text.as_bytes(), 0o600).unwrap();
    let (held, ..) = spool.lock(&id).await.unwrap().unwrap();
    assert!(held.complaint().is_some());
}
