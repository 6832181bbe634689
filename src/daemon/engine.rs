//! The engine: what sessions, attempts and queue runs share, and how they end.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio_tracker::Tracker;

use super::lanes::Lanes;
use super::load::Load;
use super::niced::Niced;
use super::tasks::Tasks;
use super::{Selection, runner};
use crate::base::exit::Exit;
use crate::base::time::UnixTime;
use crate::config::values::DeliveryMode;
use crate::deliver::drive::{Courier, Job, Reports};
use crate::envelope::QueueId;
use crate::log::{Id, Level, Priority};
use crate::policy::rates::Rates;
use crate::queue::Kind;
use crate::queue::drive::Leftover;
use crate::queue::schedule::{self, Field, Filter, Plan, Request as RunRequest, plan, waits_for_load};
use crate::site::Site;
use crate::smtp::server::drive::{Accepted, Deliverer};
use crate::smtp::server::etrn::Request;
use crate::sys::clock;
use crate::sys::handover::Handover;

/// What runs in the daemon.
pub struct Engine {
    /// Everything loaded.
    pub site: Arc<Site>,
    /// Delivers, with connections kept between messages.
    courier: Courier,
    /// Counts of connections.
    pub(super) rates: Mutex<Rates>,
    pub(super) load: Load,
    looked_at_space: Mutex<Option<std::time::Instant>>,
    /// What is being done.
    pub(super) tasks: Tasks,
    /// Runtimes of queue groups whose runs give way to others.
    pub(super) niced: Niced,
    stop: watch::Sender<bool>,
    /// Attempts right after acceptance, at a time.
    immediate: Arc<Semaphore>,
    waiting: AtomicUsize,
    sessions: AtomicU64,
    lanes: Mutex<Lanes<runner::Token>>,
    /// Messages that ETRN asked for, until they are tried.
    selected: Mutex<HashSet<QueueId>>,
    tracker: Tracker,
    /// Sockets of listeners that have ended.
    parked: Mutex<Handover>,
}

/// How often the queue is run.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// Every so often (`-q30m`).
    Interval(Duration),
    /// With this pause between the end of a run and the next one (`-qp`). Messages that take long hold up no other: the next
    /// run takes what is new then.
    Pause(Duration),
}

/// A run of the queue that has begun.
struct Run {
    /// Messages that it tries and that none before it is still at.
    found: usize,
    /// Ends with the last of them.
    over: mpsc::Receiver<()>,
}

impl Engine {
    /// An engine without work, whose tasks go to this runtime.
    pub fn new(site: Arc<Site>, runtime: runtime::Handle) -> Arc<Self> {
        let window = site.config.options.connection_rate_window_size;
        Arc::new(Self {
            courier: Courier::new(&site),
            lanes: Mutex::new(runner::lanes(&site.config)),
            selected: Mutex::default(),
            looked_at_space: Mutex::default(),
            tasks: Tasks::new(&site.config),
            niced: Niced::new(runtime),
            site,
            rates: Mutex::new(Rates::new(window)),
            load: Load::default(),
            stop: watch::Sender::new(false),
            immediate: Arc::new(Semaphore::new(IMMEDIATE)),
            waiting: AtomicUsize::new(0),
            sessions: AtomicU64::new(1),
            tracker: Tracker::default(),
            parked: Mutex::default(),
        })
    }

