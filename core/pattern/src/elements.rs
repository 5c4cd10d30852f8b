//! Where in an event's arrays its fields stand.
//!
//! Two fields can belong to the same match unless they sit in different elements of the same array. Elements are
//! numbered in the order of the text, so that what lies inside one element, or inside one array, is a range of numbers.

/// The number of an element; [`ROOT`] for what lies in no array.
pub(crate) type ElementId = u32;

/// No array around.
pub(crate) const ROOT: ElementId = 0;

#[derive(Debug, Clone, Copy)]
struct Element {
    parent: ElementId,
    array: u32,
    /// Position in the array.
    index: u32,
    /// One past the last element inside.
    end: u32,
}

#[derive(Debug, Clone, Copy)]
struct Array {
    /// The elements of the array and everything inside them.
    first: u32,
    end: u32,
}

/// The arrays of an event that were looked into, with their elements.
#[derive(Debug, Default)]
pub(crate) struct Elements {
    /// Without the root: element 1 comes first.
    elements: Vec<Element>,
    arrays: Vec<Array>,
}

impl Elements {
    pub(crate) fn clear(&mut self) {
        self.elements.clear();
        self.arrays.clear();
    }

    fn next_id(&self) -> u32 {
        u32::try_from(self.elements.len() + 1).unwrap_or(u32::MAX)
    }

    pub(crate) fn open_array(&mut self) -> u32 {
        let array = u32::try_from(self.arrays.len()).unwrap_or(u32::MAX);
        let first = self.next_id();
        self.arrays.push(Array { first, end: first });
        array
    }

    pub(crate) fn close_array(&mut self, array: u32) {
        let end = self.next_id();
        if let Some(array) = self.arrays.get_mut(array as usize) {
            array.end = end;
        }
    }

    pub(crate) fn open_element(&mut self, parent: ElementId, array: u32, index: u32) -> ElementId {
        let id = self.next_id();
        self.elements.push(Element { parent, array, index, end: id + 1 });
        id
    }

    pub(crate) fn close_element(&mut self, element: ElementId) {
        let end = self.next_id();
        if let Some(element) = self.elements.get_mut(element as usize - 1) {
            element.end = end;
        }
    }

    fn get(&self, element: ElementId) -> Option<&Element> {
        self.elements.get((element as usize).checked_sub(1)?)
    }

    pub(crate) fn parent(&self, element: ElementId) -> ElementId {
        self.get(element).map_or(ROOT, |element| element.parent)
    }

    /// The element numbers inside the array that `element` is a member of.
    pub(crate) fn array_range(&self, element: ElementId) -> std::ops::Range<u32> {
        self.get(element).map_or(0..0, |element| {
            let array = self.arrays[element.array as usize];
            array.first..array.end
        })
    }

    /// Whether `inner` is `outer` or lies inside it.
    pub(crate) fn contains(&self, outer: ElementId, inner: ElementId) -> bool {
        self.get(outer).is_none_or(|element| outer <= inner && inner < element.end)
    }

    /// `Ok` if fields in `one` and `other` can belong to the same match; otherwise the first element number from
    /// which on it may be so again.
    pub(crate) fn compatible(&self, one: ElementId, other: ElementId) -> Result<(), u32> {
        let mut outer = one;
        while let Some(element) = self.get(outer) {
            let array = &self.arrays[element.array as usize];
            if (array.first..array.end).contains(&other) && !(outer..element.end).contains(&other) {
                return Err(if other < outer { outer } else { array.end });
            }
            outer = element.parent;
        }
        Ok(())
    }

    /// The positions of the elements around `element` and of itself in their arrays, outermost first.
    pub(crate) fn indexes(&self, element: ElementId) -> Vec<u32> {
        let mut indexes = Vec::new();
        let mut at = element;
        while let Some(element) = self.get(at) {
            indexes.push(element.index);
            at = element.parent;
        }
        indexes.reverse();
        indexes
    }
}
