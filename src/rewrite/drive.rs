//! Runs rulesets with the maps of a configuration.
//!
//! Being dropped at an await loses the evaluation, nothing else.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use super::machine::{Reply, Step};
use super::print::{Both, Levels, Printer};
use super::program::Program;
use super::trace::Observer;
use super::workspace::Workspace;
use crate::base::exit::Exit;
use crate::config::RulesetId;
use crate::log::debug::Tracer;
use crate::macros::{NameTable, Scope};
use crate::maps::{Answer, MapId, MapSet};

/// A program and the maps it asks. Cheap to clone.
#[derive(Clone)]
pub struct Rewriter {
    program: Arc<Program>,
    maps: MapSet,
    /// Map by symbol of its name.
    by_symbol: Arc<[Option<MapId>]>,
    /// Debug output, with the names that it shows.
    tracer: Arc<Tracer>,
    names: Arc<NameTable>,
    /// Workspaces that nobody uses now.
    spare: Arc<Mutex<Vec<Workspace>>>,
}

/// A workspace on loan; dropping it gives it back.
pub struct Lent {
    workspace: Workspace,
    spare: Arc<Mutex<Vec<Workspace>>>,
}

impl Deref for Lent {
    type Target = Workspace;

    fn deref(&self) -> &Workspace {
        &self.workspace
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Workspace {
        &mut self.workspace
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // One that was left in the middle, or grew with a monster of an address, is not kept.
        if !self.workspace.is_at_rest() || self.workspace.memory() > MOST_KEPT {
            return;
        }
        let empty = Workspace::new(Arc::clone(&self.workspace.program));
        let workspace = std::mem::replace(&mut self.workspace, empty);
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MOST_SPARE {
            spare.push(workspace);
        }
    }
}

impl Rewriter {
    /// A program with its maps.
    pub fn new(program: Arc<Program>, maps: MapSet) -> Self {
        let ids = 0..program.symbol_count();
        let by_symbol = ids.map(|id| maps.find(program.symbol_text(u32::try_from(id).unwrap_or_default()))).collect();
        Self { program, maps, by_symbol, tracer: Arc::default(), names: Arc::default(), spare: Arc::default() }
    }

    /// The same with debug output.
    #[must_use]
    pub fn traced(self, tracer: Arc<Tracer>, names: NameTable) -> Self {
        Self { tracer, names: Arc::new(names), ..self }
    }

    /// The program.
    pub fn program(&self) -> &Arc<Program> {
        &self.program
    }

    /// The maps.
    pub fn maps(&self) -> &MapSet {
        &self.maps
    }

    /// An empty workspace.
    pub fn workspace(&self) -> Workspace {
        Workspace::new(Arc::clone(&self.program))
    }

    /// A workspace for a while, with the memory that an earlier evaluation left.
    pub fn lend(&self) -> Lent {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut workspace = spare.unwrap_or_else(|| self.workspace());
        workspace.clear();
        Lent { workspace, spare: Arc::clone(&self.spare) }
    }

    /// Evaluates a ruleset on what is in the workspace, which then holds the result.
    ///
    /// What is not OK has been said to the observer; the workspace is as far as the evaluation came.
    pub async fn apply(
        &self,
        ruleset: RulesetId,
        workspace: &mut Workspace,
        scope: &mut Scope,
        observer: &mut impl Observer,
    ) -> Exit {
        if !self.tracer.is_any() {
            return self.evaluate(ruleset, workspace, scope, observer).await;
        }
        let mut out = Vec::new();
        let levels = Levels::of(&self.tracer);
        let printer = Printer { out: &mut out, names: &self.names, levels, is_test: false };
        let exit = self.evaluate(ruleset, workspace, scope, &mut Both(observer, printer)).await;
        if !out.is_empty() {
            self.tracer.write(&out);
        }
        exit
    }

    async fn evaluate(
        &self,
        ruleset: RulesetId,
        workspace: &mut Workspace,
        scope: &mut Scope,
        observer: &mut impl Observer,
    ) -> Exit {
        workspace.start(ruleset, observer);
        loop {
            match workspace.run(scope, observer) {
                Step::Done(status) => return status,
                Step::Lookup => {
                    let question = workspace.question();
                    let known = self.by_symbol.get(question.symbol as usize).copied().flatten();
                    let Some(map) = known.or_else(|| self.maps.find(&question.map)) else {
                        workspace.answer(Reply::NoMap, observer);
                        continue;
                    };
                    if let Some(blank) = self.maps.blank(map) {
                        workspace.string_key(blank);
                    }
                    let question = workspace.question();
                    let answer = match self.maps.lookup_now(map, &question.key, &question.args, scope) {
                        Some(answer) => answer,
                        // Boxed: most maps answer at once.
                        None => Box::pin(self.maps.lookup(map, &question.key, &question.args, scope)).await,
                    };
                    for complaint in self.maps.take_complaints() {
                        observer.message(&complaint);
                    }
                    observer.looked_up(&question.map, &question.key, &answer);
                    let reply = match &answer {
                        Answer::Found(value) => Reply::Found(value),
                        Answer::Instead(value) => Reply::Instead(value),
                        Answer::NotFound(_) => Reply::NotFound,
                        Answer::Temporary(_) => Reply::Temporary,
                    };
                    workspace.answer(reply, observer);
                }
            }
        }
    }
}

/// Workspaces that are kept for later.
const MOST_SPARE: usize = 16;
/// Memory of one of them, bytes.
const MOST_KEPT: usize = 64 * 1024;
