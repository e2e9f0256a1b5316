//! What a part of a function needs and gives, and how it can be left.

use std::collections::{BTreeMap, BTreeSet};

use walrus::ir::{self, Instr, InstrLocId, InstrSeqId, LocalId};
use walrus::{LocalFunction, Module, ValType};

use super::outline::nested;
use super::points::{Point, types};

/// A way out of a part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// Returns from the function.
    Return,
    /// Branches to a sequence around it.
    Br(InstrSeqId),
    /// Comes to its end.
    On,
}

impl Way {
    /// The instruction that goes this way; none is needed to go on.
    pub fn instr(self) -> Option<Instr> {
        match self {
            Self::Return => Some(ir::Return {}.into()),
            Self::Br(block) => Some(ir::Br { block }.into()),
            Self::On => None,
        }
    }
}

/// See [`Flow::of`].
#[derive(Debug)]
pub struct Flow {
    /// How many instructions it has.
    pub size: usize,
    /// The locals whose values it needs, those of one type together.
    pub params: Vec<LocalId>,
    /// The locals that it sets and that are read after it, those of one type together.
    pub results: Vec<LocalId>,
    /// All ways out; to go on is the last of them.
    pub ways: Vec<Way>,
    /// The type of the value that some of the ways carry.
    pub value: Option<ValType>,
    /// Those ways.
    pub with_value: BTreeSet<Way>,
}

/// Locals that were set, whatever way was taken; nothing where no way leads.
type Set = Option<BTreeSet<LocalId>>;

fn meet(into: &mut Set, other: &Set) {
    match (into.as_mut(), other) {
        (Some(into), Some(other)) => into.retain(|local| other.contains(local)),
        (None, other) => into.clone_from(other),
        (Some(_), None) => {}
    }
}

struct Reader<'a> {
    function: &'a LocalFunction,
    /// What is set here.
    now: Set,
    /// What is set where a branch to a sequence inside leads.
    at_labels: BTreeMap<InstrSeqId, Set>,
    size: usize,
    /// Locals that are read where they may not be set.
    needed: BTreeSet<LocalId>,
    written: BTreeSet<LocalId>,
    reads: BTreeMap<LocalId, usize>,
    ways: BTreeMap<Way, Set>,
    /// A branch with several targets leads out.
    table: BTreeSet<Way>,
}

impl Flow {
    /// Looks at what follows a point in its sequence. Nothing if it is left with more than one value, or in ways that
    /// carry different ones.
    pub fn of(module: &Module, function: &LocalFunction, point: Point) -> Option<Self> {
        let mut reader = Reader {
            function,
            now: Some(BTreeSet::new()),
            at_labels: BTreeMap::new(),
            size: 0,
            needed: BTreeSet::new(),
            written: BTreeSet::new(),
            reads: BTreeMap::new(),
            ways: BTreeMap::new(),
            table: BTreeSet::new(),
        };
        reader.instrs(&function.block(point.seq).instrs[point.at..]);
        if reader.now.is_some() {
            reader.leave(Way::On);
        }
        let around = Around::of(function, point);
        let mut value = None;
        let mut with_value = BTreeSet::new();
        for way in reader.ways.keys() {
            let carried = match way {
                Way::Return => module.types.results(function.ty()).to_vec(),
                Way::On => types(module, function.block(point.seq).ty).1,
                Way::Br(block) if around.loops.contains(block) => types(module, function.block(*block).ty).0,
                Way::Br(block) => types(module, function.block(*block).ty).1,
            };
            match carried.as_slice() {
                [] => {}
                [ty] if value.is_none_or(|value| value == *ty) && !reader.table.contains(way) => {
                    value = Some(*ty);
                    with_value.insert(*way);
                }
                _ => return None,
            }
        }
        let mut results: Vec<LocalId> = reader
            .written
            .iter()
            .copied()
            .filter(|local| {
                let outside = around.reads.get(local) > reader.reads.get(local);
                // What it sets in one round of a loop it may need in the next.
                outside || around.in_loop && reader.needed.contains(local)
            })
            .collect();
        if reader.ways.is_empty() {
            results.clear();
        }
        let not_always_set = |local: &LocalId| reader.ways.values().flatten().any(|set| !set.contains(local));
        let mut params: BTreeSet<LocalId> = reader.needed.clone();
        params.extend(results.iter().copied().filter(|local| not_always_set(local)));
        let by_type = |local: &LocalId| (module.locals.get(*local).ty(), *local);
        let mut params: Vec<LocalId> = params.into_iter().collect();
        params.sort_by_key(by_type);
        results.sort_by_key(by_type);
        Some(Self {
            size: reader.size,
            params,
            results,
            ways: reader.ways.into_keys().collect(),
            value,
            with_value,
        })
    }
}

