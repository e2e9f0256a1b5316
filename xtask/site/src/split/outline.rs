//! Parts of functions that never ran become functions of their own, which can then be moved to the second module.
//!
//! A part reaches from a point that never ran to the end of its sequence ([`points`](super::points)). Locals that it reads are
//! its arguments, and locals that are read behind it its results. A branch out of it, or a `return`, becomes a return
//! with a number, by which its old place branches on:
//!
//! ```text
//! if                          if
//!   ;; never ran                local.get $a
//!   local.get $a                call $part      ;; (param $a) (result $b, which way out)
//!   ...                         local.set $way
//!   local.set $b          =>    local.set $b
//!   br_if $out                  local.get $way
//!   ...                         if
//!                                 br $out
//!                               end
//! end                         end
//! ```

use std::collections::{BTreeMap, BTreeSet};

use walrus::ir::{self, Instr, InstrLocId, InstrSeqId, InstrSeqType, LocalId, Value};
use walrus::{FunctionBuilder, FunctionId, LocalFunction, Module, ValType};

use super::flow::{Flow, Way};
use super::points::{Point, points};
use super::profile::Later;
use super::readable;

/// The name of a function that was taken out of another; no function of Rust's is called so.
pub const PART: &str = "part";

/// Takes out of all functions what never ran and is worth it; gives the new functions.
pub fn outline(module: &mut Module, later: &Later) -> BTreeSet<FunctionId> {
    let ids: Vec<FunctionId> = module.funcs.iter_local().map(|(id, _)| id).collect();
    let mut parts = BTreeSet::new();
    for id in ids {
        let function = module.funcs.get(id);
        let name = readable(function.name.as_deref().unwrap_or_default());
        let local = function.kind.unwrap_local();
        if depends_on_sizes(&name) {
            continue;
        }
        let Some(ran) = later.points(&name, local.size()) else { continue };
        let points = points(module, local);
        if ran.len() < points.len() {
            continue;
        }
        let cold = cold(local, &points, ran);
        let entry = local.entry_block();
        for point in cold {
            // All of it: the function itself can be moved, or is called from elsewhere as well.
            if point.seq != entry || point.at > 0 {
                parts.extend(take_out(module, id, point));
            }
        }
    }
    parts
}

/// Whether the function is one of those that go another way when something is full, collides or is not where it was: next
/// time it may be.
fn depends_on_sizes(name: &str) -> bool {
    let krate = name.trim_start_matches(['<', '&', '[']).split("::").next().unwrap_or_default();
    ["alloc", "core", "std", "hashbrown", "dlmalloc", "__rustc", "yew"].contains(&krate)
}

/// The outermost points that never ran and where the stack is empty.
fn cold(function: &LocalFunction, points: &[Point], ran: &[bool]) -> Vec<Point> {
    let mut first: BTreeMap<InstrSeqId, Point> = BTreeMap::new();
    for (point, _) in points.iter().zip(ran).filter(|(point, ran)| !**ran && point.height == Some(0)) {
        first
            .entry(point.seq)
            .and_modify(|first| {
                if point.at < first.at {
                    *first = *point;
                }
            })
            .or_insert(*point);
    }
    let mut found = Vec::new();
    let mut open = vec![function.entry_block()];
    while let Some(seq) = open.pop() {
        let point = first.get(&seq);
        found.extend(point);
        let end = point.map_or(usize::MAX, |point| point.at);
        for (instr, _) in function.block(seq).instrs.iter().take(end) {
            open.extend(nested(instr));
        }
    }
    found
}

/// The sequences inside an instruction.
pub fn nested(instr: &Instr) -> Vec<InstrSeqId> {
    match instr {
        Instr::Block(ir::Block { seq }) | Instr::Loop(ir::Loop { seq }) => vec![*seq],
        Instr::IfElse(ir::IfElse { consequent, alternative }) => vec![*consequent, *alternative],
        _ => Vec::new(),
    }
}

