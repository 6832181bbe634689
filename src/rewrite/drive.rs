//! Runs rulesets with the maps of a configuration.
//!
//! Being dropped at an await loses the evaluation, nothing else.

use std::sync::Arc;

use super::machine::{Reply, Step};
use super::program::Program;
use super::trace::Observer;
use super::workspace::Workspace;
use crate::base::exit::Exit;
use crate::config::RulesetId;
use crate::macros::Scope;
use crate::maps::{Answer, MapId, MapSet};

/// A program and the maps it asks. Cheap to clone.
#[derive(Clone)]
pub struct Rewriter {
    program: Arc<Program>,
    maps: MapSet,
    /// Map by symbol of its name.
    by_symbol: Arc<[Option<MapId>]>,
}

impl Rewriter {
    /// A program with its maps.
    pub fn new(program: Arc<Program>, maps: MapSet) -> Self {
        let ids = 0..program.symbol_count();
        let by_symbol = ids.map(|id| maps.find(program.symbol_text(u32::try_from(id).unwrap_or_default()))).collect();
        Self { program, maps, by_symbol }
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
                        None => self.maps.lookup(map, &question.key, &question.args, scope).await,
                    };
                    for complaint in self.maps.take_complaints() {
                        observer.message(&complaint);
                    }
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