    /// Becomes true when everything is to end.
    pub fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Starts a task that [`Engine::finish`] waits for: in the main runtime, whichever asks.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.spawn_on(self.niced.main(), work);
    }

    /// The same in another runtime.
    pub(super) fn spawn_on(&self, handle: &runtime::Handle, work: impl Future<Output = ()> + Send + 'static) {
        let held = self.tracker.hold();
        handle.spawn(async move {
            work.await;
            drop(held);
        });
    }

    /// Tells, when it is news, that the queue has less room than `MinFreeBlocks`. Looks again after a while only.
    ///
    /// Each MAIL is checked by itself; this is for the operator. Source: observed.
    pub(super) fn look_at_space(&self) {
        let least = self.site.config.options.min_free_blocks;
        let now = clock::monotonic();
        {
            let mut looked = self.looked_at_space.lock().unwrap_or_else(PoisonError::into_inner);
            if least <= 0 || looked.is_some_and(|at| now.duration_since(at) < SPACE_CHECK) {
                return;
            }
            *looked = Some(now);
        }
        let shortage = self.site.shortage(0);
        let is_news = self.tasks.refuse_messages(shortage.is_some().then(|| format!("min free: {least}")));
        let Some(shortage) = shortage.filter(|_| is_news) else { return };
        self.site.log.write_always(Priority::Alert, Id::NoQueue, shortage.line("SMTP-DAEMON"));
        let text = format!("rejecting new messages: min free: {least}");
        self.site.log.write(Level(8), Priority::Info, Id::None, text);
    }

    /// Keeps the socket of a listener that ends.
    pub(super) fn park(&self, address: std::net::SocketAddr, socket: std::net::TcpListener) {
        self.parked.lock().unwrap_or_else(PoisonError::into_inner).push(address, socket);
    }

    /// Sockets of listeners that have ended.
    pub(super) fn parked(&self) -> Handover {
        std::mem::take(&mut self.parked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until nothing runs, and ends connections that wait for more.
    pub async fn finish(&self) {
        self.tracker.idle().await;
        self.courier.close().await;
    }

    /// Tells everything to end and waits this long; what is not over by then stays in the queue.
    pub async fn stop(&self, grace: Duration) {
        self.stop.send_replace(true);
        if tokio::time::timeout(grace, self.finish()).await.is_err() {
            let text = "daemon ends while deliveries go on; they are tried again later";
            self.site.log.write(Level(9), Priority::Info, Id::NoQueue, text);
        }
        if let Ok(spool) = self.site.spool() {
            let path = spool.journal_path();
            let text = match spool.settle().await {
                Ok(None) => return,
                Ok(Some((n, reason))) => {
                    format!("{}: {n} messages stay in the journal for the next start: {reason}", path.display())
                }
                Err(error) => format!("{}: {error}", path.display()),
            };
            self.site.log.write_always(Priority::Critical, Id::NoQueue, text);
        }
    }

    /// Adds what was counted to `StatusFile`, soon after something was.
    pub(super) fn post_statistics_regularly(self: &Arc<Self>) {
        let site = Arc::clone(&self.site);
        let mut stop = self.stopping();
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = site.statistics.changed() => {}
                    // The end posts what is left.
                    _ = stop.wait_for(|stop| *stop) => return,
                }
                tokio::time::sleep(STATISTICS).await;
                let site = Arc::clone(&site);
                // Locks may have to be waited for. A panic there is no reason to stop counting.
                let _ = tokio::task::spawn_blocking(move || site.post_statistics()).await;
            }
        });
    }

    /// Runs the queue at this pace, the first time at once. A regular run does not wait for messages of the one before.
    pub fn run_regularly(self: &Arc<Self>, pace: Pace, selection: &Selection) {
        let mut selection = selection.clone();
        if let (Pace::Interval(interval), None) = (pace, &selection.group) {
            for (index, group) in self.site.config.queue_groups.iter().enumerate() {
                if let Some(own) = group.interval.filter(|own| !own.is_zero() && *own != interval) {
                    selection.without.push(index);
                    let only = Selection { group: Some(group.name.clone()), ..selection.clone() };
                    self.run_one_regularly(Pace::Interval(own), only);
                }
            }
        }
        self.run_one_regularly(pace, selection);
    }

    fn run_one_regularly(self: &Arc<Self>, pace: Pace, selection: Selection) {
        let engine = Arc::clone(self);
        let mut stop = self.stopping();
        tokio::spawn(async move {
            loop {
                // A queue that could not be read was logged; the next time may do better.
                let run = engine.start_run(selection.clone()).await;
                let pause = async {
                    let pause = match (pace, run) {
                        (Pace::Interval(interval), _) => interval,
                        (Pace::Pause(pause), Ok(Run { found: 0, .. }) | Err(_)) => pause.max(IDLE_PAUSE),
                        (Pace::Pause(pause), Ok(Run { mut over, .. })) => {
                            // Nothing is ever sent: it ends with the last message. A host that is slow may keep that.
                            match tokio::time::timeout(pause.max(SLOW_RUN), over.recv()).await {
                                Ok(_) => pause,
                                Err(_) => return,
                            }
                        }
                    };
                    tokio::time::sleep(pause).await;
                };
                tokio::select! {
                    () = pause => {}
                    _ = stop.wait_for(|stop| *stop) => return,
                }
            }
        });
    }

    /// One run: every message that is due is tried, several at a time; returns when all were.
    pub async fn run_once(self: &Arc<Self>, selection: Selection) -> Exit {
        match self.start_run(selection).await {
            Ok(Run { mut over, .. }) => {
                // Nothing is ever sent: it ends with the last message.
                let _ = over.recv().await;
                Exit::OK
            }
            Err(exit) => exit,
        }
    }

    async fn start_run(self: &Arc<Self>, selection: Selection) -> Result<Run, Exit> {
        let Ok(spool) = self.site.spool() else { return Err(Exit::CONFIG) };
        let entries = match spool.scan().await {
            Ok(entries) => entries,
            Err(error) => {
                self.site.log.system_error(Id::NoQueue, "root", error);
                return Err(Exit::OSERR);
            }
        };
        let options = &self.site.config.options;
        let group = selection.group.and_then(|name| runner::group(&self.site.config, &name));
        let now = clock::now();
        let seed = u64::try_from(now.0).unwrap_or(0);
        let mut planned = Vec::new();
        for (index, limits) in runner::groups(&self.site.config).into_iter().enumerate() {
            // One that nobody asks for by name may be left to its own interval, or to nobody.
            let is_asked = group.map_or(!limits.is_idle && !selection.without.contains(&index), |asked| asked == index);
            if !is_asked {
                continue;
            }
            let request = RunRequest {
                filters: selection.filters.clone(),
                kind: Kind::Normal,
                order: options.queue_sort_order,
                min_age: options.min_queue_age,
                max_age: options.max_queue_age,
                keeps_young: false,
                max_jobs: limits.jobs,
            };
            let of_group = entries.iter().filter(|e| e.group == index).cloned().collect();
            let Plan { entries, full } = plan(of_group, &request, now, seed);
            if let Some(path) = full.and_then(|directory| spool.path_of(directory)) {
                let text = schedule::full(path, limits.jobs);
                self.site.log.write(Level::SYSTEM_ERROR, Priority::Warning, Id::None, text);
            }
            planned.extend(entries);
        }
        let load = self.load.average();
        planned.retain(|entry| {
            let priority = entry.summary.as_ref().map_or(0, |summary| summary.priority);
            !waits_for_load(priority, load, options.queue_la.filter(|limit| *limit > 0), options.queue_factor)
        });
        if !selection.filters.is_empty() {
            self.selected().extend(planned.iter().map(|entry| entry.id.clone()));
        }
        let (found, over) = runner::start(self, planned);
        Ok(Run { found, over })
    }

    fn selected(&self) -> MutexGuard<'_, HashSet<QueueId>> {
        self.selected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tries one message of the queue.
    pub(super) async fn try_queued(&self, id: &QueueId) {
        // Whatever comes of it: an id is not kept longer than its turn.
        let is_selected = self.selected().remove(id);
        let Ok(spool) = self.site.spool() else { return };
        match spool.lock(id).await {
            Ok(Some((held, envelope, body))) => {
                if let Some(complaint) = held.complaint() {
                    self.site.log.system_error(Id::Queue(id.as_str()), "root", complaint);
                }
                if envelope.quarantine.is_some() {
                    if let Err(error) = self.courier.keep_quarantined(held, envelope).await {
                        error.log(&self.site.log, Id::Queue(id.as_str()));
                    }
                    return;
                }
                let reports = Reports::ByMail;
                let job =
                    Job { held, envelope, body, reports, watch: None, is_from_queue: true, is_selected, whole: None };
                self.courier.attempt(job).await;
            }
            Ok(None) => self.site.log.write(Level::LOCKED, Priority::Debug, Id::Queue(id.as_str()), "locked"),
            Err(error) => error.log(&self.site.log, Id::Queue(id.as_str())),
        }
    }

    /// Logs and clears away what a crash left in the queue directories. Before anything else works on the queue.
    pub async fn recover(&self) {
        let Ok(spool) = self.site.spool() else { return };
        let left = match spool.recover().await {
            Ok(left) => left,
            Err(error) => return self.site.log.system_error(Id::NoQueue, "root", error),
        };
        for Leftover { directory, name, is_removed } in left {
            let path = spool.path_of(directory).map(|p| p.display().to_string()).unwrap_or_default();
            let done = if is_removed { "removed" } else { "kept" };
            let text = format!("{path}/{name}: left by a crash, belongs to no message, {done}");
            self.site.log.write(Level(8), Priority::Notice, Id::NoQueue, text);
        }
    }

    /// Takes over the journal; again and again while another process has it or a message in it cannot come to rest.
    pub async fn open_journal(self: &Arc<Self>) {
        if let Ok(spool) = self.site.spool() {
            let engine = Arc::downgrade(self);
            spool.tell_trouble(move |text| {
                if let Some(engine) = engine.upgrade() {
                    engine.site.log.write_always(Priority::Critical, Id::NoQueue, text);
                }
            });
        }
        let mut logged = String::new();
        if self.try_journal(&mut logged).await {
            return;
        }
        let engine = Arc::clone(self);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(JOURNAL_RETRY).await;
                if engine.try_journal(&mut logged).await {
                    return;
                }
            }
        });
    }

    /// False when it is to be tried again. An error is logged when it is another than the one before.
    async fn try_journal(&self, logged: &mut String) -> bool {
        let Ok(spool) = self.site.spool() else { return true };
        match spool.open_journal().await {
            Ok(None) => return false,
            Ok(Some(0)) => {}
            Ok(Some(n)) => {
                let text = format!("journal: {n} messages taken up after an unclean end");
                self.site.log.write(Level(8), Priority::Notice, Id::NoQueue, text);
            }
            // Until then every message has files of its own.
            Err(error) => {
                let text = format!("journal: {error}");
                if *logged != text {
                    self.site.log.system_error(Id::NoQueue, "root", &text);
                    *logged = text;
                }
                return false;
            }
        }
        true
    }

    /// What queue runs share.
    pub(super) fn lanes(&self) -> MutexGuard<'_, Lanes<runner::Token>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn now() -> UnixTime {
        clock::now()
    }
}

