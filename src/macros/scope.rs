//! Macro values: those of the configuration, and those that a session, an envelope or a recipient lays over them.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::expand::Template;
use super::names::MacroId;

/// Value of a macro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text set at run time: never expanded.
    Text(Bytes),
    /// Text from the configuration: expanded where it is used.
    Template(Arc<Template>),
}

/// Values of the configuration.
pub type MacroTable = HashMap<MacroId, Value>;

/// Values as seen at one place: the configuration's, with changes on top. Cloning copies the changes alone.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    base: Arc<MacroTable>,
    own: Vec<(MacroId, Option<Value>)>,
    found_address: Option<Bytes>,
}

impl Scope {
    /// The values of a configuration, unchanged.
    pub fn new(base: Arc<MacroTable>) -> Self {
        Self { base, own: Vec::new(), found_address: None }
    }

    /// Notes the address that rules found with a `dns` map.
    pub fn note_address(&mut self, address: Bytes) {
        self.found_address = Some(address);
    }

    /// The address that rules found last, once.
    pub fn take_address(&mut self) -> Option<Bytes> {
        self.found_address.take()
    }

    /// Sets plain text.
    pub fn set(&mut self, id: MacroId, text: impl Into<Bytes>) {
        self.put(id, Some(Value::Text(text.into())));
    }

    /// Sets text that is expanded where it is used.
    pub fn set_template(&mut self, id: MacroId, template: Template) {
        self.put(id, Some(Value::Template(Arc::new(template))));
    }

    /// Makes the macro undefined, also when the configuration defines it.
    pub fn unset(&mut self, id: MacroId) {
        self.put(id, None);
    }

    /// Takes the changes of `other` over, on top of what is here.
    pub fn overlay(&mut self, other: &Self) {
        for (id, value) in &other.own {
            self.put(*id, value.clone());
        }
    }

    /// The value, when there is one.
    pub fn value(&self, id: MacroId) -> Option<&Value> {
        match self.own.iter().find(|(own, _)| *own == id) {
            Some((_, value)) => value.as_ref(),
            None => self.base.get(&id),
        }
    }

    /// The value, expanded; empty when there is none.
    pub fn text(&self, id: MacroId) -> Bytes {
        match self.value(id) {
            None => Bytes::new(),
            Some(Value::Text(text)) => text.clone(),
            Some(Value::Template(template)) => template.expand(self).into(),
        }
    }

    /// Values laid over the configuration's, in the order they were first set.
    pub fn changes(&self) -> impl Iterator<Item = (MacroId, Option<&Value>)> {
        self.own.iter().map(|(id, value)| (*id, value.as_ref()))
    }

    fn put(&mut self, id: MacroId, value: Option<Value>) {
        match self.own.iter_mut().find(|(own, _)| *own == id) {
            Some((_, slot)) => *slot = value,
            None => self.own.push((id, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::macros::names;

    #[test]
    fn changes_hide_the_configuration_and_leave_it_alone() {
        let base: MacroTable = [(names::HOST, Value::Text(Bytes::from_static(b"a")))].into();
        let mut scope = Scope::new(Arc::new(base));
        assert_eq!(scope.text(names::HOST), "a");
        let before = scope.clone();
        scope.unset(names::HOST);
        assert_eq!(scope.text(names::HOST), "");
        assert_eq!(before.text(names::HOST), "a");
    }
}
