//! What plugins remember from one extension point to the next, for one pod and one cycle.

use std::any::Any;
use std::fmt;

/// A piece of state: any plain data.
pub trait StateData: Any {
    /// A copy; preemption tries each node on a copy of its own.
    fn clone_box(&self) -> Box<dyn StateData>;
    /// For the way back to the concrete type.
    fn as_any(&self) -> &dyn Any;
    /// For the way back to the concrete type.
    fn as_any_mut(&mut self) -> &mut dyn Any;
}

impl<T: Any + Clone> StateData for T {
    fn clone_box(&self) -> Box<dyn StateData> {
        Box::new(self.clone())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }
}

/// The state of one scheduling cycle. A plugin writes values of types of its own,
/// so that no two plugins can meet under one key.
#[derive(Default)]
pub struct CycleState {
    // Half a dozen entries: a scan is quicker than a map.
    data: Vec<Box<dyn StateData>>,
}

impl Clone for CycleState {
    fn clone(&self) -> Self {
        // Through the box to the value: `Box<dyn StateData>` itself must not count as the data.
        Self { data: self.data.iter().map(|data| (**data).clone_box()).collect() }
    }
}

impl fmt::Debug for CycleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "state of {} plugins", self.data.len())
    }
}

impl CycleState {
    /// Writes a value, in place of the last one of its type.
    pub fn write<T: StateData>(&mut self, value: T) {
        match self.read_mut::<T>() {
            Some(slot) => *slot = value,
            None => self.data.push(Box::new(value)),
        }
    }

    /// The value of that type, if it was written.
    #[inline]
    pub fn read<T: StateData>(&self) -> Option<&T> {
        self.data.iter().find_map(|data| (**data).as_any().downcast_ref())
    }

    /// The value of that type, to change.
    pub fn read_mut<T: StateData>(&mut self) -> Option<&mut T> {
        self.data.iter_mut().find_map(|data| (**data).as_any_mut().downcast_mut())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_kept_by_type_and_a_clone_goes_its_own_way() {
        let mut state = CycleState::default();
        state.write(1_u8);
        state.write("one");
        state.write(2_u8);
        let mut copy = state.clone();
        *copy.read_mut::<u8>().unwrap() = 3;
        assert_eq!(state.read::<u8>(), Some(&2));
        assert_eq!(copy.read::<u8>(), Some(&3));
        assert_eq!(copy.read::<&str>(), Some(&"one"));
        assert_eq!(copy.read::<u16>(), None);
    }
}