/// Gives sessions access to an engine.
pub struct Handle(pub Arc<Engine>);

impl Deliverer for Handle {
    fn deliver(&self, message: Accepted) -> oneshot::Receiver<()> {
        let (over, answer) = oneshot::channel();
        let engine = Arc::clone(&self.0);
        if engine.waiting.fetch_add(1, Ordering::Relaxed) >= MOST_WAITING {
            // More than can be held in memory: the queue run takes it.
            engine.waiting.fetch_sub(1, Ordering::Relaxed);
            drop(message);
            return answer;
        }
        let held = engine.tracker.hold();
        tokio::spawn(async move {
            let permit = Arc::clone(&engine.immediate).acquire_owned().await;
            engine.waiting.fetch_sub(1, Ordering::Relaxed);
            let Accepted { held: place, mut envelope, body, mode, session, watch } = message;
            if mode != DeliveryMode::Interactive {
                // What was said in the session is no status of what comes behind it. Source: observed.
                envelope.message = None;
            }
            let reports = Reports::ByMail;
            let job = Job {
                held: place,
                envelope,
                body,
                reports,
                watch,
                is_from_queue: false,
                is_selected: false,
                whole: None,
            };
            if mode == DeliveryMode::Interactive {
                Box::pin(engine.courier.attempt_in(session, job)).await;
            } else {
                Box::pin(engine.courier.attempt(job)).await;
            }
            drop(permit);
            // Nobody may wait for the answer.
            let _ = over.send(());
            drop(held);
        });
        answer
    }

