//! Interned strings: a label key is compared ten thousand times for each time it is read.

use std::collections::HashMap;
use std::sync::Arc;

/// A string that [`Symbols`] has seen; equal symbols are equal strings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Symbol(u32);

impl Symbol {
    /// Its number, for tables indexed by symbol.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The table of interned strings of one scheduler.
#[derive(Clone, Debug, Default)]
pub struct Symbols {
    names: Vec<Arc<str>>,
    /// What each string is as a decimal integer, for the operators `Gt` and `Lt`.
    numbers: Vec<Option<i64>>,
    // Only looked up, never iterated: its order cannot show.
    by_name: HashMap<Arc<str>, Symbol>,
}

impl Symbols {
    /// The symbol of `name`, new or known.
    pub fn intern(&mut self, name: &str) -> Symbol {
        if let Some(&symbol) = self.by_name.get(name) {
            return symbol;
        }
        // Four thousand million different strings do not fit in memory before they overflow this.
        let symbol = Symbol(self.names.len() as u32);
        let name: Arc<str> = name.into();
        self.numbers.push(name.parse().ok());
        self.names.push(Arc::clone(&name));
        self.by_name.insert(name, symbol);
        symbol
    }

    /// The symbol of `name`, if it was ever interned.
    pub fn get(&self, name: &str) -> Option<Symbol> {
        self.by_name.get(name).copied()
    }

    /// The string of a symbol.
    pub fn name(&self, symbol: Symbol) -> &Arc<str> {
        &self.names[symbol.index()]
    }

    /// The string of a symbol as a decimal integer.
    pub fn number(&self, symbol: Symbol) -> Option<i64> {
        self.numbers[symbol.index()]
    }
}

/// Labels with interned keys and values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(Vec<(Symbol, Symbol)>);

impl Labels {
    /// Interns the labels of an object.
    pub fn new<'a>(
        labels: impl IntoIterator<Item = (&'a String, &'a String)>,
        symbols: &mut Symbols,
    ) -> Self {
        let mut labels: Vec<_> =
            labels.into_iter().map(|(key, value)| (symbols.intern(key), symbols.intern(value))).collect();
        labels.sort_unstable();
        Self(labels)
    }

    /// The value of `key`.
    pub fn get(&self, key: Symbol) -> Option<Symbol> {
        // A node has ten labels: a scan of 80 bytes is quicker than a search.
        self.0.iter().find(|(k, _)| *k == key).map(|(_, value)| *value)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keys and values, in the order in which they were first interned.
    pub fn iter(&self) -> impl Iterator<Item = (Symbol, Symbol)> {
        self.0.iter().copied()
    }
}