impl Reader<'_> {
    fn instrs(&mut self, instrs: &[(Instr, InstrLocId)]) {
        for (instr, _) in instrs {
            self.size += 1;
            match instr {
                Instr::LocalGet(ir::LocalGet { local }) => {
                    *self.reads.entry(*local).or_default() += 1;
                    if self.now.as_ref().is_some_and(|set| !set.contains(local)) {
                        self.needed.insert(*local);
                    }
                }
                Instr::LocalSet(ir::LocalSet { local }) | Instr::LocalTee(ir::LocalTee { local }) => {
                    self.written.insert(*local);
                    if let Some(set) = &mut self.now {
                        set.insert(*local);
                    }
                }
                Instr::Block(ir::Block { seq }) => {
                    self.at_labels.insert(*seq, None);
                    self.instrs(&self.function.block(*seq).instrs);
                    self.after(&[*seq]);
                }
                Instr::Loop(ir::Loop { seq }) => {
                    self.at_labels.insert(*seq, None);
                    self.instrs(&self.function.block(*seq).instrs);
                    self.at_labels.remove(seq);
                }
                Instr::IfElse(ir::IfElse { consequent, alternative }) => {
                    self.at_labels.extend([(*consequent, None), (*alternative, None)]);
                    let before = self.now.clone();
                    self.instrs(&self.function.block(*consequent).instrs);
                    let after = std::mem::replace(&mut self.now, before);
                    self.instrs(&self.function.block(*alternative).instrs);
                    meet(&mut self.now, &after);
                    self.after(&[*consequent, *alternative]);
                }
                Instr::Br(ir::Br { block }) => {
                    self.branch(*block);
                    self.now = None;
                }
                Instr::BrIf(ir::BrIf { block }) => self.branch(*block),
                Instr::BrTable(ir::BrTable { blocks, default }) => {
                    for block in blocks.iter().chain([default]) {
                        if !self.at_labels.contains_key(block) {
                            self.table.insert(Way::Br(*block));
                        }
                        self.branch(*block);
                    }
                    self.now = None;
                }
                Instr::Return(_) => {
                    self.leave(Way::Return);
                    self.now = None;
                }
                Instr::Unreachable(_) => self.now = None,
                _ => {}
            }
        }
    }

    fn after(&mut self, labels: &[InstrSeqId]) {
        for label in labels {
            let set = self.at_labels.remove(label).flatten();
            meet(&mut self.now, &set);
        }
    }

    fn branch(&mut self, block: InstrSeqId) {
        let now = self.now.clone();
        match self.at_labels.get_mut(&block) {
            Some(set) => meet(set, &now),
            None => self.leave(Way::Br(block)),
        }
    }

    fn leave(&mut self, way: Way) {
        let now = self.now.clone();
        meet(self.ways.entry(way).or_default(), &now);
    }
}

/// What is around a part.
struct Around {
    /// How often each local is read in the whole function.
    reads: BTreeMap<LocalId, usize>,
    /// All sequences of the function that are bodies of loops.
    loops: BTreeSet<InstrSeqId>,
    in_loop: bool,
}

impl Around {
    fn of(function: &LocalFunction, point: Point) -> Self {
        let mut around = Self { reads: BTreeMap::new(), loops: BTreeSet::new(), in_loop: false };
        let mut open = vec![(function.entry_block(), false)];
        while let Some((seq, in_loop)) = open.pop() {
            around.in_loop |= in_loop && seq == point.seq;
            for (instr, _) in &function.block(seq).instrs {
                if let Instr::LocalGet(ir::LocalGet { local }) = instr {
                    *around.reads.entry(*local).or_default() += 1;
                }
                if let Instr::Loop(ir::Loop { seq }) = instr {
                    around.loops.insert(*seq);
                }
                let in_loop = in_loop || matches!(instr, Instr::Loop(_));
                open.extend(nested(instr).into_iter().map(|seq| (seq, in_loop)));
            }
        }
        around
    }
}