    fn begin_session(&self) -> u64 {
        self.0.sessions.fetch_add(1, Ordering::Relaxed)
    }

    fn end_session(&self, session: u64) {
        let engine = Arc::clone(&self.0);
        // Outside of the runtime everything is closed with it.
        if let Ok(runtime) = runtime::Handle::try_current() {
            runtime.spawn(async move { engine.courier.end_session(session).await });
        }
    }

    fn run(&self, request: &Request) -> bool {
        let selection = match request {
            Request::Group(name) => {
                if runner::group(&self.0.site.config, name).is_none() {
                    return false;
                }
                Selection { group: Some(name.clone()), ..Selection::default() }
            }
            Request::Node(name) => {
                let text = match name.strip_prefix(b"@") {
                    Some(domain) => bytes::Bytes::copy_from_slice(domain),
                    None => [b"@".as_slice(), name].concat().into(),
                };
                let filter = Filter { field: Field::Recipient, is_negated: false, text };
                Selection { filters: vec![filter], ..Selection::default() }
            }
        };
        let engine = Arc::clone(&self.0);
        let worker = Arc::clone(&engine);
        engine.spawn(async move {
            worker.run_once(selection).await;
        });
        true
    }
}

/// Counts what runs.
mod tokio_tracker {
    use std::sync::Arc;