/// Makes a function of what follows the point in its sequence, and a call of that; nothing if that would not be smaller,
/// or cannot be done.
fn take_out(module: &mut Module, id: FunctionId, point: Point) -> Option<FunctionId> {
    let function = module.funcs.get(id).kind.unwrap_local();
    let flow = Flow::of(module, function, point)?;
    let call = flow.ways.len().saturating_sub(1) * 4 + flow.params.len() + flow.results.len() + 4;
    if flow.size < call {
        return None;
    }
    let ty = |local: &LocalId| module.locals.get(*local).ty();
    let params: Vec<ValType> = flow.params.iter().map(ty).collect();
    let mut results: Vec<ValType> = flow.results.iter().map(ty).collect();
    results.extend(flow.value);
    results.extend((flow.ways.len() > 1).then_some(ValType::I32));
    let value = flow.value.map(|ty| module.locals.add(ty));

    let function = module.funcs.get(id).kind.unwrap_local();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    builder.name(PART.to_owned());
    let body = builder.func_body_id();
    let mut copy =
        Copy { function, flow: &flow, value, locals: &mut module.locals, builder, inside: BTreeMap::new() };
    copy.instrs(&function.block(point.seq).instrs[point.at..], body);
    let end = if flow.ways.contains(&Way::On) {
        copy.leave_with_value(Way::On)
    } else {
        vec![ir::Unreachable {}.into()]
    };
    copy.push(body, end);
    let part = copy.builder.local_func(flow.params.clone());
    let part = module.funcs.add_local(part);

    let locals = (value, module.locals.add(ValType::I32));
    let function = module.funcs.get_mut(id).kind.unwrap_local_mut();
    let call = call_of(part, &flow, locals, function.builder_mut());
    let seq = function.block_mut(point.seq);
    seq.instrs.truncate(point.at);
    seq.instrs.extend(call.into_iter().map(located));
    Some(part)
}

fn located(instr: Instr) -> (Instr, InstrLocId) {
    (instr, InstrLocId::default())
}

fn number(value: usize) -> Instr {
    ir::Const { value: Value::I32(value as i32) }.into()
}

fn get(local: LocalId) -> Instr {
    ir::LocalGet { local }.into()
}

fn set(local: LocalId) -> Instr {
    ir::LocalSet { local }.into()
}

/// What stands in the place of the part: the call, and what it takes to go on as the part would have.
fn call_of(
    part: FunctionId,
    flow: &Flow,
    (value, way): (Option<LocalId>, LocalId),
    builder: &mut FunctionBuilder,
) -> Vec<Instr> {
    let mut instrs: Vec<Instr> = flow.params.iter().copied().map(get).collect();
    instrs.push(ir::Call { func: part }.into());
    if flow.ways.len() > 1 {
        instrs.push(set(way));
    }
    instrs.extend(value.map(set));
    instrs.extend(flow.results.iter().rev().copied().map(set));
    let Some((last, others)) = flow.ways.split_last() else {
        instrs.push(ir::Unreachable {}.into());
        return instrs;
    };
    let go = |way: &Way| {
        let value = value.filter(|_| flow.with_value.contains(way)).map(get);
        value.into_iter().chain(way.instr())
    };
    for (index, other) in others.iter().enumerate() {
        let consequent = builder.dangling_instr_seq(None).id();
        builder.instr_seq(consequent).instrs_mut().extend(go(other).map(located));
        let alternative = builder.dangling_instr_seq(None).id();
        instrs.extend([get(way), number(index), ir::Binop { op: ir::BinaryOp::I32Eq }.into()]);
        instrs.push(ir::IfElse { consequent, alternative }.into());
    }
    instrs.extend(go(last));
    instrs
}

/// Copies a part into its new function.
struct Copy<'a> {
    function: &'a LocalFunction,
    flow: &'a Flow,
    /// Where the value is kept that some ways out carry.
    value: Option<LocalId>,
    locals: &'a mut walrus::ModuleLocals,
    builder: FunctionBuilder,
    /// The copies of the sequences that the part has.
    inside: BTreeMap<InstrSeqId, InstrSeqId>,
}

