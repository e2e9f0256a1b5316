//! The points of a function: where it can be seen which way it went.
//!
//! They are its beginning, the beginning of each branch of an `if`, and what follows a block, a loop, an `if` or a
//! `br_if`. What follows a point in its sequence runs only if the point was passed. So if a point never ran, nothing
//! from there to the end of its sequence did.

use walrus::ir::{self, Instr, InstrSeqId, InstrSeqType};
use walrus::{LocalFunction, Module, ValType};

/// A place before an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub seq: InstrSeqId,
    pub at: usize,
    /// How many values lie on the stack there, of those that were put since the sequence began; nothing if that is
    /// not known.
    pub height: Option<usize>,
}

/// The points of a function, in an order that depends on the function alone.
pub fn points(module: &Module, function: &LocalFunction) -> Vec<Point> {
    let mut points = Vec::new();
    let entry = function.entry_block();
    points.push(Point { seq: entry, at: 0, height: Some(0) });
    walk(module, function, entry, Some(0), &mut points);
    points
}

fn walk(
    module: &Module,
    function: &LocalFunction,
    seq: InstrSeqId,
    height: Option<usize>,
    points: &mut Vec<Point>,
) {
    let mut height = height;
    let instrs = &function.block(seq).instrs;
    for (at, (instr, _)) in instrs.iter().enumerate() {
        let (mut before, mut is_point) = (0, true);
        match instr {
            Instr::Block(ir::Block { seq }) | Instr::Loop(ir::Loop { seq }) => {
                let params = types(module, function.block(*seq).ty).0.len();
                walk(module, function, *seq, Some(params), points);
            }
            Instr::IfElse(ir::IfElse { consequent, alternative }) => {
                before = 1;
                for seq in [*consequent, *alternative] {
                    let params = types(module, function.block(seq).ty).0.len();
                    points.push(Point { seq, at: 0, height: Some(params) });
                    walk(module, function, seq, Some(params), points);
                }
            }
            Instr::BrIf(_) => {}
            _ => is_point = false,
        }
        height = effect(module, function, instr)
            .zip(height)
            .and_then(|((pops, pushes), height)| Some(height.checked_sub(pops + before)? + pushes));
        if is_point && at + 1 < instrs.len() {
            points.push(Point { seq, at: at + 1, height });
        }
    }
}

/// What a sequence takes from the stack and leaves there.
pub fn types(module: &Module, ty: InstrSeqType) -> (Vec<ValType>, Vec<ValType>) {
    match ty {
        InstrSeqType::Simple(result) => (Vec::new(), result.into_iter().collect()),
        InstrSeqType::MultiValue(ty) => {
            let (params, results) = module.types.params_results(ty);
            (params.to_vec(), results.to_vec())
        }
    }
}

/// How many values an instruction takes and leaves, without an `if`'s condition; nothing for instructions that compilers
/// of Rust do not write.
fn effect(module: &Module, function: &LocalFunction, instr: &Instr) -> Option<(usize, usize)> {
    let of_type = |ty| {
        let (params, results) = module.types.params_results(ty);
        (params.len(), results.len())
    };
    Some(match instr {
        Instr::Block(ir::Block { seq }) | Instr::Loop(ir::Loop { seq }) => {
            let (params, results) = types(module, function.block(*seq).ty);
            (params.len(), results.len())
        }
        Instr::IfElse(ir::IfElse { consequent, .. }) => {
            let (params, results) = types(module, function.block(*consequent).ty);
            (params.len(), results.len())
        }
        Instr::Call(ir::Call { func }) => of_type(module.funcs.get(*func).ty()),
        Instr::CallIndirect(ir::CallIndirect { ty, .. }) => {
            let (params, results) = of_type(*ty);
            (params + 1, results)
        }
        Instr::LocalGet(_) | Instr::GlobalGet(_) | Instr::Const(_) | Instr::MemorySize(_) => (0, 1),
        Instr::LocalSet(_) | Instr::GlobalSet(_) | Instr::Drop(_) | Instr::BrIf(_) => (1, 0),
        Instr::LocalTee(_) | Instr::Unop(_) | Instr::Load(_) | Instr::MemoryGrow(_) => (1, 1),
        Instr::Binop(_) => (2, 1),
        Instr::Select(_) => (3, 1),
        Instr::Store(_) => (2, 0),
        Instr::MemoryCopy(_) | Instr::MemoryFill(_) => (3, 0),
        // Nothing follows these.
        Instr::Br(_) | Instr::BrTable(_) | Instr::Return(_) | Instr::Unreachable(_) => (0, 0),
        _ => return None,
    })
}
