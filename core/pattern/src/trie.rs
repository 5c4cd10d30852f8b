//! Paths by their steps. A path is its steps joined by dots, however the steps were cut: the key `a.b` and the key `b`
//! inside `a` lead to the same place.

use crate::hash::RuleMap;

/// The number of a path's node.
pub(crate) type NodeId = u32;

/// The empty path.
pub(crate) const TOP: NodeId = 0;

/// Up to so many steps are compared one after the other.
const FEW: usize = 8;

#[derive(Debug, Default)]
struct Node {
    /// What ends here, if anything.
    path: Option<u32>,
    /// The first bytes of the steps from here, by their low six bits; every bit if a step is empty. Most keys of an
    /// event are wanted by nobody, and this tells for most of them.
    firsts: u64,
    few: Vec<(Box<[u8]>, NodeId)>,
    many: RuleMap<Box<[u8]>, NodeId>,
}

/// A tree of steps.
#[derive(Debug)]
pub(crate) struct Trie {
    nodes: Vec<Node>,
}

impl Default for Trie {
    fn default() -> Self {
        Self { nodes: vec![Node::default()] }
    }
}

impl Trie {
    /// The node of a path, made if missing.
    pub(crate) fn insert(&mut self, path: &str) -> NodeId {
        path.split('.').fold(TOP, |node, step| self.insert_step(node, step.as_bytes()))
    }

    /// The node of `key`, which may hold dots, below `node`, made if missing.
    pub(crate) fn insert_below(&mut self, node: NodeId, key: &[u8]) -> NodeId {
        key.split(|byte| *byte == b'.').fold(node, |node, step| self.insert_step(node, step))
    }

    fn insert_step(&mut self, node: NodeId, step: &[u8]) -> NodeId {
        if let Some(found) = self.step(node, step) {
            return found;
        }
        let new = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        self.nodes.push(Node::default());
        let node = &mut self.nodes[node as usize];
        node.firsts |= step.first().map_or(u64::MAX, |first| 1 << (first & 63));
        if node.many.is_empty() && node.few.len() < FEW {
            node.few.push((step.into(), new));
        } else {
            node.many.extend(node.few.drain(..));
            node.many.insert(step.into(), new);
        }
        new
    }

    fn step(&self, node: NodeId, step: &[u8]) -> Option<NodeId> {
        let node = &self.nodes[node as usize];
        if node.many.is_empty() {
            return node.few.iter().find(|(name, _)| **name == *step).map(|(_, child)| *child);
        }
        node.many.get(step).copied()
    }

    /// The node of `key`, which may hold dots, below `node`.
    #[inline]
    pub(crate) fn child(&self, node: NodeId, key: &[u8]) -> Option<NodeId> {
        let Node { firsts, few, many, .. } = &self.nodes[node as usize];
        if firsts >> (key.first().unwrap_or(&b'.') & 63) & 1 == 0 {
            return None;
        }
        if many.is_empty() {
            for (name, child) in few {
                if key.len() == name.len() {
                    if *key == **name {
                        return Some(*child);
                    }
                } else if key.len() > name.len() && key[name.len()] == b'.' && key.starts_with(name) {
                    return self.child(*child, &key[name.len() + 1..]);
                }
            }
            return None;
        }
        if let Some(&child) = many.get(key) {
            return Some(child);
        }
        let dot = key.iter().position(|byte| *byte == b'.')?;
        self.child(*many.get(&key[..dot])?, &key[dot + 1..])
    }

    /// The node of a whole path.
    pub(crate) fn find(&self, path: &str) -> Option<NodeId> {
        self.child(TOP, path.as_bytes())
    }

    pub(crate) fn set_path(&mut self, node: NodeId, path: u32) {
        self.nodes[node as usize].path = Some(path);
    }

    pub(crate) fn path(&self, node: NodeId) -> Option<u32> {
        self.nodes[node as usize].path
    }

    /// Whether there are longer paths.
    pub(crate) fn has_children(&self, node: NodeId) -> bool {
        let node = &self.nodes[node as usize];
        !node.few.is_empty() || !node.many.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{TOP, Trie};

    #[test]
    fn keys_may_hold_dots() {
        for width in [1, 100] {
            let mut trie = Trie::default();
            for other in 0..width {
                trie.insert(&format!("other{other}.b"));
            }
            let node = trie.insert("a..b.c");
            let a = trie.child(TOP, b"a").unwrap();
            assert_eq!(trie.child(a, b".b.c"), Some(node));
            assert_eq!(trie.child(TOP, b"a."), trie.child(a, b""));
            assert_eq!(trie.find("a..b.c"), Some(node));
            assert_eq!(trie.find("a.b.c"), None);
            assert_eq!(trie.insert_below(a, b".b.c"), node);
        }
    }
}