impl Copy<'_> {
    fn push(&mut self, seq: InstrSeqId, instrs: Vec<Instr>) {
        self.builder.instr_seq(seq).instrs_mut().extend(instrs.into_iter().map(located));
    }

    fn sequence(&mut self, seq: InstrSeqId) -> InstrSeqId {
        let function = self.function;
        let old = function.block(seq);
        let new = self.builder.dangling_instr_seq(old.ty).id();
        self.inside.insert(seq, new);
        self.instrs(&old.instrs, new);
        new
    }

    fn holding(&mut self, ty: impl Into<InstrSeqType>, instrs: Vec<Instr>) -> InstrSeqId {
        let seq = self.builder.dangling_instr_seq(ty).id();
        self.push(seq, instrs);
        seq
    }

    fn instrs(&mut self, instrs: &[(Instr, InstrLocId)], into: InstrSeqId) {
        for (instr, _) in instrs {
            let copied = self.instr(instr);
            self.push(into, copied);
        }
    }

    fn instr(&mut self, instr: &Instr) -> Vec<Instr> {
        match instr {
            Instr::Block(ir::Block { seq }) => vec![ir::Block { seq: self.sequence(*seq) }.into()],
            Instr::Loop(ir::Loop { seq }) => vec![ir::Loop { seq: self.sequence(*seq) }.into()],
            Instr::IfElse(ir::IfElse { consequent, alternative }) => {
                let (consequent, alternative) = (self.sequence(*consequent), self.sequence(*alternative));
                vec![ir::IfElse { consequent, alternative }.into()]
            }
            Instr::Br(ir::Br { block }) => match self.inside.get(block) {
                Some(&block) => vec![ir::Br { block }.into()],
                None => self.leave_with_value(Way::Br(*block)),
            },
            Instr::BrIf(ir::BrIf { block }) => match self.inside.get(block) {
                Some(&block) => vec![ir::BrIf { block }.into()],
                None => self.leave_if(Way::Br(*block)),
            },
            Instr::BrTable(ir::BrTable { blocks, default }) => self.table(blocks, *default),
            Instr::Return(_) => self.leave_with_value(Way::Return),
            other => vec![other.clone()],
        }
    }

    /// Leaves the part; the value that this way carries, if it does, is in its local.
    fn leave(&self, way: Way) -> Vec<Instr> {
        let mut instrs: Vec<Instr> = self.flow.results.iter().copied().map(get).collect();
        instrs.extend(self.value.map(get));
        if self.flow.ways.len() > 1 {
            instrs.push(number(self.flow.ways.iter().position(|other| *other == way).unwrap_or_default()));
        }
        instrs.push(ir::Return {}.into());
        instrs
    }

    /// The same with the value on the stack.
    fn leave_with_value(&self, way: Way) -> Vec<Instr> {
        let value = self.value.filter(|_| self.flow.with_value.contains(&way)).map(set);
        value.into_iter().chain(self.leave(way)).collect()
    }

    /// Leaves if what lies on the stack is not zero. A value below it stays there.
    fn leave_if(&mut self, way: Way) -> Vec<Instr> {
        let leave = self.leave(way);
        let (consequent, alternative) = (self.holding(None, leave), self.holding(None, vec![]));
        let leave = ir::IfElse { consequent, alternative }.into();
        match self.value.filter(|_| self.flow.with_value.contains(&way)) {
            None => vec![leave],
            Some(value) => {
                let condition = self.locals.add(ValType::I32);
                vec![set(condition), ir::LocalTee { local: value }.into(), get(condition), leave]
            }
        }
    }

    /// A table some of whose targets may be outside: each gets a block, and behind the block the part is left.
    fn table(&mut self, blocks: &[InstrSeqId], default: InstrSeqId) -> Vec<Instr> {
        let mut outside: BTreeMap<InstrSeqId, InstrSeqId> = BTreeMap::new();
        for block in blocks.iter().chain([&default]).filter(|block| !self.inside.contains_key(block)) {
            let builder = &mut self.builder;
            outside.entry(*block).or_insert_with(|| builder.dangling_instr_seq(None).id());
        }
        let target = |block: &InstrSeqId| outside.get(block).or_else(|| self.inside.get(block)).copied();
        let blocks: Option<Vec<InstrSeqId>> = blocks.iter().map(target).collect();
        // Each has one of the two, by the loop above.
        let (blocks, default) = (blocks.unwrap_or_default().into(), target(&default).unwrap_or(default));
        let table = Instr::from(ir::BrTable { blocks, default });
        if outside.is_empty() {
            return vec![table];
        }
        let which = self.locals.add(ValType::I32);
        let mut instrs = vec![get(which), table];
        for (block, seq) in outside {
            self.push(seq, instrs);
            instrs = vec![ir::Block { seq }.into()];
            instrs.extend(self.leave(Way::Br(block)));
        }
        instrs.insert(0, set(which));
        instrs
    }
}