    use tokio::sync::watch;

    /// Knows how many pieces of work are held.
    #[derive(Debug)]
    pub(super) struct Tracker(Arc<watch::Sender<usize>>);

    /// A piece of work; dropping it ends it.
    #[derive(Debug)]
    pub(super) struct Hold(Arc<watch::Sender<usize>>);

    impl Default for Tracker {
        fn default() -> Self {
            Self(Arc::new(watch::Sender::new(0)))
        }
    }

    impl Tracker {
        pub(super) fn hold(&self) -> Hold {
            self.0.send_modify(|n| *n += 1);
            Hold(Arc::clone(&self.0))
        }

        pub(super) async fn idle(&self) {
            // The sender lives as long as this does.
            let _ = self.0.subscribe().wait_for(|n| *n == 0).await;
        }
    }

    impl Drop for Hold {
        fn drop(&mut self) {
            self.0.send_modify(|n| *n = n.saturating_sub(1));
        }
    }
}

/// Pause of persistent runs behind one that found nothing. Source: sendmail(8).
const IDLE_PAUSE: Duration = Duration::from_secs(5);
/// How long persistent runs wait for the messages of one before they look for others.
const SLOW_RUN: Duration = Duration::from_secs(1);
/// How long the operator's view of free space may be old.
const SPACE_CHECK: Duration = Duration::from_secs(15);
/// How long counters are gathered in memory.
const STATISTICS: Duration = Duration::from_millis(200);
/// How often a journal that another process has is asked for.
const JOURNAL_RETRY: Duration = Duration::from_secs(5);
/// Attempts right after acceptance that run at a time.
const IMMEDIATE: usize = 200;
/// Accepted messages that wait in memory for their first attempt.
const MOST_WAITING: usize = 1000;
